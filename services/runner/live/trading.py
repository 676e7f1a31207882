"""A session on a live market, from where it stands to its end."""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any

from services.runner.conduct import Conductor
from services.runner.core.state import State
from services.runner.core.todo import KILL, KILLED, obstacle, taken_back_by
from services.runner.course import Step, ending
from services.runner.hearing import Hearing
from services.runner.live.course import LiveCourse
from services.runner.live.dealing import Dealing, Obstacle
from services.runner.live.health import HealthWatch
from services.runner.live.hours import HoursWatch
from services.runner.live.opening import Opened
from services.runner.live.reconciling import Reconciling
from services.runner.live.silence import Silence
from services.runner.live.slices import Slices
from services.runner.live.testnet_record import promoted
from services.runner.preflight.finding import as_check, failures, refusal
from services.runner.recollection import Recorded
from services.runner.setting_up import Options
from services.runner.trading import Trading, Way
from shared.domain.approval import ApprovedOrder, superseded
from shared.runtime import clock
from shared.runtime.errors import RetryableError, SettingsError
from shared.runtime.service import Context
from shared.schemas.commands import Command
from shared.schemas.market import timeframe_of
from shared.schemas.orders import Ticket
from shared.venues.live import Account
from shared.venues.paper import PaperVenue

Companion = Callable[[], Coroutine[Any, Any, None]]
_AT_THE_VENUE = frozenset({"submitted", "working", "unknown"})


class LiveTrading(Trading):
    """Trades what `opened` holds: on the paper venue in a dry run, else with its account."""

    def __init__(self, context: Context, options: Options, opened: Opened) -> None:
        before, balances = opened.before, opened.balances
        super().__init__(context, options, opened.config, opened.description, opened.start, before, balances)
        self._market = opened

    async def _opened(self) -> Recorded:
        """A session that begins now; SettingsError where the preflight forbids it.

        One that goes on is not kept from it: what it has at the venue needs somebody who watches.
        """
        promotion = await promoted(self._context.bus, self._config, self._context.settings)
        findings = (*self._market.findings, *promotion)
        if failures(findings):
            raise SettingsError(refusal(self._config.name, findings))
        return await super()._opened()

    async def _way(self, left: Recorded, hearing: Hearing) -> Way:
        state, account = left.state, self._market.account
        conductor = Conductor(state, clock.now, tuple(map(as_check, self._market.findings)))
        for finding in failures(self._market.findings):
            self._context.log.warning("the preflight failed", check=finding.name, reason=finding.sentence)
        slices = self._slices(state, hearing)
        dealing = self._dealing(account, conductor, hearing) if account else None
        health = HealthWatch(self._market.market, account, self._market.findings, hearing.hear)
        flat_before = state.plan.config.schedule.flat_before_close
        hours = HoursWatch(self._market.market, flat_before, lambda: conductor.state.hours, hearing.hear)
        dealt_with = self._dealt_with(account, dealing, conductor, hearing)
        silence = Silence(
            lambda: hearing.guards_words, lambda: self._context.bus.problem, hearing.hear, state.unguarded
        )
        return Way(
            conductor,
            dealing or PaperVenue(left.book, left.clock),
            conductor.conduct(self._warmup(state)),
            within=self._options.duration,
            market=LiveCourse(slices, ending(state.plan.config, state.market_start or self._start)),
            companions=(slices.keep, health.keep, hours.keep, silence.keep, *dealt_with),
        )

    def _dealt_with(
        self, account: Account | None, dealing: Dealing | None, conductor: Conductor, hearing: Hearing
    ) -> Sequence[Companion]:
        """What looks after the orders at a real venue."""
        if account is None or dealing is None:
            return ()
        symbols = conductor.state.plan.config.symbols
        reconciling = Reconciling(account, symbols, lambda: conductor.state, dealing.look, hearing.hear)
        dealing.reconnected = reconciling.want
        return dealing.keep, reconciling.keep

    def _dealing(self, account: Account, conductor: Conductor, hearing: Hearing) -> Dealing:
        def in_flight() -> Mapping[str, Ticket]:
            orders = conductor.state.orders
            return {name: order.ticket for name, order in orders.items() if order.stage in _AT_THE_VENUE}

        def watched(order: ApprovedOrder) -> Obstacle:
            since = hearing.kills_up_to

            async def in_the_way() -> str | None:
                try:
                    if order.ticket.purpose != "flatten" and await hearing.is_killed_since(since):
                        return KILLED
                except RetryableError as error:
                    return f"it can't be asked whether a kill was stored: {error}"
                if problem := superseded(order.ticket, order.epoch, hearing.guards_epoch):
                    return problem
                return obstacle(conductor.state, order.ticket, order.expires_at, clock.now())

            return in_the_way

        dealing = Dealing(account, self._before, in_flight, watched, hearing.hear)

        def take_back(kill: Command) -> None:
            for name in taken_back_by(conductor.state, kill):
                dealing.take_back(name, KILL)

        hearing.when_killed = take_back
        for order in conductor.state.orders.values():
            if order.stage == "unknown":
                dealing.resolve(order.ticket)
        return dealing

    def _slices(self, state: State, hearing: Hearing) -> Slices:
        """The market from the last slice that was told on; what passed since then is filled in."""
        config = state.plan.config
        last = max(filter(None, (state.market_time, self._start if _warms_up(state) else None)))
        return Slices(
            self._market.market, config.symbols, timeframe_of(config.timeframe), last, hearing.wake, hearing.hear
        )

    def _warmup(self, state: State) -> Iterator[Step]:
        """The history that the strategies have not heard yet."""
        if not _warms_up(state):
            return
        for candles in self._market.warmup:
            if state.market_time is None or candles[0].close_time > state.market_time:
                yield Step(candles, True, None)


def _warms_up(state: State) -> bool:
    return state.phase != "api_phase"
