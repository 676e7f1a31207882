"""Whether the session's own limits make sense: each there, none that refuses everything, none against another."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from services.runner.core.plan import Plan, Sleeve
from services.runner.preflight.finding import Finding, failed, passed, percent, spelled, warned
from services.runner.preflight.market import sent_types
from shared.schemas.session import RiskLimits, SessionConfig

ZERO = Decimal(0)
_LOSS_LIMITS = ("daily_loss_limit", "max_drawdown_limit")
_LIMITS = (
    "max_risk_per_trade",
    "max_position_size",
    "max_open_exposure",
    *_LOSS_LIMITS,
    "max_slippage",
    "max_open_orders",
    "max_orders_per_minute",
    "max_data_age",
    "max_api_errors",
)
_NEVER_ZERO = frozenset(_LIMITS) - {"max_slippage", "max_api_errors"}
_SHORTEST = timedelta(seconds=5)
"""A live bar may come so much later than it closed: its stream is waited for, then REST is asked."""


def risk(prepared: Plan, mode: str) -> Sequence[Finding]:
    """Every flaw of the session's limits, or one line that there is none."""
    config = prepared.config
    found = (
        *_absent(config.risk, real=mode != "dry_run"),
        *_impossible(config.risk),
        *_contradictory(config.risk),
        *_refused_entries(prepared),
        *_unprotected(prepared, real=mode != "dry_run"),
        *_too_quick(config),
        *_allocations(prepared),
    )
    return found or (passed("risk", _summary(config)),)


def _summary(config: SessionConfig) -> str:
    limits = config.risk
    parts = (
        ("a trade", limits.max_risk_per_trade),
        ("a day", limits.daily_loss_limit),
        ("from the peak", limits.max_drawdown_limit),
    )
    told = ", ".join(f"{percent(share)} {what}" for what, share in parts if share is not None)
    return f"may lose at most {told} of {spelled(config.initial_capital)} {config.quote}"


def _absent(limits: RiskLimits, *, real: bool) -> Iterator[Finding]:
    off = [name for name in _LIMITS if getattr(limits, name) is None]
    if real and set(_LOSS_LIMITS) <= set(off):
        yield failed(
            "risk", "nothing ends a losing session: both loss limits are off", f"set {' or '.join(_LOSS_LIMITS)}"
        )
    elif off:
        yield warned("risk", f"turned off: {', '.join(off)}", "set them, unless each was turned off on purpose")


def _impossible(limits: RiskLimits) -> Iterator[Finding]:
    zero = [name for name in _LIMITS if name in _NEVER_ZERO and getattr(limits, name) in (0, timedelta(0))]
    if zero:
        told = f"{', '.join(zero)} of zero refuses or halts everything"
        yield failed("risk", told, 'set them above zero, or write "off"')


def _contradictory(limits: RiskLimits) -> Iterator[Finding]:
    day, peak, trade = limits.daily_loss_limit, limits.max_drawdown_limit, limits.max_risk_per_trade
    if day is not None and peak is not None and day > peak:
        told = f"daily_loss_limit {percent(day)} lies above max_drawdown_limit {percent(peak)} and never counts"
        yield failed("risk", told, "set daily_loss_limit to max_drawdown_limit at most")
    if day is not None and trade is not None and trade > day:
        told = f"one trade may lose {percent(trade)}, more than the daily_loss_limit of {percent(day)}"
        yield failed("risk", told, "set max_risk_per_trade to daily_loss_limit at most")
    position, exposure = limits.max_position_size, limits.max_open_exposure
    if position is not None and exposure is not None and position > exposure:
        told = f"max_position_size {percent(position)} lies above max_open_exposure {percent(exposure)}"
        yield warned("risk", told, "set max_position_size to max_open_exposure at most")


def entry_share(config: SessionConfig, sleeve: Sleeve) -> Decimal:
    """The share of the session's equity that a whole entry of `sleeve` buys for."""
    sizing = config.sizing
    if sizing.method == "fraction" or not sizing.stop_distance:
        return sleeve.allocation * sizing.fraction
    return sleeve.allocation * min(sizing.risk_per_trade / sizing.stop_distance, Decimal(1))


