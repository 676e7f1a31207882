"""A session on a live market, from where it stands to its end."""

from collections.abc import Iterator, Mapping

from services.runner.conduct import Conductor
from services.runner.core.state import State
from services.runner.course import Step, ending
from services.runner.hearing import Hearing
from services.runner.keeping import Keeping
from services.runner.live.course import LiveCourse
from services.runner.live.dealing import Dealing
from services.runner.live.opening import Opened
from services.runner.live.slices import Slices
from services.runner.service import Trading
from services.runner.session import Session
from services.runner.setting_up import Options
from shared.runtime import clock
from shared.runtime.companions import accompanied
from shared.runtime.service import Context
from shared.runtime.snapshots import Keeper
from shared.runtime.voice import Voice
from shared.schemas.market import timeframe_of
from shared.schemas.orders import Ticket
from shared.schemas.subjects import CONTROL, event_subject, writer_subjects
from shared.venues.paper import PaperVenue

_AT_THE_VENUE = frozenset({"submitted", "working", "unknown"})


class LiveTrading(Trading):
    """Trades what `opened` holds: on the paper venue in a dry run, else with its account."""

    def __init__(self, context: Context, options: Options, opened: Opened) -> None:
        super().__init__(context, options, opened.config, opened.description, opened.start, opened.before)
        self._market = opened

    async def run(self) -> int:
        """Trade to the session's end; answers the exit status."""
        verify = await self._guards_key()
        found = await self._taken_up(verify)
        state, once = found.state, found.once
        session_id = state.plan.session_id
        hearing = Hearing(self._context, session_id, verify, once, found.sequence)
        voice = Voice(self._context.bus, event_subject(session_id, "runner", "heartbeat"))
        snapshots = self._snapshots(session_id)
        keeping = Keeping(Keeper(snapshots, found.kept_at), voice, hearing, once)
        conductor = Conductor(state, clock.now)
        dealing = self._dealing(conductor, hearing)
        slices = self._slices(state, hearing)
        session = Session(
            self._context,
            conductor,
            dealing or PaperVenue(found.book, found.clock),
            voice,
            hearing,
            keeping,
            verify,
            None,
            self._options.duration,
            LiveCourse(slices, ending(state.plan.config, state.market_start or self._start)),
        )
        commands = await self._context.bus.last_sequence(CONTROL)
        await voice.claim([session.heartbeat()], after=found.own_sequence, on=writer_subjects(session_id, "runner"))
        final = await accompanied(
            session.run(conductor.conduct(self._warmup(state))),
            session.beat(),
            session.watch(),
            voice.keep(),
            hearing.follow_guard(),
            hearing.follow_kills(commands + 1),
            slices.keep(),
            *([dealing.keep()] if dealing else []),
        )
        snapshots.remove()
        self._context.log.info("session over", session=session_id, equity=str(final.portfolio.equity))
        return 0

    def _dealing(self, conductor: Conductor, hearing: Hearing) -> Dealing | None:
        account = self._market.account
        if account is None:
            return None

        def in_flight() -> Mapping[str, Ticket]:
            orders = conductor.state.orders
            return {name: order.ticket for name, order in orders.items() if order.stage in _AT_THE_VENUE}

        return Dealing(account, self._before, in_flight, hearing.hear)

    def _slices(self, state: State, hearing: Hearing) -> Slices:
        """The market from the last slice that was told on; what passed since then is filled in."""
        config = state.plan.config
        last = max(filter(None, (state.market_time, self._start if self._warms_up(state) else None)))
        return Slices(self._market.market, config.symbols, timeframe_of(config.timeframe), last, hearing.wake)

    def _warms_up(self, state: State) -> bool:
        return state.phase != "api_phase"

    def _warmup(self, state: State) -> Iterator[Step]:
        """The history that the strategies have not heard yet."""
        if not self._warms_up(state):
            return
        for candles in self._market.warmup:
            if state.market_time is None or candles[0].close_time > state.market_time:
                yield Step(candles, True, None)
