"""Goes along a tape: passes over quiet slices, glimpses the others, and leaves the unusual to the ordinary way."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from services.runner.backtest import Market, run
from services.runner.conduct import Conductor
from services.runner.core.causes import of_slice
from services.runner.core.glimpse import Glimpse, decide_on, passed, quiet_ages, rests
from services.runner.core.plan import Plan
from services.runner.core.schedule import is_open
from services.runner.course import Step, ending
from services.runner.feeds.tape import Tape
from services.runner.skimming import guarding
from services.runner.skimming.audience import Audience
from services.runner.skimming.equity import Held, Peaks, Range, held, marks_that_matter, may_matter
from services.runner.skimming.guarding import Guard, Leeway
from services.runner.skimming.handshake import placed
from services.runner.skimming.levels import first_touch, levels
from services.runner.skimming.life import Everyone, Following, is_plain, lived
from services.runner.skimming.voices import Voices
from services.runner.strategies.registry import SymbolStrategy
from shared.domain import portfolio
from shared.domain.portfolio import Portfolio
from shared.schemas.envelope import Event
from shared.schemas.orders import OrderIntended
from shared.venues.paper import Book, match
from shared.venues.port import Report

STRETCH = 512
"""So many slices are passed over at a time, at most."""
SAMPLES = 2400
"""The equity is told so often over a whole tape, at least."""


class Skimmer:
    """Moves a conductor's state and its market along while nothing unusual happens."""

    def __init__(
        self,
        plan: Plan,
        conductor: Conductor,
        market: Market,
        tape: Tape,
        start: datetime,
        audience: Audience,
    ) -> None:
        self._config = plan.config
        self._conductor, self._market, self._tape, self._audience = conductor, market, tape, audience
        self._end = ending(plan.config, start)
        self._voices = Voices([one for one in plan.strategies if isinstance(one, SymbolStrategy)], tape)
        self._leeway = Leeway()
        self._lives_plainly = is_plain(plan.config)
        self._stretch = min(max(len(tape) // SAMPLES, 1), STRETCH)
        self._since = 0
        """The first slice that the state knows nothing of."""

    def steps(self) -> Iterator[Step]:
        """The slices that go the ordinary way; those before each have passed when it is asked for."""
        number, count = 0, len(self._tape)
        while number < count:
            number = self._skim(number)
            if number < count:
                yield self._step(number)
                number += 1

    def _step(self, number: int) -> Step:
        warmup = number < self._config.warmup_bars
        reason = self._end.reason(self._tape.close_time(number), len(self._tape) - 1 - number)
        return Step(self._tape.slice(number), warmup, None if warmup else reason)

    def _skim(self, number: int) -> int:
        """Pass over slices from `number` on; answers the first that is to go the ordinary way."""
        bound = self._bound(number) if self._is_calm() else number
        if bound == number:
            return number
        self._since, self._market.is_plain = number, True
        self._voices.resume(number, self._conductor.state.strategy_states)
        while number < bound:
            number = self._pass_over(number, bound)
            seen, number = number, self._see(number, bound)
            if number == seen or not (self._market.is_plain or self._is_calm()):
                break
        self._catch_up(number)
        return number

    def _is_calm(self) -> bool:
        """Whether slices at which nothing happens change nothing but closes, marks and the age of orders."""
        state, market = self._conductor.state, self._market
        books, account = market.guard, state.portfolio
        books_agree = books.portfolio == account and books.watch.peak == account.peak and not books.watch.api_errors
        return not market.words and rests(state) and books_agree

    def _bound(self, number: int) -> int:
        """The first slice from `number` on that is out of the ordinary: a day begins, the schedule turns, the end."""
        tape, end, count = self._tape, self._end, len(self._tape)
        bound = count - end.reserve
        for instant in (end.at, self._market.guard.watch.day_ends):
            if instant is not None:
                bound = min(bound, bisect_left(range(count), instant, lo=number, key=tape.close_time))
        return max(number, min(bound, self._schedule_turns(number)))

    def _schedule_turns(self, number: int) -> int:
        schedule, now = self._config.schedule, self._conductor.state.market_time
        if now is None or schedule.is_always_open:
            return len(self._tape)
        stretch = range(number, min(number + STRETCH, len(self._tape)))
        as_now = is_open(schedule, now)
        return next((n for n in stretch if is_open(schedule, self._tape.close_time(n)) != as_now), stretch.stop)

    def _pass_over(self, number: int, bound: int) -> int:
        """Pass over quiet slices from `number` on; answers the first that may not be quiet."""
        waking, ages = levels(self._market.book), quiet_ages(self._conductor.state)
        if waking is None:
            return number
        bound = min(bound, self._voices.next_at, bound if ages is None else number + ages)
        account = held(self._conductor.state.portfolio, self._tape)
        while number < bound:
            stop = min(bound, number + self._stretch)
            end = self._within_limits(account, number, first_touch(waking, self._tape, number, stop))
            if end < stop:
                return end
            number = end
            if number < bound:
                self._audience.mark(self._tape.close_time(number - 1), self._value(number - 1))
        return number

    def _within_limits(self, account: Held, start: int, stop: int) -> int:
        """Up to where from `start` on, `stop` at most, the account is sure to stay within its limits."""
        if not account.positions:
            return stop
        while stop > start:
            found = account.range(start, stop)
            if self._leeway.allows(self._market.guard, found):
                self._mark(account, found, start, stop)
                return stop
            stop = start + (stop - start) // 2
        return start

    def _mark(self, account: Held, found: Range, start: int, stop: int) -> None:
        """Leave the peak and the largest drawdown as the marks from `start` to before `stop` leave them."""
        books = self._conductor.state.portfolio
        known = Peaks(float(books.peak), float(books.max_drawdown))
        if may_matter(known, found):
            for number in marks_that_matter(known, account.marks(start, stop), start):
                self._value(number)

    def _value(self, number: int) -> Decimal:
        """Mark the account, here and in the guard's books, at the closes of slice `number`; answers the equity."""
        close_time, closes = self._tape.close_time(number), self._tape.closes(number)
        state, guard = self._conductor.state, self._market.guard
        account = portfolio.marked(portfolio.with_closes(state.portfolio, closes))
        equity = account.equity
        self._conductor.state = state._replace(portfolio=account)
        self._market.guard = guarding.valued(guard, account, equity, closes, close_time)
        return equity

    def _see(self, number: int, bound: int) -> int:
        """See the slice `number`; answers the next one, or the same where it is to go the ordinary way."""
        if number == bound:
            return number
        venue = self._market.book
        reports: Sequence[Report] = ()
        if venue.working:
            symbols = dict.fromkeys(order.ticket.symbol for order in venue.working.values())
            venue, reports = match(venue, [self._tape.candle(number, symbol) for symbol in symbols])
        seen = self._glimpsed(number, self._tape.closes(number), reports)
        while self._lives_plainly and seen.said and number + 1 < bound:
            closes = self._tape.closes(number + 1)
            if not self._live(number, seen, closes):
                break
            number += 1
            if self._voices.next_at > number:
                return number + 1
            venue, seen = self._market.book, self._glimpsed(number, closes, (), told=1)
        return number + 1 if self._glimpse(number, seen, venue) else number

    def _glimpsed(
        self, number: int, closes: Mapping[str, Decimal], reports: Sequence[Report], told: int = 0
    ) -> Glimpse:
        said = self._voices.said_at(number)
        return Glimpse(self._tape.close_time(number), closes, said, reports, number - self._since, told)

    def _live(self, number: int, seen: Glimpse, closes: Mapping[str, Decimal]) -> bool:
        """Let an order live from slice `number` to the next, which has `closes`.

        False, and nothing has happened, where it does not.
        """
        market, tape, at = self._market, self._tape, self._tape.close_time(number + 1)
        following = Following(at, closes, lambda symbol: tape.candle(number + 1, symbol))
        life = lived(Everyone(self._conductor.state, market.guard, market.book), seen, following)
        if life is None:
            return False
        worth = sorted((float(life.decided_equity), float(life.equity)))
        if not self._leeway.allows(life.after.guard, Range(*worth)):
            return False
        self._move_on(number + 2, at, life.after)
        if not seen.told:
            self._audience.mark(seen.close_time, life.decided_equity)
        self._audience.live(life, seen.close_time, at)
        self._audience.mark(at, life.equity)
        market.progress(seen.quiet + 2, at)
        return True

    def _move_on(self, number: int, at: datetime, everyone: Everyone) -> None:
        """All before slice `number` has been seen, up to the close `at`."""
        self._voices.move_on()
        self._since, self._market.now = number, at
        self._conductor.state, self._market.guard, self._market.book = everyone

    def _glimpse(self, number: int, seen: Glimpse, venue: Book) -> bool:
        """See a slice and decide on it; False, and nothing has happened, where it is to go the ordinary way."""
        market, close_time = self._market, seen.close_time
        cause = of_slice(self._conductor.state, close_time, close_time)
        state, facts = decide_on(self._conductor.state, seen, cause)
        worth = state.portfolio.equity
        guard = self._heard(seen, facts, state.portfolio, worth)
        if guard is None:
            self._voices.take_back()
            return False
        self._move_on(number + 1, close_time, Everyone(state, guard, venue))
        if not seen.told:
            self._audience.mark(close_time, worth)
        self._carry_out(facts, len(seen.reports))
        market.progress(seen.quiet + 1, close_time)
        return True

    def _heard(self, seen: Glimpse, facts: Sequence[Event], account: Portfolio, worth: Decimal) -> Guard | None:
        """The guard after the slice; None where it has something to say to the venue's reports or to the mark."""
        if seen.told:
            return self._market.guard
        guard: Guard | None = self._market.guard
        for fact in facts[: len(seen.reports)]:
            guard = guarding.counted(guard, fact) if guard else None
        if guard is None:
            return None
        guard = guarding.valued(guard, account, worth, seen.closes, seen.close_time)
        return guard if self._leeway.allows(guard, Range(float(worth), float(worth))) else None

    def _carry_out(self, facts: Sequence[Event], reported: int) -> None:
        """Tell the slice's facts, and see the orders through that it has led to."""
        market, state = self._market, self._conductor.state
        self._watch(facts)
        market.is_plain = True
        intents = [fact for fact in facts if isinstance(fact, OrderIntended)]
        are_alone = len(intents) == len(state.orders)
        done = placed(state, market.guard, market.book, intents, market.now) if are_alone else None
        if done is None:
            market.judge(facts[reported:])
            run(self._conductor.settle(), market)
        elif intents:
            self._conductor.state, market.guard, market.book, told = done
            self._watch(told)

    def _watch(self, facts: Sequence[Event]) -> None:
        for fact in facts:
            self._audience.watch(fact)

    def _catch_up(self, number: int) -> None:
        """Bring everything up to what is known before slice `number`."""
        if number > self._since:
            close_time, closes = self._tape.close_time(number - 1), self._tape.closes(number - 1)
            last = Glimpse(close_time, closes, {}, (), number - 1 - self._since)
            self._conductor.state, self._market.now = passed(self._conductor.state, last), close_time
            self._value(number - 1)
        states = self._voices.states_before(number)
        self._conductor.state = self._conductor.state._replace(strategy_states=states)
