"""How much to order, and at which exact prices."""

from decimal import Decimal

from services.runner.core.fitting import fitted, to_step, too_small
from services.runner.core.state import State
from shared.domain.portfolio import Key
from shared.schemas.orders import Dust
from shared.schemas.session import SessionConfig
from shared.schemas.values import Side

ONE = Decimal(1)
ZERO = Decimal(0)


def entry_qty(state: State, allocation: Decimal, weight: Decimal, symbol: str, price: Decimal) -> Decimal:
    """Units that an entry buys: as `sizing` says, within the sleeve's allocation and the cash at hand."""
    config = state.plan.config
    equity = state.portfolio.equity * allocation
    wanted = _wanted_notional(config, equity) * weight
    affordable = min(wanted, equity, spendable(state))
    at_market = config.orders.entry == "market"
    return fitted(config.instrument_of(symbol), max(affordable, ZERO) / price, price, market=at_market)


def _wanted_notional(config: SessionConfig, equity: Decimal) -> Decimal:
    sizing = config.sizing
    if sizing.method == "fraction" or not sizing.stop_distance:
        return equity * sizing.fraction
    return equity * sizing.risk_per_trade / sizing.stop_distance


def spendable(state: State) -> Decimal:
    """Cash that no working buy has spoken for, less what fees and slippage may take of it."""
    paper = state.plan.config.paper
    reserved = ZERO
    for order in state.orders.values():
        ticket = order.ticket
        if ticket.side is Side.BUY:
            reserved += ticket.notional * (ticket.qty - order.filled_qty) / ticket.qty
    return (state.portfolio.cash - reserved) / (ONE + paper.taker_fee + paper.slippage + paper.slippage_jitter)


def protective_stop(config: SessionConfig, symbol: str, price: Decimal) -> Decimal | None:
    """Where the stop of a long position entered at `price` stands; None without a stop distance."""
    if not config.sizing.stop_distance:
        return None
    return to_step(price * (ONE - config.sizing.stop_distance), config.instrument_of(symbol).tick_size)


def dust_of(state: State, key: Key) -> Dust | None:
    """What is left of a position where it is too little for any order, and none is under way; else None."""
    held = state.portfolio.held(*key)
    if held <= ZERO or state.orders_of(key):
        return None
    instrument = state.plan.config.instrument_of(key[1])
    reason = too_small(instrument, to_step(held, instrument.lot_step), state.portfolio.closes[key[1]])
    return Dust(strategy=key[0], symbol=key[1], qty=held, reason=reason) if reason else None
