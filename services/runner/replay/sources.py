"""Where a recorded session is read from: the stream, or a session's `events.jsonl`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from pathlib import Path

from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError, SettingsError
from shared.schemas.codec import UndecodableError, decode, decode_line
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.subjects import EVENTS, every_session, session_subjects, writer_subjects

_STRETCH = 500


class StreamSource:
    """One session in the EVENTS stream."""

    def __init__(self, bus: Bus, start: RunnerStart) -> None:
        self._bus = bus
        self.start = start
        self._words: dict[int, Event] = {}

    async def words(self) -> list[Event]:
        """What the guard told of the session."""
        async for stretch in self._bus.read_in_stretches(EVENTS, [writer_subjects(self.start.session_id, "risk")]):
            self._words |= {delivery.sequence: _decoded(delivery) for delivery in stretch}
        return list(self._words.values())

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        """All events of the session, in the stream's order; together what came together."""
        words = self._words  # need not be decoded once more
        async for stretch in self._bus.read_in_stretches(EVENTS, [session_subjects(self.start.session_id)]):
            yield [words.get(delivery.sequence) or _decoded(delivery) for delivery in stretch]


def _decoded(delivery: Delivery) -> Event:
    try:
        return decode(delivery.subject, delivery.payload)
    except UndecodableError as error:
        raise FatalError(f"message {delivery.sequence} of {EVENTS} can't be read: {error}") from None


async def in_stream(bus: Bus, beginning: str) -> list[StreamSource]:
    """The sessions whose id starts with `beginning`, oldest first; SettingsError when there are none."""
    found = await bus.latest(EVENTS, [every_session("runner", "runner_start")])
    events = [decode(each.subject, each.payload) for each in found]
    starts = [event for event in events if isinstance(event, RunnerStart) and event.session_id.startswith(beginning)]
    if not starts:
        wanted = f"session {beginning}" if beginning else "session at all"
        raise SettingsError(f"no {wanted} in the stream; `python -m services.recorder sessions` lists what is recorded")
    return [StreamSource(bus, start) for start in starts]


class FileSource:
    """A session's `events.jsonl`, read without a bus. SettingsError when it holds no session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = next((event for event in self._lines() if isinstance(event, RunnerStart)), None)
        if found is None:
            raise SettingsError(f"{path}: no runner_start in it")
        self.start = found

    async def words(self) -> list[Event]:
        """What the guard told of the session."""
        return [event for event in self._lines() if event.service == "risk"]

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        """All events of the session, in the file's order, some hundreds at a time."""
        lines = self._lines()
        while stretch := list(islice(lines, _STRETCH)):
            yield stretch

    def _lines(self) -> Iterator[Event]:
        try:
            with self._path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    yield self._decoded(number, line)
        except OSError as error:
            raise SettingsError(f"{self._path}: {error.strerror}") from None

    def _decoded(self, number: int, line: bytes) -> Event:
        try:
            return decode_line(line)
        except UndecodableError as error:
            raise FatalError(f"{self._path}:{number}: {error}") from None
