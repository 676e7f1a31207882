"""A session from where it stands to its end, on the bus: what all kinds of market have in common."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from services.runner import sessions
from services.runner.conduct import Conducting, Conductor
from services.runner.core.lifecycle import Opened, open_session
from services.runner.core.plan import plan
from services.runner.core.state import initial
from services.runner.deciding import core_digest
from services.runner.feeds.port import FeedDescription
from services.runner.hearing import Hearing
from services.runner.keeping import Keeping
from services.runner.live.course import LiveCourse
from services.runner.recollection import Recorded
from services.runner.session import Session
from services.runner.setting_up import Options
from shared.domain.approval import Verify
from shared.domain.once import Once
from shared.runtime import clock
from shared.runtime.companions import accompanied
from shared.runtime.errors import SettingsError
from shared.runtime.keys import verifier
from shared.runtime.service import Context
from shared.runtime.snapshots import Keeper, Snapshots
from shared.runtime.voice import Voice
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, derived_id
from shared.schemas.orders import Balance, Holding
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import CONTROL, EVENTS, event_subject, writer_subjects
from shared.venues.paper import opened as book_of
from shared.venues.port import Venue


class Way(NamedTuple):
    """How a session is traded: by whom, where, and what it has `untold` of the slice that was cut short.

    A live session takes its slices from `market`; `companions` run beside it to its end.
    """

    conductor: Conductor
    venue: Venue
    conducting: Conducting
    untold: Sequence[Event] = ()
    speed: Decimal | None = None
    within: timedelta | None = None
    market: LiveCourse | None = None
    companions: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()


class Trading(ABC):
    """A session from where it stands to its end, on the bus; what kind of market it is on is the subclass's matter.

    `before` is what the account held of each symbol's asset before a session that begins now, `balances` of each asset.
    """

    def __init__(
        self,
        context: Context,
        options: Options,
        config: SessionConfig,
        description: FeedDescription,
        start: datetime,
        before: Mapping[str, Decimal],
        balances: Mapping[str, Decimal],
    ) -> None:
        self._context = context
        self._options = options
        self._config = config
        self._description = description
        self._start = start
        self._before = before
        self._balances = balances

    @abstractmethod
    async def _way(self, left: Recorded, hearing: Hearing) -> Way:
        """How the session goes on from where it was left."""

    async def run(self) -> int:
        """Trade to the session's end; answers the exit status."""
        verify = await self._guards_key()
        left = await self._taken_up(verify)
        session_id, bus = left.state.plan.session_id, self._context.bus
        hearing = Hearing(self._context, session_id, verify, left.once, left.sequence)
        way = await self._way(left, hearing)
        voice = Voice(bus, event_subject(session_id, "runner", "heartbeat"))
        snapshots = self._snapshots(session_id)
        keeping = Keeping(Keeper(snapshots, left.kept_at), voice, hearing, left.once)
        session = Session(
            self._context, way.conductor, way.venue, voice, hearing, keeping, verify, way.speed, way.within, way.market
        )
        commands = await bus.last_sequence(CONTROL)
        await voice.claim([session.heartbeat()], after=left.own_sequence, on=writer_subjects(session_id, "runner"))
        keeping.note(way.untold)
        await voice.say(way.untold)
        final = await accompanied(
            session.run(way.conducting),
            session.beat(),
            session.watch(),
            voice.keep(),
            hearing.follow_guard(),
            hearing.follow_kills(commands + 1),
            *(companion() for companion in way.companions),
        )
        snapshots.remove()
        self._context.log.info("session over", session=session_id, equity=str(final.portfolio.equity))
        return 0

    async def _guards_key(self) -> Verify:
        settings = self._context.settings
        if settings.risk_public_key:
            return verifier(settings.risk_public_key)
        path = settings.risk_public_key_file or settings.data_dir / "keys" / "risk.pub"
        return verifier(await _read_once_there(self._context, path))

    async def _taken_up(self, verify: Verify) -> Recorded:
        """The session to go on with, as the stream holds it: the one left unfinished, or a new one."""
        bus, log = self._context.bus, self._context.log
        left = await sessions.unfinished(bus, self._config.name)
        if left is None:
            return await self._opened()
        snapshots = self._snapshots(left.session_id)
        found = await sessions.recorded(bus, left, verify, snapshots)
        if sessions.continues(left, self._config, self._context.settings.mode):
            self._before = {holding.symbol: holding.qty for holding in left.details.holdings_before} or self._before
            log.info("session goes on", session=left.session_id, slices=found.state.slices)
            if left.details.core_digest != core_digest():
                log.warning("other code began this session; what is still to come may differ from it")
            return found
        log.warning("unfinished session is given up, its settings or its mode differ", session=left.session_id)
        await sessions.abandon(bus, left, found)
        snapshots.remove()
        return await self._opened()

    def _snapshots(self, session_id: str) -> Snapshots:
        return sessions.snapshots_of(self._context.bus, self._context.settings, session_id)

    async def _opened(self) -> Recorded:
        session_id, bus = clock.new_id(), self._context.bus
        name = derived_id(session_id, "open")
        cause = Cause(name, session_id, clock.now(), self._start, name)
        before = [Holding(symbol=symbol, qty=qty) for symbol, qty in self._before.items()]
        balances = [Balance(asset=asset, qty=qty) for asset, qty in self._balances.items()]
        mode = self._context.settings.mode
        opened = Opened(mode, self._description, self._start, core_digest(), before, balances)
        state, facts = open_session(initial(plan(session_id, self._config)), cause, opened)
        others = await bus.last_sequence(EVENTS)
        own = await bus.append(facts, after=0)
        self._context.log.info("session opens", session=session_id, source=self._description.source)
        once = Once()
        for fact in facts:
            once.note(fact)
        return Recorded(state, book_of(self._config), self._start, once, own, others, own)


async def _read_once_there(context: Context, path: Path) -> str:
    waited = 0
    while not path.exists() or not (text := path.read_text(encoding="ascii").strip()):
        if context.stopping.is_set():
            raise SettingsError(f"asked to stop while {path} was awaited, the guard's public key")
        if waited % 20 == 0:
            context.log.warning("waiting for the guard's public key; is the risk service up?", path=str(path))
        waited += 1
        await asyncio.sleep(0.25)
    return text
