"""What the venue shows after a kill, told as success or failure."""

from collections.abc import Sequence
from decimal import Decimal

from services.risk.core.state import Guard
from shared.domain.portfolio import ZERO
from shared.schemas.envelope import Event
from shared.schemas.guard import KillConfirmed
from shared.schemas.identity import Cause, Facts, is_guards_order
from shared.schemas.orders import Holding, VenueAccount, VenueObserved


def confirm(guard: Guard, event: VenueObserved) -> Sequence[Event]:
    """Whether a kill has taken effect at the venue; nothing unless the session is killed."""
    if guard.config is None or guard.halt is None or guard.halt.kind != "kill":
        return ()
    facts = Facts(Cause.of(event), "risk")
    tell_shown(facts, guard, event.details)
    return facts.told


def tell_shown(facts: Facts, guard: Guard, account: VenueAccount) -> None:
    """Tell what the venue shows after a kill."""
    done = is_stopped(guard, account)
    facts.tell(
        KillConfirmed,
        level="warning" if done else "error",
        status="success" if done else "failed",
        message=f"after the kill the venue shows {_shown(account)}",
        details=account,
    )


def is_stopped(guard: Guard, account: VenueAccount) -> bool:
    """No open order, and no holding of the session's symbols that can be sold where a kill flattens.

    An order of the guard's own is told to its end first: nobody else would tell what it has sold.
    """
    own = any(is_guards_order(guard.session_id, name) for name in guard.book.working)
    if guard.config is None or account.open_orders or own:
        return False
    return not guard.config.flattens_on_kill or not any(_counts(guard, holding) for holding in account.holdings)


def _counts(guard: Guard, holding: Holding) -> bool:
    if guard.config is None or holding.symbol not in guard.config.symbols:
        return False
    return sellable(guard, holding.symbol, holding.qty) > 0


def sellable(guard: Guard, symbol: str, qty: Decimal) -> Decimal:
    """As much of `qty` as the venue's rules let one order sell; zero where it is dust."""
    assert guard.config is not None
    rules, close = guard.config.instrument_of(symbol), guard.portfolio.closes.get(symbol)
    whole = qty - qty % rules.lot_step if rules.lot_step else qty
    too_little = whole < rules.min_qty or (close is not None and whole * close < rules.min_notional)
    return ZERO if too_little or whole <= ZERO else whole


def _shown(account: VenueAccount) -> str:
    holdings = ", ".join(f"{holding.qty} {holding.symbol}" for holding in account.holdings) or "no holdings"
    return f"{len(account.open_orders)} open orders and {holdings}"
