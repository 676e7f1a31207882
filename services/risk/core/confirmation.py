"""What the venue shows after a kill, told as success or failure."""

from collections.abc import Sequence

from services.risk.core.state import Guard
from shared.schemas.envelope import Event
from shared.schemas.guard import KillConfirmed
from shared.schemas.identity import Cause, Facts
from shared.schemas.orders import Holding, VenueAccount, VenueObserved
from shared.schemas.session import SessionConfig


def confirm(guard: Guard, event: VenueObserved) -> Sequence[Event]:
    """Whether a kill has taken effect at the venue; nothing unless the session is killed."""
    if guard.config is None or guard.halt is None or guard.halt.kind != "kill":
        return ()
    done = is_stopped(guard.config, event.details)
    facts = Facts(Cause.of(event), "risk")
    facts.tell(
        KillConfirmed,
        level="warning" if done else "error",
        status="success" if done else "failed",
        message=f"after the kill the venue shows {_shown(event.details)}",
        details=event.details,
    )
    return facts.told


def is_stopped(config: SessionConfig, account: VenueAccount) -> bool:
    """No open order, and no holding of the session's symbols where a kill flattens."""
    held = any(_counts(config, holding) for holding in account.holdings)
    return not account.open_orders and not (config.flattens_on_kill and held)


def _counts(config: SessionConfig, holding: Holding) -> bool:
    rules = config.instrument_of(holding.symbol)
    return holding.symbol in config.symbols and holding.qty > 0 and holding.qty >= max(rules.lot_step, rules.min_qty)


def _shown(account: VenueAccount) -> str:
    holdings = ", ".join(f"{holding.qty} {holding.symbol}" for holding in account.holdings) or "no holdings"
    return f"{len(account.open_orders)} open orders and {holdings}"
