"""Whether the session's capital is enough for orders that the venue takes."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from services.runner.core.fitting import to_step, too_small
from services.runner.core.plan import Plan
from services.runner.preflight.finding import Finding, failed, passed, spelled, warned
from services.runner.preflight.risk import entry_share, weighs
from shared.schemas.session import SessionConfig


def order_sizes(prepared: Plan, prices: Mapping[str, Decimal]) -> Finding:
    """Whether every strategy's entry, and the stop that protects it, reach the venue's minimum at today's `prices`."""
    config = prepared.config
    if unpriced := [symbol for symbol in config.symbols if symbol not in prices]:
        told = f"not checked, without a recent price: {', '.join(unpriced)}"
        return warned("order sizes", told, "see that the market is open; orders below a minimum are told and left out")
    if problems := list(_problems(prepared, prices)):
        advice = "raise initial_capital, the allocation or the share that an entry takes"
        return failed("order sizes", "; ".join(problems), advice)
    return passed(
        "order sizes", f"entries and stops reach the minimum with {spelled(config.initial_capital)} {config.quote}"
    )


def _problems(prepared: Plan, prices: Mapping[str, Decimal]) -> Iterator[str]:
    config = prepared.config
    for sleeve in prepared.sleeves:
        share = entry_share(config, sleeve) / (len(config.symbols) if weighs(prepared, sleeve) else 1)
        for symbol in config.symbols:
            if problem := _problem(config, symbol, config.initial_capital * share, prices[symbol]):
                yield f"{sleeve.label} in {symbol}: {problem}"


def _problem(config: SessionConfig, symbol: str, value: Decimal, price: Decimal) -> str | None:
    instrument, distance = config.instrument_of(symbol), config.sizing.stop_distance
    qty = to_step(value / price, instrument.lot_step)
    problem = too_small(instrument, qty, price)
    if problem or not distance:
        return f"an entry of {value:,.2f} {config.quote} is too small: {problem}" if problem else None
    held = to_step(qty * (1 - config.paper.taker_fee), instrument.lot_step)
    lowest = price * (1 - distance)
    if config.orders.stop == "stop_limit":
        lowest *= 1 - config.orders.stop_limit_offset
    problem = too_small(instrument, held, lowest)
    return f"the stop of an entry of {value:,.2f} {config.quote} is too small: {problem}" if problem else None
