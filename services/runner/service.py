"""The runner's work as a service: find the session, take it up, trade it to its end."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from itertools import islice

from services.runner.begun import rest_of
from services.runner.conduct import Conductor
from services.runner.core.evolve import evolve
from services.runner.core.lifecycle import refuse_session
from services.runner.core.plan import PlanError, plan
from services.runner.core.state import State, initial
from services.runner.course import Step, course, opening
from services.runner.feeds.port import Feed, FeedError
from services.runner.hearing import Hearing
from services.runner.live.opening import LiveMarket
from services.runner.live.trading import LiveTrading
from services.runner.recollection import Recorded
from services.runner.setting_up import Options, configured, paper_obstacle, with_feed
from services.runner.shadow import Shadow, accompanied_by, shadow_plan
from services.runner.strategies.port import StrategyError
from services.runner.trading import Trading, Way
from shared.runtime import clock
from shared.runtime.errors import SettingsError
from shared.runtime.service import Context
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, derived_id
from shared.schemas.session import SessionConfig
from shared.schemas.values import STACK
from shared.venues.paper import PaperVenue

CATCHING_UP = 50
"""So many slices are passed over between two moments for what else the process does."""


async def trade(context: Context, options: Options) -> int:
    """Trade the session that `options` name; answers the exit status, 0 when the session is over."""
    context.ready()
    config = configured(options)
    try:
        if config.is_live and not options.candles:
            return await _trade_live(context, options, config)
        return await _trade_stored(context, options, config)
    except (StrategyError, PlanError) as error:
        raise SettingsError(f"{options.session}: {error}") from None


async def _trade_live(context: Context, options: Options, config: SessionConfig) -> int:
    async with LiveMarket(config, context.settings) as market:
        return await LiveTrading(context, options, await market.opened()).run()


async def _trade_stored(context: Context, options: Options, config: SessionConfig) -> int:
    if wrong := paper_obstacle(config, context.settings.mode):
        raise SettingsError(wrong)
    try:
        config, feed = with_feed(config, options.candles)
        start, _ = opening(config, feed.slices())
    except FeedError as error:
        await _refuse(context, config, str(error))
        raise SettingsError(str(error)) from None
    shadow_plan(STACK, config)
    return await StoredTrading(context, options, config, feed, start).run()


async def _refuse(context: Context, config: SessionConfig, problem: str) -> None:
    session_id, now = clock.new_id(), clock.now()
    cause = Cause(derived_id(session_id, "open"), session_id, now, now, derived_id(session_id, "open"))
    _, facts = refuse_session(initial(plan(session_id, config)), cause, context.settings.mode, problem)
    await context.bus.append(facts, after=0)


class StoredTrading(Trading):
    """A session on a market that is known from its first slice to its last."""

    def __init__(self, context: Context, options: Options, config: SessionConfig, feed: Feed, start: datetime) -> None:
        super().__init__(context, options, config, feed.description, start, {}, {})
        self._feed = feed

    async def _way(self, left: Recorded, hearing: Hearing) -> Way:
        steps, shadow = course(self._config, self._feed.slices(), self._start), self._shadow(left.state)
        found, untold = await caught_up(left, steps, shadow)
        conductor = Conductor(found.state, clock.now)
        return Way(
            conductor,
            PaperVenue(found.book, found.clock),
            accompanied_by(shadow, conductor.conduct(steps)),
            untold,
            speed=self._options.speed,
            within=self._options.duration if self._options.speed is None else None,
        )

    def _shadow(self, state: State) -> Shadow | None:
        """The shadow that the session began with, be it in the file still or not."""
        other = shadow_plan(state.plan.session_id, state.plan.config)
        return Shadow(other, self._description, self._start) if other else None


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
