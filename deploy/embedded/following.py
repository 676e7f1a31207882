"""Follows the session that the runner trades, without weighing on it: rare facts are streamed, the rest is sampled."""

import asyncio
from collections.abc import Sequence

from deploy.embedded import view as views
from deploy.embedded.view import FOLLOWED, View
from shared.runtime.bus import Bus
from shared.runtime.companions import accompanied
from shared.runtime.delivery import Delivery
from shared.runtime.errors import LeitstandError
from shared.runtime.settings import Settings
from shared.runtime.streams import Message
from shared.schemas.codec import UndecodableError, decode
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import ReportReady
from shared.schemas.subjects import EVENTS, event_subject, every_session, parse_event_subject

SIGNS_OF_LIFE = ("runner_start", "heartbeat")
"""What a runner tells early of the session that it trades, be it new or taken up again."""
SAMPLE_SECONDS = 0.5
RETRY_SECONDS = 1.0


class Follower:
    """`view` is None until the runner has told of a session; `reported` is set once its report is written.

    Once `listening` is set, no session is missed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.view: View | None = None
        self.listening = asyncio.Event()
        self.reported = asyncio.Event()

    async def follow(self) -> None:
        """Keep `view` up to date without end, through restarts of the bus."""
        since: int | None = None
        while True:
            try:
                bus = await Bus.connect(self._settings, "demo")
                try:
                    await bus.ensure_streams()
                    since = await bus.last_sequence(EVENTS) if since is None else since
                    self.listening.set()
                    await self._follow(bus, since)
                finally:
                    await bus.close()
            except LeitstandError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, bus: Bus, since: int) -> None:
        session_id = self.view.summary.session_id if self.view else await _next_session(bus, since)
        self.view = views.initial(session_id)
        await accompanied(self._stream(bus, session_id), self._sample(bus, session_id))

    async def _stream(self, bus: Bus, session_id: str) -> None:
        subjects = [event_subject(session_id, service, kind) for service, kinds in FOLLOWED.items() for kind in kinds]
        async for delivery in bus.follow(EVENTS, subjects, 1):
            self._take(delivery)

    async def _sample(self, bus: Bus, session_id: str) -> None:
        while True:
            if mark := await bus.last_on(EVENTS, event_subject(session_id, "runner", "equity_marked")):
                self._take(mark)
            await asyncio.sleep(SAMPLE_SECONDS)

    def _take(self, delivery: Delivery | Message) -> None:
        event = _decoded(delivery)
        if event is None or self.view is None:
            return
        self.view = views.evolve(self.view, event)
        if isinstance(event, ReportReady):
            self.reported.set()


async def _next_session(bus: Bus, since: int) -> str:
    async for delivery in bus.follow(EVENTS, _signs(), since + 1):
        return parse_event_subject(delivery.subject)[0]
    raise AssertionError("following never ends by itself")


def _signs() -> Sequence[str]:
    return [every_session("runner", kind) for kind in SIGNS_OF_LIFE]


def _decoded(delivery: Delivery | Message) -> Event | None:
    """The fact; None when it can't be read, which the recorder tells and the display can do without."""
    try:
        return decode(delivery.subject, delivery.payload)
    except UndecodableError:
        return None
