"""The runner's work as a service: find the session, take it up, trade it to its end."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import islice
from pathlib import Path

from services.runner import sessions
from services.runner.begun import rest_of
from services.runner.conduct import Conductor
from services.runner.core.evolve import evolve
from services.runner.core.lifecycle import Opened, open_session, refuse_session
from services.runner.core.plan import PlanError, plan
from services.runner.core.state import State, initial
from services.runner.course import Step, course, opening
from services.runner.deciding import core_digest
from services.runner.feeds.port import Feed, FeedDescription, FeedError
from services.runner.hearing import Hearing
from services.runner.keeping import Keeping
from services.runner.recollection import Recorded
from services.runner.session import Session
from services.runner.setting_up import Options, configured, with_feed
from services.runner.shadow import Shadow, accompanied_by, shadow_plan
from services.runner.strategies.port import StrategyError
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
from shared.schemas.orders import Holding
from shared.schemas.session import SessionConfig
from shared.schemas.subjects import CONTROL, EVENTS, event_subject, writer_subjects
from shared.schemas.values import STACK
from shared.venues.paper import PaperVenue
from shared.venues.paper import opened as book_of

CATCHING_UP = 50
"""So many slices are passed over between two moments for what else the process does."""


async def trade(context: Context, options: Options) -> int:
    """Trade the session that `options` name; answers the exit status, 0 when the session is over."""
    context.ready()
    config = configured(options)
    _refuse_other_venues(config, context)
    try:
        config, feed = with_feed(config, options.candles)
        start, _ = opening(config, feed.slices())
    except FeedError as error:
        await _refuse(context, config, str(error))
        raise SettingsError(str(error)) from None
    try:
        shadow_plan(STACK, config)
        return await StoredTrading(context, options, config, feed, start).run()
    except (StrategyError, PlanError) as error:
        raise SettingsError(f"{options.session}: {error}") from None


def _refuse_other_venues(config: SessionConfig, context: Context) -> None:
    if config.venue != "paper" or context.settings.mode != "dry_run":
        raise SettingsError(
            f"venue {config.venue!r} in mode {context.settings.mode}: on a simulated or recorded market orders go "
            "to the paper venue only; set venue = 'paper' and DRY_RUN=true, or feed = 'binance'"
        )


async def _refuse(context: Context, config: SessionConfig, problem: str) -> None:
    session_id, now = clock.new_id(), clock.now()
    cause = Cause(derived_id(session_id, "open"), session_id, now, now, derived_id(session_id, "open"))
    _, facts = refuse_session(initial(plan(session_id, config)), cause, context.settings.mode, problem)
    await context.bus.append(facts, after=0)


class Trading:
    """What every market's trading begins with: the guard's key, and the session to take up.

    `before` is what the account held of each symbol's asset before a session that begins now.
    """

    def __init__(
        self,
        context: Context,
        options: Options,
        config: SessionConfig,
        description: FeedDescription,
        start: datetime,
        before: Mapping[str, Decimal],
    ) -> None:
        self._context = context
        self._options = options
        self._config = config
        self._description = description
        self._start = start
        self._before = before

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
        if sessions.continues(left, self._config):
            self._before = {holding.symbol: holding.qty for holding in left.details.holdings_before} or self._before
            log.info("session goes on", session=left.session_id, slices=found.state.slices)
            if left.details.core_digest != core_digest():
                log.warning("other code began this session; what is still to come may differ from it")
            return found
        log.warning("unfinished session is given up, its settings differ", session=left.session_id)
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
        opened = Opened(self._context.settings.mode, self._description, self._start, core_digest(), before)
        state, facts = open_session(initial(plan(session_id, self._config)), cause, opened)
        others = await bus.last_sequence(EVENTS)
        own = await bus.append(facts, after=0)
        self._context.log.info("session opens", session=session_id, source=self._description.source)
        once = Once()
        for fact in facts:
            once.note(fact)
        return Recorded(state, book_of(self._config), self._start, once, own, others, own)


class StoredTrading(Trading):
    """A session on a market that is known from its first slice to its last."""

    def __init__(self, context: Context, options: Options, config: SessionConfig, feed: Feed, start: datetime) -> None:
        super().__init__(context, options, config, feed.description, start, {})
        self._feed = feed

    async def run(self) -> int:
        """Trade to the session's end; answers the exit status."""
        verify = await self._guards_key()
        left = await self._taken_up(verify)
        session_id, once = left.state.plan.session_id, left.once
        steps, shadow = course(self._config, self._feed.slices(), self._start), self._shadow(left.state)
        found, untold = await caught_up(left, steps, shadow)
        hearing = Hearing(self._context, session_id, verify, once, found.sequence)
        voice = Voice(self._context.bus, event_subject(session_id, "runner", "heartbeat"))
        snapshots = self._snapshots(session_id)
        keeping = Keeping(Keeper(snapshots, found.kept_at), voice, hearing, once)
        conductor = Conductor(found.state, clock.now)
        session = Session(
            self._context,
            conductor,
            PaperVenue(found.book, found.clock),
            voice,
            hearing,
            keeping,
            verify,
            self._options.speed,
            self._within(),
        )
        commands = await self._context.bus.last_sequence(CONTROL)
        await voice.claim([session.heartbeat()], after=found.own_sequence, on=writer_subjects(session_id, "runner"))
        keeping.note(untold)
        await voice.say(untold)
        final = await accompanied(
            session.run(accompanied_by(shadow, conductor.conduct(steps))),
            session.beat(),
            session.watch(),
            voice.keep(),
            hearing.follow_guard(),
            hearing.follow_kills(commands + 1),
        )
        snapshots.remove()
        self._context.log.info("session over", session=session_id, equity=str(final.portfolio.equity))
        return 0

    def _shadow(self, state: State) -> Shadow | None:
        """The shadow that the session began with, be it in the file still or not."""
        other = shadow_plan(state.plan.session_id, state.plan.config)
        return Shadow(other, self._feed.description, self._start) if other else None

    def _within(self) -> timedelta | None:
        return self._options.duration if self._options.speed is None else None


async def caught_up(found: Recorded, steps: Iterator[Step], shadow: Shadow | None) -> tuple[Recorded, Sequence[Event]]:
    """The session after the slices that were decided on, and what the last of them has yet to tell.

    The slices are passed over, and the shadow, whose state is kept nowhere, follows. FatalError where the last slice
    can't be told to its end.
    """
    decided = found.state.slices - (found.begun is not None)
    for number, step in enumerate(islice(steps, decided)):
        if shadow:
            shadow.recall(step)
        if number % CATCHING_UP == 0:
            await asyncio.sleep(0)
    if found.begun is None:
        return found, ()
    rest = rest_of(found.begun, next(steps, None), shadow)
    if not rest.facts:
        return found, ()
    state = reduce(evolve, rest.facts, found.state)
    return found._replace(state=state, book=rest.book, clock=rest.clock), rest.facts


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
