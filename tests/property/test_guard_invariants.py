"""What must hold of the guard whatever happens."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.schemas.guard import Halt, Resumption, TradingHalted, TradingResumed
from shared.schemas.orders import OrderApproved, OrderRefused
from tests.guard_story import Guarded, exit_ticket, ticket, trading

PRICES = st.integers(50, 200)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("close"), PRICES),
        st.tuples(st.just("buy"), st.integers(1, 80)),
        st.tuples(st.just("exit"), st.integers(1, 80)),
        st.tuples(st.just("fill"), st.integers(0, 5)),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("kill"), st.just(0)),
        st.tuples(st.just("resume"), st.just(0)),
        st.tuples(st.just("mark"), st.just(0)),
    ),
    max_size=40,
)


class Play:
    """Random facts in an order that could happen; what the guard must never do is asserted on the way."""

    def __init__(self, **risk: Any) -> None:
        self.guarded: Guarded = trading(**risk)
        self.killed = False

    def act(self, number: int, kind: str, value: int) -> None:
        getattr(self, f"_{kind}")(number, value)

    def _close(self, _: int, price: int) -> None:
        self.guarded.hear(self.guarded.story.close(str(price)))

    def _buy(self, number: int, qty: int) -> None:
        close = self.guarded.guard.portfolio.closes["BTCUSDT"]
        self._judge(ticket(f"b{number}", qty=str(qty), reference_price=close))

    def _exit(self, number: int, qty: int) -> None:
        close = self.guarded.guard.portfolio.closes["BTCUSDT"]
        self._judge(exit_ticket(f"x{number}", qty=str(qty), reference_price=close))

    def _judge(self, order: Any) -> None:
        verdict = self.guarded.judge(order)
        assert isinstance(verdict, OrderApproved | OrderRefused)
        assert not (self.killed and isinstance(verdict, OrderApproved) and not order.reduce_only)
        if isinstance(verdict, OrderApproved) and not order.reduce_only:
            self._within_exposure()

    def _within_exposure(self) -> None:
        guard = self.guarded.guard
        assert guard.config is not None
        bound = guard.config.risk.max_open_exposure
        assert bound is not None
        assert guard.portfolio.exposure + guard.book.buying() <= bound * guard.portfolio.equity

    def _fill(self, _: int, which: int) -> None:
        for order in list(self.guarded.guard.book.working.values())[which : which + 1]:
            close = str(self.guarded.guard.portfolio.closes["BTCUSDT"])
            self.guarded.hear(self.guarded.story.fill(order.ticket, close))

    def _cancel(self, _: int, which: int) -> None:
        for order in list(self.guarded.guard.book.working.values())[which : which + 1]:
            self.guarded.hear(self.guarded.story.cancel(order.ticket))

    def _kill(self, *_: int) -> None:
        halt = Halt(kind="kill", reason="stop")
        self.guarded.learn(self.guarded.story.tell(TradingHalted, "risk", details=halt))
        self.killed = True

    def _resume(self, *_: int) -> None:
        word = Resumption(reason="go", operator="anna")
        self.guarded.learn(self.guarded.story.tell(TradingResumed, "risk", details=word))
        self.killed = False

    def _mark(self, *_: int) -> None:
        told = self.guarded.hear(self.guarded.story.mark())
        assert all(fact.details.limit != "books" for fact in told if fact.type == "limit_breached")


@given(STEPS)
def test_no_approval_while_killed_and_exposure_never_above_its_limit(steps: list[tuple[str, int]]) -> None:
    play = Play(max_open_exposure="0.8", daily_loss_limit="0.2", max_orders_per_minute=5)
    for number, (kind, value) in enumerate(steps):
        play.act(number, kind, value)


@given(STEPS)
def test_approved_sells_never_exceed_what_is_held(steps: list[tuple[str, int]]) -> None:
    play = Play(max_open_exposure="1")
    for number, (kind, value) in enumerate(steps):
        play.act(number, kind, value)
        guard = play.guarded.guard
        claimed = guard.book.selling("ema_crossover", "BTCUSDT")
        assert Decimal(0) <= claimed <= guard.portfolio.held("ema_crossover", "BTCUSDT")
