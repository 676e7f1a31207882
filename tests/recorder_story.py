"""A whole session as a list of facts: buys and sells every few bars on a seeded walk, with refusals and a halt."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from shared.domain import portfolio as books
from shared.domain.portfolio import Portfolio
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, Resumption, TradingHalted, TradingResumed
from shared.schemas.identity import Cause, Facts, client_order_id, derived_id
from shared.schemas.lifecycle import (
    FinalMetrics,
    PhaseEnd,
    PhaseStart,
    RunnerEnd,
    RunnerStart,
    SessionEnd,
    SessionStart,
)
from shared.schemas.market import Candle, CandleClosed, EquityMarked, MarkDetails, ShadowAccount, ShadowMarked
from shared.schemas.orders import (
    Approval,
    Fill,
    OrderAccepted,
    OrderApproved,
    OrderFilled,
    OrderIntended,
    OrderRefused,
    OrderState,
    OrderSubmitted,
    Refusal,
    Ticket,
)
from shared.schemas.session import SessionConfig
from shared.schemas.values import OrderType, Service, Side

SESSION = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WALL = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def config(name: str = "demo", shadow: str | None = None) -> SessionConfig:
    """A session file's content, with the strategy of its shadow if it has one."""
    return SessionConfig.model_validate(
        {
            "name": name,
            "symbols": ["BTCUSDT"],
            "timeframe": "1m",
            "initial_capital": "10000",
            "feed": {"kind": "simulated", "start": START},
            "strategies": [{"name": "ema_crossover"}],
            "shadow": shadow and {"strategies": [{"name": shadow}]},
        }
    )


