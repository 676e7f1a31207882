"""How far a reader has come in a stream, and whether it was given everything."""

from collections.abc import Sequence

from shared.runtime.connection import Connection
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.runtime.streams import last_sequence, message_at
from shared.schemas.subjects import WHOLE_STREAM

_ADVICE = "the server has lost messages; restore its store, then start again"


class Progress:
    """How far a reader has come in `stream`. FatalError at the first sign that what it was given is not all.

    Nothing may be deleted from the streams of facts and of commands, so whoever reads all subjects of one must be given
    every number.
    """

    def __init__(self, stream: str, subjects: Sequence[str], start: int) -> None:
        self.next = max(start, 1)
        """The number that is to be read next."""
        self._stream = stream
        self._is_whole = WHOLE_STREAM.get(stream) in subjects
        self._last: Delivery | None = None

    def take(self, delivery: Delivery) -> None:
        """The next message that was given."""
        number = delivery.sequence
        if number != self.next and (self._is_whole or number < self.next):
            raise FatalError(f"{self._stream}: number {self.next} was to come next, but {number} came; {_ADVICE}")
        self.next, self._last = number + 1, delivery

    def end_at(self, end: int) -> None:
        """There is no more to read, and the stream ends at number `end`."""
        if self._is_whole and self.next <= end:
            raise FatalError(f"{self._stream}: nothing comes from number {self.next} to {end}; {_ADVICE}")

    async def check_history(self, connection: Connection) -> None:
        """What was read before must still stand in the stream as it was."""
        end = await last_sequence(connection, self._stream)
        if self.next > end + 1:
            raise FatalError(f"{self._stream} ends at {end}, but {self.next - 1} had been read; {_ADVICE}")
        if self._last is None:
            return
        found = await message_at(connection, self._stream, self._last.sequence)
        if found is None or (found.subject, found.payload) != (self._last.subject, self._last.payload):
            raise FatalError(f"{self._stream}: number {self._last.sequence} is not what had been read; {_ADVICE}")
