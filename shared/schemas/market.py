"""Facts about the market and what strategies read from it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import TypeAdapter

from shared.schemas.envelope import Event, Value
from shared.schemas.values import Instant, Money, Price, Quantity, Ratio, Symbol

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_TIMEFRAME = re.compile(r"([1-9][0-9]{0,5})([smhd])")


@dataclass(frozen=True, slots=True)
class Candle:
    """One closed bar of one instrument. `open_time` is its first instant, `close_time` the first after it."""

    symbol: Symbol
    open_time: Instant
    close_time: Instant
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity


def timeframe_of(text: str) -> timedelta:
    """The length of a bar written as 30s, 1m, 5m, 1h or 1d; ValueError for anything else."""
    match = _TIMEFRAME.fullmatch(text)
    if match is None:
        raise ValueError(f"timeframe {text[:20]!r}: write a whole number and one of s, m, h, d, for example 5m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


class CandleClosed(Event):
    """A bar has closed; the last of those that closed together is followed by `equity_marked`.

    In `strategy_phase` it is history that strategies warm up on, and nothing is traded on it.
    """

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["candle_closed"] = "candle_closed"
    details: Candle


ExchangeStanding = Literal["open", "closing", "extended", "closed"]


class TradingHours(Value):
    """How the exchange of `symbols` stands, and when it next closes or, once closed, opens.

    `closing` is so shortly before the close that the session's positions are to be closed; in `extended` hours limit
    orders alone can be carried out.
    """

    symbols: tuple[Symbol, ...]
    standing: ExchangeStanding
    until: Instant | None = None


class TradingHoursChanged(Event):
    """The exchange has opened, is about to close, or has closed; while it is closed nothing is ordered there."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "recorder"})
    type: Literal["trading_hours_changed"] = "trading_hours_changed"
    details: TradingHours


class Signal(Value):
    """What a strategy wants to hold of a symbol.

    `weight` is the target as a share of the strategy's allocation: 1 is fully long, 0 is flat.
    """

    strategy: str
    symbol: Symbol
    weight: Ratio
    reason: str
    price: Price


class SignalRaised(Event):
    """A strategy, or several combined, changed its mind about a symbol."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    type: Literal["signal_raised"] = "signal_raised"
    details: Signal


class EquityMetrics(Value):
    """The account at the last closes. `exposure` is the value of all positions, `drawdown` a share of the peak."""

    equity: Money
    cash: Money
    exposure: Money
    pnl: Money
    fees: Money
    drawdown: Ratio
    max_drawdown: Ratio
    trades: int
    wins: int
    losses: int
    win_rate: float


class MarkDetails(Value):
    """`awaits_guard`: the runner goes on only when the guard has marked the same bar."""

    close_time: Instant
    awaits_guard: bool = False


class EquityMarked(Event):
    """The account valued at a bar's close: by the runner, and on request by the guard from its own books."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["equity_marked"] = "equity_marked"
    metrics: EquityMetrics
    details: MarkDetails


class ShadowAccount(EquityMetrics):
    """The account that a session's shadow would have at a bar's close, had its orders been sent."""

    close_time: Instant


class ShadowMarked(Event):
    """The shadow's hypothetical account, valued at the same bar's close as the `equity_marked` that caused it."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"recorder"})
    type: Literal["shadow_marked"] = "shadow_marked"
    details: ShadowAccount


CANDLE: TypeAdapter[Candle] = TypeAdapter(Candle)


def bar_close(open_time: datetime, timeframe: str) -> datetime:
    """When the bar that opens at `open_time` closes."""
    return open_time + timeframe_of(timeframe)
