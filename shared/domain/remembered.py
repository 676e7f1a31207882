"""The ids of what was taken in last, as many as are worth their memory."""

from shared.schemas.identity import identity_bytes

ID_BYTES = 16


class Remembered:
    """The newest `bound` identities that were noted; those that `packed` answered once are known from the start."""

    def __init__(self, bound: int, packed: bytes = b"") -> None:
        self._bound = bound
        self._ids = {packed[start : start + ID_BYTES]: None for start in range(0, len(packed), ID_BYTES)}

    def __contains__(self, identity: str) -> bool:
        return identity_bytes(identity) in self._ids

    def note(self, identity: str) -> None:
        """Remember it, at the price of the oldest where there are too many."""
        self._ids[identity_bytes(identity)] = None
        if len(self._ids) > self._bound:
            del self._ids[next(iter(self._ids))]

    def packed(self) -> bytes:
        """All of them, oldest first, ID_BYTES each."""
        return b"".join(self._ids)
