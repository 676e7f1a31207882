"""A session told fact by fact, and the guard that hears it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from services.risk.core.guard import Guard, decide, evolve, initial
from shared.domain import portfolio as accounts
from shared.domain.decider import react
from shared.domain.portfolio import Portfolio
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, TradingHalted
from shared.schemas.identity import derived_id
from shared.schemas.lifecycle import (
    ErrorDetails,
    ErrorRaised,
    FinalMetrics,
    RunnerEnd,
    RunnerStart,
    SessionEnd,
    SessionStart,
)
from shared.schemas.market import Candle, CandleClosed, EquityMarked, MarkDetails
from shared.schemas.orders import (
    Approval,
    Fill,
    Holding,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderState,
    OrderUnknown,
    Reason,
    Ticket,
    VenueAccount,
    VenueObserved,
)
from shared.schemas.session import SessionConfig
from shared.schemas.values import Mode, OrderType, Service, Side

SESSION = "6f1c2f36-5a5e-5b6e-9d3c-0123456789ab"
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_LIMITS = (
    "max_risk_per_trade max_position_size daily_loss_limit max_open_exposure max_drawdown_limit max_slippage "
    "max_open_orders max_orders_per_minute max_data_age max_api_errors"
)
OFF = dict.fromkeys(_LIMITS.split(), "off")
E = TypeVar("E", bound=Event)


def config(symbols: tuple[str, ...] = ("BTCUSDT",), on_stop: str = "flatten", **risk: Any) -> SessionConfig:
    """A session with 10,000 of capital in which only the limits in `risk` are on."""
    return SessionConfig.model_validate(
        {
            "name": "guarded",
            "symbols": symbols,
            "timeframe": "1m",
            "initial_capital": 10_000,
            "on_stop": on_stop,
            "feed": {"kind": "simulated", "start": MONDAY},
            "strategies": [{"name": "ema_crossover"}],
            "risk": {**OFF, **risk},
        }
    )


def at_a_real_venue(**risk: Any) -> SessionConfig:
    """The same at Binance."""
    given = config(**risk).model_copy(update={"venue": "binance"})
    return SessionConfig.model_validate({**given.model_dump(), "feed": "binance"})


def unsigned(session_id: str, intent_id: str, ticket: Ticket, expires_at: datetime) -> Approval:
    """A seal that costs nothing."""
    return Approval(intent_id=intent_id, expires_at=expires_at, epoch=1, signer="UTEST", signature="c2VhbA==")


def ticket(name: str = "a", **given: Any) -> Ticket:
    """A market buy of 1 BTCUSDT at 100, but for what is given; numbers may be written as text."""
    fields: dict[str, Any] = {
        "client_order_id": name,
        "strategy": "ema_crossover",
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "qty": "1",
        "reference_price": "100",
        "purpose": "entry",
        **given,
    }
    for key in ("qty", "price", "stop_price", "reference_price", "protective_stop", "take_profit"):
        if fields.get(key) is not None:
            fields[key] = Decimal(fields[key])
    return Ticket(**fields)


def exit_ticket(name: str = "x", **given: Any) -> Ticket:
    """A reduce-only market sell of 1 BTCUSDT."""
    return ticket(name, **{"side": Side.SELL, "reduce_only": True, "purpose": "exit", **given})


@dataclass
class Story:
    """Tells a runner's facts in order. `now` is the market's clock, `books` the runner's own account."""

    config: SessionConfig = field(default_factory=config)
    session_id: str = SESSION
    now: datetime = MONDAY
    number: int = 0
    mode: Mode = "dry_run"
    before: Mapping[str, Decimal] = field(default_factory=dict)
    books: Portfolio = field(init=False)

    def __post_init__(self) -> None:
        self.books = accounts.opened(self.config.initial_capital, self.config.quote)

    def tell(self, kind: type[E], service: Service = "runner", **fields: Any) -> E:
        """A fact of `kind` at the present market time."""
        self.number += 1
        own = derived_id(self.session_id, "story", self.number)
        fact = kind(
            timestamp=self.now,
            market_time=self.now,
            session_id=self.session_id,
            id=own,
            correlation_id=own,
            causation_id=self.session_id,
            service=service,
            **fields,
        )
        self.books = accounts.evolve(self.books, fact)
        return fact

    def start(self) -> RunnerStart:
        details = SessionStart(
            mode=self.mode,
            config=self.config,
            config_digest=self.config.digest(),
            core_digest="c",
            market_start=self.now,
            holdings_before=tuple(Holding(symbol=symbol, qty=qty) for symbol, qty in self.before.items()),
        )
        return self.tell(RunnerStart, details=details)

    def end(self) -> RunnerEnd:
        metrics = FinalMetrics(
            equity=self.books.equity,
            pnl=Decimal(0),
            fees=Decimal(0),
            max_drawdown=Decimal(0),
            trades=0,
            wins=0,
            losses=0,
            win_rate=0.0,
        )
        return self.tell(
            RunnerEnd, status="success", metrics=metrics, details=SessionEnd(reason="over", open_positions=0)
        )

    def close(self, price: str, symbol: str = "BTCUSDT", after: timedelta = MINUTE) -> CandleClosed:
        """The next bar: opens and closes at `price`, `after` the last one."""
        opened, self.now = self.now, self.now + after
        value = Decimal(price)
        return self.tell(
            CandleClosed, details=Candle(symbol, opened, self.now, value, value, value, value, Decimal(1000))
        )

    def intend(self, order: Ticket) -> OrderIntended:
        return self.tell(OrderIntended, order=order)

    def fill(self, order: Ticket, price: str | None = None, qty: str | None = None, **given: Any) -> OrderFilled:
        """One execution of `order`, whole unless `qty` says otherwise."""
        filled = Decimal(qty) if qty else order.qty
        leaves = order.qty - filled
        fields: dict[str, Any] = {
            "client_order_id": order.client_order_id,
            "trade_id": f"{order.client_order_id}-{self.number}",
            "strategy": order.strategy,
            "symbol": order.symbol,
            "side": order.side,
            "qty": filled,
            "price": Decimal(price) if price else order.reference_price,
            "fee": Decimal(0),
            "fee_asset": "USDT",
            "liquidity": "taker",
            "status": "partially_filled" if leaves else "filled",
            "leaves_qty": leaves,
            "reference_price": order.reference_price,
            **given,
        }
        return self.tell(OrderFilled, order=Fill(**fields))

    def accept(self, order: Ticket) -> OrderAccepted:
        return self.tell(OrderAccepted, order=_state(order, "accepted"))

    def cancel(self, order: Ticket) -> OrderCancelled:
        return self.tell(OrderCancelled, order=_state(order, "cancelled"), details=Reason(reason="taken back"))

    def doubt(self, order: Ticket) -> OrderUnknown:
        return self.tell(OrderUnknown, order=_state(order, "unknown"), details=Reason(reason="no answer"))

    def mark(self, awaits_guard: bool = False) -> EquityMarked:
        """The runner's own mark of its own books."""
        self.books = accounts.marked(self.books)
        return self.tell(
            EquityMarked,
            metrics=accounts.metrics(self.books),
            details=MarkDetails(close_time=self.now, awaits_guard=awaits_guard),
        )

    def tell_halted(self, reason: str) -> TradingHalted:
        """The guard's own word that trading stands still."""
        return self.tell(TradingHalted, "risk", details=Halt(kind="limit", reason=reason))

    def fail(self, api: bool = True) -> ErrorRaised:
        return self.tell(ErrorRaised, error="HTTP 500", details=ErrorDetails(where="venue", api=api))

    def observe(self, orders: Sequence[str] = (), **holdings: str) -> VenueObserved:
        held = tuple(Holding(symbol=symbol, qty=Decimal(qty)) for symbol, qty in holdings.items())
        return self.tell(VenueObserved, details=VenueAccount(open_orders=tuple(orders), holdings=held))