def weighs(prepared: Plan, sleeve: Sleeve) -> bool:
    """Whether the sleeve shares its capital out among all symbols, instead of entering one at a time."""
    return prepared.strategies[sleeve.members[0]].kind == "portfolio"


def _refused_entries(prepared: Plan) -> Iterator[Finding]:
    config, limits = prepared.config, prepared.config.risk
    entry = sent_types(config)[0]
    if entry not in limits.allowed_order_types:
        told = f"entries are {entry} orders, which allowed_order_types leaves out: none would be allowed"
        yield failed("risk", told, f'add "{entry}" to allowed_order_types, or change orders.entry')
    for sleeve in prepared.sleeves:
        if weighs(prepared, sleeve):
            yield from _unstopped(config, sleeve)
        else:
            yield from _too_large(config, sleeve.label, entry_share(config, sleeve))


def _unstopped(config: SessionConfig, sleeve: Sleeve) -> Iterator[Finding]:
    """Whether what a portfolio strategy buys, without stops of its own, may be lost whole."""
    share, limit = sleeve.allocation / len(config.symbols), config.risk.max_risk_per_trade
    if limit and share > limit:
        told = f"{sleeve.label} buys without a stop, up to {percent(share)} at once; max_risk_per_trade is"
        advice = "raise max_risk_per_trade or turn it off, else the guard refuses the larger of its purchases"
        yield warned("risk", f"{told} {percent(limit)}", advice)


def _too_large(config: SessionConfig, label: str, share: Decimal) -> Iterator[Finding]:
    limits = config.risk
    at_stop = share * (config.sizing.stop_distance or Decimal(1))
    held = "its stop is hit" if config.sizing.stop_distance else "its whole value is lost, for it has no stop"
    if limits.max_risk_per_trade and at_stop > limits.max_risk_per_trade:
        told = f"an entry of {label} loses {percent(at_stop)} when {held}; max_risk_per_trade is"
        advice = "lower sizing or sizing.stop_distance; the guard would refuse every such entry"
        yield failed("risk", f"{told} {percent(limits.max_risk_per_trade)}", advice)
    for name in ("max_position_size", "max_open_exposure"):
        limit: Decimal | None = getattr(limits, name)
        if limit and share > limit:
            told = f"an entry of {label} is worth {percent(share)} of the equity; {name} is {percent(limit)}"
            yield failed("risk", told, "lower sizing or the allocation; the guard would refuse every such entry")


def _unprotected(prepared: Plan, *, real: bool) -> Iterator[Finding]:
    config = prepared.config
    distance, cost = config.sizing.stop_distance, 2 * config.paper.taker_fee
    if distance is None:
        if real:
            advice = "set sizing.stop_distance, so that a stop stands at the venue while our processes are down"
            yield warned("risk", "positions have no protective stop", advice)
        return
    if distance <= cost:
        told = f"a stop {percent(distance)} away lies within what buying and selling costs, {percent(cost)}"
        yield failed("risk", told, "set sizing.stop_distance further away, or correct paper.taker_fee")
    positions = len(prepared.sleeves) * len(config.symbols)
    if config.risk.max_open_orders is not None and positions > config.risk.max_open_orders:
        told = f"{positions} positions could have a stop each; max_open_orders is {config.risk.max_open_orders}"
        yield warned("risk", told, f"set max_open_orders to {positions} or more, else entries are refused")


def _too_quick(config: SessionConfig) -> Iterator[Finding]:
    if not config.is_live:
        return
    for name in ("max_data_age", "approval_ttl"):
        length: timedelta | None = getattr(config.risk, name)
        if length and length < _SHORTEST:
            told = f"{name} is {length.total_seconds():g} s, and a bar may come {_SHORTEST.seconds} s after its close"
            yield warned("risk", told, f"set {name} to {_SHORTEST.seconds} s or more, else entries are refused")


def _allocations(prepared: Plan) -> Iterator[Finding]:
    idle = [sleeve.label for sleeve in prepared.sleeves if sleeve.allocation == ZERO]
    if idle:
        yield warned("risk", f"no capital is left for {', '.join(idle)}", "give each an allocation above zero")
