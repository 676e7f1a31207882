"""Trades a feed without telling its candles and marks: quiet stretches are passed over, all else is decided as ever."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from services.runner.backtest import Progress, Watch, backtest, begun, run
from services.runner.core.plan import Plan
from services.runner.core.state import State
from services.runner.course import opening
from services.runner.feeds.port import Feed
from services.runner.skimming.skimmer import Skimmer
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed, EquityMarked

Curve = Callable[[datetime, Decimal], None]
"""Is told the equity at some closes: wherever something happened, and every so often in between."""


def skim(plan: Plan, feed: Feed, watch: Watch, curve: Curve, progress: Progress | None = None) -> State:
    """As `backtest`, to the same end by the same facts, but for candles and marks: those are not told.

    What those say in sum is in the state; `curve` is told points of the equity. Fast where the feed has a tape and
    strategies look at one symbol at a time.
    """

    def loud(event: Event) -> None:
        if isinstance(event, EquityMarked):
            if event.service == "runner":
                curve(event.details.close_time, event.metrics.equity)
        elif not isinstance(event, CandleClosed):
            watch(event)

    tape = feed.tape()
    if tape is None or any(strategy.kind == "portfolio" for strategy in plan.strategies):
        return backtest(plan, feed, loud, progress)
    start, _ = opening(plan.config, feed.slices())
    conductor, market = begun(plan, feed.description, start, loud, progress)
    skimmer = Skimmer(plan, conductor, market, tape, start, curve)
    return run(conductor.conduct(skimmer.steps()), market)