def _state(order: Ticket, status: Any) -> OrderState:
    return OrderState(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        symbol=order.symbol,
        side=order.side,
        qty=order.qty,
        status=status,
        filled_qty=Decimal(0),
    )


@dataclass
class Guarded:
    """A guard that hears a story: `hear` answers what it tells about each fact."""

    story: Story
    guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        self.guard = initial(self.story.session_id)

    def hear(self, *facts: Event) -> list[Event]:
        """Everything that the guard tells about `facts`, in order."""
        told: list[Event] = []
        for fact in facts:
            self.guard, answers = react(evolve, partial(decide, seal=unsigned), self.guard, fact)
            told += answers
        return told

    def learn(self, *facts: Event) -> None:
        """Facts of the guard's own that commands led to."""
        for fact in facts:
            self.guard = evolve(self.guard, fact)

    def judge(self, order: Ticket) -> Event:
        """The one verdict on a new order."""
        (verdict,) = self.hear(self.story.intend(order))
        return verdict

    def refuses(self, order: Ticket) -> str | None:
        """The rule by which the guard refuses the order, None when it approves."""
        verdict = self.judge(order)
        return verdict.details.rule if isinstance(verdict, OrderRefused) else None

    def buy(self, order: Ticket, price: str | None = None) -> None:
        """An approved order that fills whole."""
        assert self.refuses(order) is None
        self.hear(self.story.fill(order, price))


def trading(price: str = "100", symbols: tuple[str, ...] = ("BTCUSDT",), **risk: Any) -> Guarded:
    """A session that has begun and has seen one bar of each symbol at `price`; only the limits in `risk` are on."""
    story = Story(config(symbols, **risk))
    guarded = Guarded(story)
    guarded.hear(story.start())
    for number, symbol in enumerate(symbols):
        guarded.hear(story.close(price, symbol, timedelta() if number else MINUTE))
    return guarded
