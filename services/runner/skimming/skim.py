"""Trades a feed without telling its candles and marks: quiet stretches are passed over, all else is decided as ever."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from services.runner.backtest import Progress, begun, run
from services.runner.core.plan import Plan
from services.runner.core.state import State
from services.runner.course import opening
from services.runner.feeds.port import Feed
from services.runner.shadow import backtest_beside
from services.runner.skimming.audience import Audience
from services.runner.skimming.skimmer import Skimmer
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed, EquityMarked


def skim(plan: Plan, feed: Feed, audience: Audience, progress: Progress | None = None) -> State:
    """As `backtest_beside`, to the same end by the same facts, but that candles and marks are not told.

    What those say in sum is in the state. Fast where the feed has a tape, strategies look at one symbol at a time and
    the session has no shadow, whose every mark is told.
    """

    def watch(event: Event) -> None:
        if isinstance(event, EquityMarked):
            if event.service == "runner":
                audience.mark(event.details.close_time, event.metrics.equity)
        elif not isinstance(event, CandleClosed):
            audience.watch(event)

    tape = feed.tape()
    looks_across = any(strategy.kind == "portfolio" for strategy in plan.strategies)
    if tape is None or looks_across or plan.config.shadow is not None:
        return backtest_beside(plan, feed, watch, progress)
    start, _ = opening(plan.config, feed.slices())
    conductor, market = begun(plan, feed.description, start, watch, progress)
    skimmer = Skimmer(plan, conductor, market, tape, start, audience)
    with _without_cycles():
        return run(conductor.conduct(skimmer.steps()), market)


@contextmanager
def _without_cycles() -> Iterator[None]:
    """Leave the search for cycles out: states and facts never form one, and they are what there is to look through."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