@dataclass
class Story:
    """Tells the facts of one session one after the other."""

    session_id: str = SESSION
    name: str = "demo"
    seed: int = 1
    shadow: str | None = None
    at: datetime = START
    step: int = 0
    account: Portfolio = field(default_factory=lambda: books.opened(Decimal(10_000), "USDT"))
    price: Decimal = Decimal("100.00")

    def tell(self, kind: type[Event], service: Service = "runner", **fields: Any) -> Event:
        """One fact, a millisecond of wall time after the last."""
        self.step += 1
        instant = WALL + timedelta(milliseconds=self.step)
        cause = Cause(
            derived_id(self.session_id, "cause", self.step), self.session_id, instant, self.at, self.session_id
        )
        event = Facts(cause, service).tell(kind, **fields)
        self.account = books.evolve(self.account, event)
        return event

    def begin(self) -> Iterator[Event]:
        """The start, the two preparing phases, and the guard's word."""
        settings = config(self.name, self.shadow)
        start = SessionStart(
            mode="dry_run", config=settings, config_digest=settings.digest(), core_digest="c", market_start=START
        )
        yield self.tell(RunnerStart, details=start)
        for phase in ("data_phase", "strategy_phase"):
            yield self.tell(PhaseStart, phase=phase)
            yield self.tell(PhaseEnd, phase=phase, status="success")
        yield self.tell(PhaseStart, phase="api_phase")
        yield self.tell(TradingResumed, "risk", details=Resumption(reason="session started", operator="guard"))

    def bar(self, close: Decimal) -> Iterator[Event]:
        """A candle, the account's mark and that of a shadow which never trades, if there is one."""
        opened, self.price = self.at, close
        self.at += timedelta(minutes=1)
        candle = Candle(
            symbol="BTCUSDT", open_time=opened, close_time=self.at, open=close, high=close, low=close, close=close,
            volume=Decimal(10),
        )  # fmt: skip
        yield self.tell(CandleClosed, phase="api_phase", details=candle)
        yield self.tell(
            EquityMarked,
            phase="api_phase",
            metrics=books.metrics(books.marked(self.account)),
            details=MarkDetails(close_time=self.at),
        )
        if self.shadow:
            untouched = books.metrics(books.opened(Decimal(10_007), "USDT")).model_dump()
            yield self.tell(ShadowMarked, phase="api_phase", details=ShadowAccount(**untouched, close_time=self.at))

    def order(self, side: Side, qty: Decimal, number: int) -> Iterator[Event]:
        """An order from the intent to its one fill at the last price."""
        ticket = self._ticket(side, qty, number)
        yield self.tell(OrderIntended, order=ticket)
        approval = Approval(
            intent_id=self.session_id, expires_at=self.at, epoch=1, signer="guard", signature="signature"
        )
        yield self.tell(OrderApproved, "risk", order=ticket, details=approval)
        yield self.tell(OrderSubmitted, order=ticket)
        yield self.tell(OrderAccepted, order=self._state(ticket, "accepted", f"v-{number}"))
        yield self.tell(OrderFilled, order=self._fill(ticket))

    def refusal(self, rule: str, number: int) -> Iterator[Event]:
        """An order that the guard forbids by `rule`."""
        ticket = self._ticket(Side.BUY, Decimal(1), number)
        yield self.tell(OrderIntended, order=ticket)
        yield self.tell(OrderRefused, "risk", order=ticket, details=Refusal(intent_id=self.session_id, rule=rule))

    def halt(self, reason: str) -> Iterator[Event]:
        """A pause by an operator and its end."""
        yield self.tell(TradingHalted, "risk", details=Halt(kind="pause", reason=reason, operator="ann"))
        yield self.tell(TradingResumed, "risk", details=Resumption(reason="all well", operator="ann"))

    def end(self, status: str = "success") -> Iterator[Event]:
        """The last phase and the session end."""
        marks = books.metrics(self.account).model_dump(include=set(FinalMetrics.model_fields))
        yield self.tell(PhaseEnd, phase="api_phase", status="success")
        yield self.tell(
            RunnerEnd, status=status, metrics=FinalMetrics(**marks), details=SessionEnd(reason="done", open_positions=0)
        )

    def whole(self, bars: int = 40) -> list[Event]:
        """A session of `bars` bars that trades every fifth."""
        return [*self.begin(), *self._trading(bars), *self.end()]

    def _trading(self, bars: int) -> Iterator[Event]:
        walk = Random(self.seed)
        for number in range(bars):
            yield from self.bar(
                (self.price * Decimal(str(round(1 + walk.gauss(0, 0.01), 4)))).quantize(Decimal("0.01"))
            )
            if number % 10 == 2:
                yield from self.order(Side.BUY, Decimal("1.5"), number)
            elif number % 10 == 7:
                yield from self.order(Side.SELL, Decimal("1.5"), number)
            elif number % 13 == 5:
                yield from self.refusal("max_position_size", number)
            elif number == 15:
                yield from self.halt("lunch")

    def _ticket(self, side: Side, qty: Decimal, number: int) -> Ticket:
        return Ticket(
            client_order_id=client_order_id(self.session_id, number), strategy="ema_crossover", symbol="BTCUSDT",
            side=side, type=OrderType.MARKET, qty=qty, reference_price=self.price,
            purpose="entry" if side is Side.BUY else "exit",
        )  # fmt: skip

    def _state(self, ticket: Ticket, status: Any, venue_order_id: str) -> OrderState:
        return OrderState(
            client_order_id=ticket.client_order_id, strategy=ticket.strategy, symbol=ticket.symbol, side=ticket.side,
            qty=ticket.qty, status=status, filled_qty=Decimal(0), venue_order_id=venue_order_id,
        )  # fmt: skip

    def _fill(self, ticket: Ticket) -> Fill:
        return Fill(
            client_order_id=ticket.client_order_id, trade_id=f"t-{self.step}", strategy=ticket.strategy,
            symbol=ticket.symbol, side=ticket.side, qty=ticket.qty, price=self.price,
            fee=ticket.qty * self.price * Decimal("0.001"), fee_asset="USDT", liquidity="taker", status="filled",
            leaves_qty=Decimal(0), reference_price=self.price,
        )  # fmt: skip
