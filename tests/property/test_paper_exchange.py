"""What holds for the simulated exchange whatever is ordered and wherever the market goes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.schemas.market import Candle
from shared.schemas.orders import Fill, Ticket
from shared.schemas.values import OrderType, Side, TimeInForce
from shared.venues.paper import Book, cancel, match, opened, order, submit
from shared.venues.port import Filled, Report
from tests.venues.paper_orders import BTC, ETH, MINUTE, START, bar, session

TICK, LOT = Decimal("0.01"), Decimal("0.001")
SYMBOLS = (BTC, ETH)
HELD = {BTC: Decimal(40), ETH: Decimal(25)}


def prices(low: int = 97_00, high: int = 103_00) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda cents: cents * TICK)


@st.composite
def candles(draw: st.DrawFn, minute: int, symbol: str) -> Candle:
    low, first, last, high = sorted(draw(st.lists(prices(), min_size=4, max_size=4)))
    ends = (first, last) if draw(st.booleans()) else (last, first)
    volume = draw(st.integers(0, 500))
    return bar(f"{ends[0]} {high} {low} {ends[1]}", minute, symbol, str(volume))


@st.composite
def tickets(draw: st.DrawFn, name: str) -> Ticket:
    kind = draw(st.sampled_from(OrderType))
    side = draw(st.sampled_from(Side))
    return Ticket(
        client_order_id=name,
        strategy="any",
        symbol=draw(st.sampled_from(SYMBOLS)),
        side=side,
        type=kind,
        time_in_force=draw(st.sampled_from(TimeInForce)),
        qty=draw(st.integers(1, 20_000)) * LOT,
        price=draw(prices()) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=draw(prices()) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        reference_price=draw(prices()),
        purpose="entry" if side is Side.BUY else "exit",
    )


@dataclass(frozen=True)
class Step:
    """What happens between two slices, and the slice that follows."""

    orders: tuple[Ticket, ...]
    cancelled: tuple[str, ...]
    bars: tuple[Candle, ...]


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    made: list[Step] = []
    for minute in range(draw(st.integers(1, 5))):
        orders = tuple(draw(tickets(f"o-{minute}-{number}")) for number in range(draw(st.integers(0, 3))))
        known = [each.client_order_id for step in made for each in step.orders]
        cancelled = tuple(draw(st.lists(st.sampled_from(known), max_size=2))) if known else ()
        bars = tuple(draw(candles(minute, symbol)) for symbol in SYMBOLS if draw(st.integers(0, 9)) > 0)
        made.append(Step(orders, cancelled, bars))
    return tuple(made)


papers: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "slippage": st.sampled_from(["0", "0.0005", "0.02"]),
        "slippage_jitter": st.sampled_from(["0", "0.001"]),
        "latency": st.sampled_from(["0s", "250ms", "20s", "95s"]),
        "participation": st.sampled_from([None, "0.05", "1"]),
        "seed": st.integers(0, 9),
    }
)


@dataclass(frozen=True)
class Run:
    """The books after each slice, and each slice's reports."""

    books: tuple[Book, ...]
    reports: tuple[tuple[Report, ...], ...]

    @property
    def executions(self) -> list[tuple[int, Fill]]:
        """Every fill with the number of its slice."""
        return [(n, r.fill) for n, told in enumerate(self.reports) for r in told if isinstance(r, Filled)]


def play(paper: dict[str, Any], story: Sequence[Step]) -> Run:
    book = opened(session(paper=paper))._replace(holdings=HELD)
    books, reports = [], []
    for number, step in enumerate(story):
        at = START + number * MINUTE
        for name in step.cancelled:
            book, _ = cancel(book, name, at, "changed my mind")
        for ticket in step.orders:
            book, _ = submit(book, ticket, at)
        book, told = match(book, step.bars)
        books.append(book)
        reports.append(told)
    return Run(tuple(books), tuple(reports))


def ticket_of(story: Sequence[Step], fill: Fill) -> tuple[int, Ticket]:
    """The slice before which the fill's order was sent, and the order."""
    name = fill.client_order_id
    return next((n, each) for n, step in enumerate(story) for each in step.orders if each.client_order_id == name)


def bar_of(story: Sequence[Step], number: int, fill: Fill) -> Candle:
    return next(each for each in story[number].bars if each.symbol == fill.symbol)


@given(papers, steps())
def test_neither_cash_nor_holdings_are_ever_below_zero(paper: dict[str, Any], story: tuple[Step, ...]) -> None:
    for book in play(paper, story).books:
        assert book.cash >= 0
        assert all(held >= 0 for held in book.holdings.values())


