"""The account as a fold over closes and fills: cash, positions, equity, drawdown and round trips.

Long positions only. All amounts are exact decimals; `fees` and `pnl` are in the quote currency.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from shared.domain.replacing import often_replaced
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed, EquityMarked, EquityMetrics
from shared.schemas.orders import DustLeft, Fill, OrderFilled
from shared.schemas.trusted import trusted
from shared.schemas.values import Side

Key = tuple[str, str]
"""A position's owner and symbol: strategies that run side by side hold separate positions."""

ZERO = Decimal(0)
_NOTHING: Mapping[Key, "Position"] = MappingProxyType({})


@often_replaced
class Position(NamedTuple):
    """An open position and what its round trip has cost and brought so far.

    `qty` is held now; `bought_value` and `sold_value` are quote amounts without fees. `fees` are all fees by their
    worth in the quote currency, `cash_flow` is what truly came into the cash, so a fee taken in units is not in it.
    """

    qty: Decimal
    bought_qty: Decimal
    bought_value: Decimal
    sold_qty: Decimal
    sold_value: Decimal
    fees: Decimal
    cash_flow: Decimal
    opened_at: datetime

    @property
    def entry_price(self) -> Decimal:
        """The average price paid; zero where nothing was bought, as of dust that was taken in."""
        return self.bought_value / self.bought_qty if self.bought_qty else ZERO

    @property
    def value(self) -> Decimal:
        """What the quantity still held has cost, without fees."""
        return self.entry_price * self.qty


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A trade from flat to flat. `pnl` is net of fees, `return_ratio` is pnl over what was paid."""

    strategy: str
    symbol: str
    qty: Decimal
    entry_price: Decimal
    exit_price: Decimal
    opened_at: datetime
    closed_at: datetime
    fees: Decimal
    pnl: Decimal
    return_ratio: Decimal


@often_replaced
class Portfolio(NamedTuple):
    """The account. `drawdown` and `max_drawdown` are shares of the equity's peak at the marks so far.

    `dust` are units too few to be sold: they have their value, but count as no position until one takes them in.
    """

    initial_capital: Decimal
    quote: str
    cash: Decimal
    positions: Mapping[Key, Position] = _NOTHING
    closes: Mapping[str, Decimal] = MappingProxyType({})
    fees: Decimal = ZERO
    trades: int = 0
    wins: int = 0
    peak: Decimal = ZERO
    drawdown: Decimal = ZERO
    max_drawdown: Decimal = ZERO
    dust: Mapping[Key, Decimal] = MappingProxyType({})

    @property
    def losses(self) -> int:
        """Round trips that brought nothing or less."""
        return self.trades - self.wins

    @property
    def exposure(self) -> Decimal:
        """The value of all positions, and of dust, at the last closes."""
        total = ZERO
        for (_, symbol), held in self.positions.items():
            total += held.qty * self.closes[symbol]
        if self.dust:
            for (_, symbol), qty in self.dust.items():
                total += qty * self.closes[symbol]
        return total

    @property
    def equity(self) -> Decimal:
        """Cash and positions at the last closes."""
        return self.cash + self.exposure if self.positions or self.dust else self.cash

    def quantity(self, symbol: str) -> Decimal:
        """Units of `symbol` held by all strategies together."""
        return sum((held.qty for (_, name), held in self.positions.items() if name == symbol), ZERO)

    def held(self, strategy: str, symbol: str) -> Decimal:
        """Units of `symbol` in a strategy's position."""
        position = self.positions.get((strategy, symbol))
        return position.qty if position else ZERO


def opened(initial_capital: Decimal, quote: str) -> Portfolio:
    """An account that holds `initial_capital` in cash."""
    return Portfolio(initial_capital, quote, initial_capital, peak=initial_capital)


def with_close(portfolio: Portfolio, symbol: str, close: Decimal) -> Portfolio:
    """The account with a new last price of `symbol`."""
    return portfolio._replace(closes={**portfolio.closes, symbol: close})


def with_closes(portfolio: Portfolio, closes: Mapping[str, Decimal]) -> Portfolio:
    """The account with new last prices of several symbols."""
    return portfolio._replace(closes={**portfolio.closes, **closes})


def with_fill(portfolio: Portfolio, fill: Fill, at: datetime) -> tuple[Portfolio, RoundTrip | None]:
    """The account after `fill`, and the round trip that it completed, if any.

    A fee in the base asset is taken from the units received or held; a fee in a third asset is not part of the cash.
    """
    key = (fill.strategy, fill.symbol)
    fee = _fee_in_quote(fill, portfolio.quote)
    flow = _cash_flow(fill, portfolio.quote)
    position, dust = portfolio.positions.get(key), portfolio.dust
    if key in dust:
        position, dust = _with_units(position, dust[key], at), {name: qty for name, qty in dust.items() if name != key}
        portfolio = portfolio._replace(dust=dust)
    position = _grown(position, fill, at, portfolio.quote, fee, flow)
    closes = portfolio.closes if fill.symbol in portfolio.closes else {**portfolio.closes, fill.symbol: fill.price}
    others = {name: held for name, held in portfolio.positions.items() if name != key}
    cash, fees = portfolio.cash + flow, portfolio.fees + fee
    if position.qty > ZERO:
        return portfolio._replace(cash=cash, fees=fees, closes=closes, positions={**others, key: position}), None
    trip = _closed(key, position, at)
    trades, wins = portfolio.trades + 1, portfolio.wins + (trip.pnl > ZERO)
    after = portfolio._replace(cash=cash, fees=fees, closes=closes, positions=others, trades=trades, wins=wins)
    return after, trip


