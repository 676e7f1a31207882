"""What the runner hears while it trades: the guard's facts and operators' kills, in one queue."""

import asyncio
from collections import deque
from collections.abc import Callable
from uuid import UUID

from services.runner.core.inputs import HEEDED, GuardSpoke, GuardsVoice, Input, KillHeard, VenueTrouble
from shared.domain.approval import Verify, is_signed
from shared.domain.once import Once
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.runtime.patience import set_within
from shared.runtime.service import Context
from shared.schemas.codec import UndecodableError, UnknownVersionError, decode
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import Heartbeat
from shared.schemas.orders import OrderApproved
from shared.schemas.subjects import CONTROL, EVENTS, command_subject, parse_event_subject, writer_subjects
from shared.venues.words import VenueSaid

KILLS = (command_subject("kill"), command_subject("kill", ">"))
_HEEDED_NAMES = frozenset(kind.model_fields["type"].default for kind in HEEDED)


class Hearing:
    """Follows the guard and the CONTROL stream for one session, and hands out what was heard, in order but for kills.

    What the guard had told up to number `start` is known already.
    """

    def __init__(self, context: Context, session_id: str, verify: Verify, once: Once, start: int) -> None:
        self.count = 0
        """How many facts and commands were heard so far."""
        self.taken = start
        """The stream's number of the last fact that was taken from here."""
        self.guards_words = 0
        """How many facts of the guard have come in, heartbeats included."""
        self.guards_epoch = 0
        """The newest epoch of the guard that was heard of, 0 for none yet."""
        self._once = once
        self._waiting: deque[tuple[int, Input | VenueSaid]] = deque()
        self._kills: deque[KillHeard] = deque()
        self.when_killed: Callable[[Command], None] = lambda command: None
        """Called with each kill the moment it is heard."""
        self.kills_up_to = 0
        """The CONTROL stream's number up to which all kills were heard."""
        self._something = asyncio.Event()
        self._context = context
        self._session_id = session_id
        self._verify = verify

    def take(self) -> Input | VenueSaid | None:
        """The next thing heard, a kill first, or None. What has been taken in before is passed over."""
        if self._kills:
            return self._kills.popleft()
        while self._waiting:
            sequence, given = self._waiting.popleft()
            if not isinstance(given, GuardSpoke):
                return given
            self.taken = sequence
            if not self._once.knows(given.event):
                self._once.note(given.event)
                return given
        self._something.clear()
        return None

    @property
    def kill_waits(self) -> bool:
        """Whether a kill was heard that nobody has taken yet: from here on nothing may be sent that takes risk."""
        return bool(self._kills)

    async def is_killed_since(self, sequence: int) -> bool:
        """Whether the CONTROL stream holds a kill behind number `sequence`, be it resumed from or still on its way."""
        bus = self._context.bus
        stored = await asyncio.gather(*(bus.last_number_on(CONTROL, subject) for subject in KILLS))
        return max(stored) > sequence

    async def wait(self, seconds: float) -> None:
        """Return once there is something to take, or somebody called `wake`, or after `seconds`; `take` comes first."""
        await set_within(self._something, seconds)

    def wake(self) -> None:
        """Let one `wait` return early, for another reason than something heard."""
        self._something.set()

    def hear(self, said: VenueSaid | VenueTrouble | GuardsVoice) -> None:
        """Hear a venue that answers in its own time, of the trouble with it, and that the guard is heard no more."""
        self._heard(0, said)

    def kill(self, heard: KillHeard) -> None:
        """Hear a kill: it comes before all that was heard and not taken yet."""
        self.when_killed(heard.command)
        self.count += 1
        self._kills.append(heard)
        self._something.set()

    def _heard(self, sequence: int, given: Input | VenueSaid) -> None:
        self.count += 1
        self._waiting.append((sequence, given))
        self._something.set()

    async def follow_guard(self) -> None:
        """Hear the guard, without end."""
        subjects = [writer_subjects(self._session_id, "risk")]
        async for delivery in self._context.bus.follow(EVENTS, subjects, self.taken + 1):
            self.guards_words += 1
            event = await self._decoded(delivery)
            self.guards_epoch = max(self.guards_epoch, _epoch_of(event))
            if event is not None and type(event) in HEEDED:
                self._heard(delivery.sequence, GuardSpoke(event))

    async def follow_kills(self, start: int) -> None:
        """Hear kills of everything and of this session from the stream's number `start` on, without end."""
        self.kills_up_to = start - 1
        async for delivery in self._context.bus.follow(CONTROL, KILLS, start):
            self.kills_up_to = delivery.sequence
            command = Command.read(delivery.subject, delivery.payload, delivery.sequence, delivery.stored_at)
            if command.session_id == self._session_id or not _is_identity(command.session_id):
                self.kill(KillHeard(command))

    async def _decoded(self, delivery: Delivery) -> Event | None:
        try:
            event = decode(delivery.subject, delivery.payload)
        except UnknownVersionError as error:
            if parse_event_subject(delivery.subject)[2] in _HEEDED_NAMES:
                raise FatalError(f"the runner must heed message {delivery.sequence} of {EVENTS}: {error}") from None
            await self._put_aside(delivery, str(error))
            return None
        except UndecodableError as error:
            await self._put_aside(delivery, str(error))
            return None
        if isinstance(event, OrderApproved) and not is_signed(event, self._verify):
            await self._put_aside(delivery, "an approval without the guard's signature")
            return None
        return event

    async def _put_aside(self, delivery: Delivery, reason: str) -> None:
        self._context.log.error("put aside", subject=delivery.subject, sequence=delivery.sequence, reason=reason)
        await self._context.bus.deadletter("runner", delivery, reason)


def _epoch_of(event: Event | None) -> int:
    """The epoch of the guard that told `event`, where it says so; whose approval is not signed was put aside before."""
    if isinstance(event, OrderApproved):
        return event.details.epoch
    return (event.metrics.epoch or 0) if isinstance(event, Heartbeat) else 0


def _is_identity(text: str | None) -> bool:
    """Whether `text` names a session; a kill under a garbled name stops everything."""
    try:
        return text is not None and str(UUID(text)) == text
    except ValueError:
        return False