@given(papers, steps())
def test_the_account_is_what_the_fills_make_of_it(paper: dict[str, Any], story: tuple[Step, ...]) -> None:
    run = play(paper, story)
    cash, held = Decimal(10000), dict(HELD)
    for _, fill in run.executions:
        sign = 1 if fill.side is Side.BUY else -1
        cash -= sign * fill.qty * fill.price + fill.fee
        held[fill.symbol] += sign * fill.qty
        assert fill.fee == fill.qty * fill.price * Decimal("0.001")
    assert run.books[-1].cash == cash
    assert all(run.books[-1].holdings.get(symbol, 0) == qty for symbol, qty in held.items())


@given(papers, steps())
def test_fills_add_up_to_no_more_than_was_ordered_and_leave_whole_lots(
    paper: dict[str, Any], story: tuple[Step, ...]
) -> None:
    run = play(paper, story)
    filled: dict[str, Decimal] = {}
    for _, fill in run.executions:
        _, ticket = ticket_of(story, fill)
        filled[ticket.client_order_id] = filled.get(ticket.client_order_id, Decimal(0)) + fill.qty
        assert fill.leaves_qty == ticket.qty - filled[ticket.client_order_id] >= 0
        assert fill.qty > 0
        assert fill.leaves_qty % LOT == 0
        assert fill.status == ("partially_filled" if fill.leaves_qty else "filled")
    for name, qty in filled.items():
        state = order(run.books[-1], name)
        assert state is not None
        assert state.filled_qty == qty


@given(papers, steps())
def test_prices_lie_in_the_bars_range_but_for_slippage_and_a_tick(
    paper: dict[str, Any], story: tuple[Step, ...]
) -> None:
    slack = Decimal(paper["slippage"]) + Decimal(paper["slippage_jitter"])
    for number, fill in play(paper, story).executions:
        candle = bar_of(story, number, fill)
        assert candle.low * (1 - slack) - TICK <= fill.price <= candle.high * (1 + slack) + TICK


@given(papers, steps())
def test_limit_orders_fill_at_their_limit_or_better_and_within_the_bar(
    paper: dict[str, Any], story: tuple[Step, ...]
) -> None:
    for number, fill in play(paper, story).executions:
        _, ticket = ticket_of(story, fill)
        if ticket.price is None:
            continue
        candle = bar_of(story, number, fill)
        assert candle.low <= fill.price <= candle.high
        assert fill.price <= ticket.price if fill.side is Side.BUY else fill.price >= ticket.price


@given(papers, steps())
def test_nothing_fills_before_it_is_live(paper: dict[str, Any], story: tuple[Step, ...]) -> None:
    latency = session(paper=paper).paper.latency
    for number, fill in play(paper, story).executions:
        sent, _ = ticket_of(story, fill)
        assert bar_of(story, number, fill).close_time > START + sent * MINUTE + latency


@given(papers, steps(), st.sampled_from(["0.05", "1"]))
def test_no_bar_gives_more_than_its_share_of_volume(paper: dict[str, Any], story: tuple[Step, ...], share: str) -> None:
    taken: dict[tuple[int, str], Decimal] = {}
    for number, fill in play({**paper, "participation": share}, story).executions:
        taken[number, fill.symbol] = taken.get((number, fill.symbol), Decimal(0)) + fill.qty
        assert taken[number, fill.symbol] <= bar_of(story, number, fill).volume * Decimal(share)


@given(papers, steps())
def test_trades_are_numbered_from_one_without_a_gap(paper: dict[str, Any], story: tuple[Step, ...]) -> None:
    executions = play(paper, story).executions
    assert [fill.trade_id for _, fill in executions] == [f"p-{n}" for n in range(1, len(executions) + 1)]


def renamed(story: Sequence[Step]) -> tuple[Step, ...]:
    """The same story in another session: only the names of orders differ."""
    return tuple(
        Step(
            tuple(t.model_copy(update={"client_order_id": f"x{t.client_order_id}"}) for t in step.orders),
            tuple(f"x{name}" for name in step.cancelled),
            step.bars,
        )
        for step in story
    )


@given(papers, steps())
def test_sessions_that_decide_alike_are_filled_alike(paper: dict[str, Any], story: tuple[Step, ...]) -> None:
    first, second = play(paper, story), play(paper, story)
    assert (first.books, first.reports) == (second.books, second.reports)
    other = play(paper, renamed(story))
    assert [(f.trade_id, f.qty, f.price) for _, f in first.executions] == [
        (f.trade_id, f.qty, f.price) for _, f in other.executions
    ]


@given(papers, steps(), st.permutations(SYMBOLS))
def test_the_order_of_a_slices_candles_does_not_matter(
    paper: dict[str, Any], story: tuple[Step, ...], wanted: Sequence[str]
) -> None:
    shuffled = tuple(
        replace(step, bars=tuple(sorted(step.bars, key=lambda candle: wanted.index(candle.symbol)))) for step in story
    )
    assert play(paper, shuffled) == play(paper, story)
