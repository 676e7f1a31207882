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

    def note(self, identity: str) -> bool:
        """Remember it, at the price of the oldest where there are too many; False when it is known already."""
        key, ids = identity_bytes(identity), self._ids
        if key in ids:
            return False
        ids[key] = None
        if len(ids) > self._bound:
            del ids[next(iter(ids))]
        return True

    def packed(self) -> bytes:
        """All of them, oldest first, ID_BYTES each."""
        return b"".join(self._ids)