def with_dust(portfolio: Portfolio, key: Key, at: datetime) -> tuple[Portfolio, RoundTrip | None]:
    """The account once what is left of a position is set aside, and the round trip that is over by that, if any."""
    position = portfolio.positions.get(key)
    if position is None:
        return portfolio, None
    others = {name: held for name, held in portfolio.positions.items() if name != key}
    after = portfolio._replace(positions=others, dust={**portfolio.dust, key: position.qty})
    if not position.sold_qty:
        return after, None
    trip = _closed(key, position, at)
    return after._replace(trades=after.trades + 1, wins=after.wins + (trip.pnl > ZERO)), trip


def _with_units(position: Position | None, qty: Decimal, at: datetime) -> Position:
    held = position or Position(ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, at)
    return held._replace(qty=held.qty + qty)


def _is_base(fill: Fill, quote: str) -> bool:
    return fill.symbol.removesuffix(quote).removesuffix("/") == fill.fee_asset


def _fee_in_quote(fill: Fill, quote: str) -> Decimal:
    if fill.fee_asset == quote:
        return fill.fee
    return fill.fee * fill.price if _is_base(fill, quote) else ZERO


def _cash_flow(fill: Fill, quote: str) -> Decimal:
    value = fill.qty * fill.price
    paid = fill.fee if fill.fee_asset == quote else ZERO
    return (value if fill.side is Side.SELL else -value) - paid


def _grown(position: Position | None, fill: Fill, at: datetime, quote: str, fee: Decimal, flow: Decimal) -> Position:
    held = position or Position(ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, at)
    value = fill.qty * fill.price
    lost = fill.fee if _is_base(fill, quote) else ZERO
    if fill.side is Side.BUY:
        return held._replace(
            qty=held.qty + fill.qty - lost,
            bought_qty=held.bought_qty + fill.qty,
            bought_value=held.bought_value + value,
            fees=held.fees + fee,
            cash_flow=held.cash_flow + flow,
        )
    return held._replace(
        qty=max(held.qty - fill.qty - lost, ZERO),
        sold_qty=held.sold_qty + fill.qty,
        sold_value=held.sold_value + value,
        fees=held.fees + fee,
        cash_flow=held.cash_flow + flow,
    )


def _closed(key: Key, position: Position, at: datetime) -> RoundTrip:
    strategy, symbol = key
    bought = position.bought_qty > ZERO
    return RoundTrip(
        strategy=strategy,
        symbol=symbol,
        qty=position.sold_qty,
        entry_price=position.entry_price if bought else ZERO,
        exit_price=position.sold_value / position.sold_qty if position.sold_qty else ZERO,
        opened_at=position.opened_at,
        closed_at=at,
        fees=position.fees,
        pnl=position.cash_flow,
        return_ratio=position.cash_flow / position.bought_value if bought else ZERO,
    )


def marked(portfolio: Portfolio) -> Portfolio:
    """The account with peak and drawdown brought up to its present equity."""
    equity = portfolio.equity
    if equity is portfolio.peak and not portfolio.drawdown:
        return portfolio
    if equity >= portfolio.peak:
        return portfolio._replace(peak=equity, drawdown=ZERO)
    drawdown = (portfolio.peak - equity) / portfolio.peak
    return portfolio._replace(drawdown=drawdown, max_drawdown=max(drawdown, portfolio.max_drawdown))


def metrics(portfolio: Portfolio) -> EquityMetrics:
    """The account's figures, as `equity_marked` tells them."""
    equity = portfolio.equity
    figures = {
        "equity": equity,
        "cash": portfolio.cash,
        "exposure": portfolio.exposure,
        "pnl": equity - portfolio.initial_capital,
        "fees": portfolio.fees,
        "drawdown": portfolio.drawdown,
        "max_drawdown": portfolio.max_drawdown,
        "trades": portfolio.trades,
        "wins": portfolio.wins,
        "losses": portfolio.losses,
        "win_rate": portfolio.wins / portfolio.trades if portfolio.trades else 0.0,
    }
    return trusted(EquityMetrics, figures)


def evolve(portfolio: Portfolio, event: Event) -> Portfolio:
    """The account after a fact; facts that don't concern it leave it as it is."""
    fold = _FOLDS.get(type(event))
    return fold(portfolio, event) if fold else portfolio


def _candle_closed(portfolio: Portfolio, event: CandleClosed) -> Portfolio:
    return with_close(portfolio, event.details.symbol, event.details.close)


def _order_filled(portfolio: Portfolio, event: OrderFilled) -> Portfolio:
    return with_fill(portfolio, event.order, event.market_time)[0]


def _dust_left(portfolio: Portfolio, event: DustLeft) -> Portfolio:
    return with_dust(portfolio, (event.details.strategy, event.details.symbol), event.market_time)[0]


def _equity_marked(portfolio: Portfolio, event: EquityMarked) -> Portfolio:
    return marked(portfolio) if event.service == "runner" else portfolio


_FOLDS: Mapping[type[Event], Callable[[Portfolio, Any], Portfolio]] = {
    CandleClosed: _candle_closed,
    OrderFilled: _order_filled,
    DustLeft: _dust_left,
    EquityMarked: _equity_marked,
}
