"""What the guard does at the venue itself once a runner has not confirmed a kill in time.

Only what is the session's own is touched: orders that this guard has approved or placed, and units that the session's
books hold, never more of them than the account has gained since the session began.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from services.risk.core.confirmation import sellable, tell_shown
from services.risk.core.state import Guard
from shared.schemas.envelope import Event
from shared.schemas.guard import BackstopEngaged, Intervention
from shared.schemas.identity import Cause, Facts, derived_id, guards_order_id, is_guards_order
from shared.schemas.lifecycle import ErrorDetails, ErrorRaised
from shared.schemas.orders import Holding, OrderSubmitted, Ticket, VenueAccount
from shared.schemas.values import OrderType, Side, iso


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take this order back."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Find:
    """Ask what has become of this order, which the venue does not list as open."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Sell:
    """Place this order of the guard's own, whose submission is to be stored first."""

    ticket: Ticket


Step = Cancel | Find | Sell


def is_unconfirmed(guard: Guard) -> bool:
    """Whether a kill stands at a real venue of which nobody has shown the effect."""
    venue = guard.venue
    return guard.is_real and venue.kill is not None and not venue.confirmed


def is_due(guard: Guard, waited: timedelta) -> bool:
    """Whether the guard is to act itself, having waited so long for a kill's confirmation."""
    return is_unconfirmed(guard) and guard.config is not None and waited >= guard.config.risk.kill_patience


def shown(guard: Guard, names: Iterable[str], held: Mapping[str, Decimal]) -> VenueAccount:
    """The session's part of an account with the open orders `names` that holds so much of each symbol's asset."""
    gained = {symbol: qty - guard.venue.before.get(symbol, Decimal(0)) for symbol, qty in held.items()}
    return VenueAccount(
        open_orders=tuple(name for name in names if guard.book.known(name)),
        holdings=tuple(Holding(symbol=symbol, qty=qty) for symbol, qty in gained.items() if qty > 0),
    )


def to_settle(guard: Guard, account: VenueAccount) -> Sequence[Step]:
    """Cancels of what is open, but for the guard's own orders; where nothing is, questions about what may be."""
    known = [order for name in account.open_orders if (order := guard.book.known(name))]
    cancels = [Cancel(each.ticket) for each in known if not _is_own(guard, each.ticket)]
    unlisted = [order.ticket for name, order in guard.book.working.items() if name not in account.open_orders]
    return cancels or [Find(ticket) for ticket in unlisted]


def to_sell(guard: Guard, account: VenueAccount, now: datetime, proof: timedelta) -> Sequence[Sell]:
    """The orders that close what is held, once nothing of the runner's can still arrive at the venue.

    An order that is sent can't arrive later than `proof` after that; none is sent after its approval has expired.
    """
    if guard.config is None or not guard.config.flattens_on_kill or account.open_orders:
        return ()
    own = any(_is_own(guard, order.ticket) for order in guard.book.working.values())
    if own or (guard.book.working and _may_arrive(guard, now, proof)):
        return ()
    wanted = [each for holding in account.holdings for each in _parts(guard, holding)]
    return [Sell(_ticket(guard, number, *each)) for number, each in enumerate(wanted, start=guard.venue.placed)]


def _may_arrive(guard: Guard, now: datetime, proof: timedelta) -> bool:
    assert guard.config is not None
    return bool(guard.approvals) and now <= guard.approvals[-1] + guard.config.risk.approval_ttl + proof


def _is_own(guard: Guard, ticket: Ticket) -> bool:
    return is_guards_order(guard.session_id, ticket.client_order_id)


def _parts(guard: Guard, holding: Holding) -> Iterator[tuple[str, str, Decimal]]:
    """Whose units are to be sold, of which symbol, and how many."""
    left = holding.qty
    for (strategy, symbol), position in guard.portfolio.positions.items():
        qty = sellable(guard, symbol, min(position.qty, left)) if symbol == holding.symbol else Decimal(0)
        if qty:
            left -= qty
            yield strategy, symbol, qty


def _ticket(guard: Guard, number: int, strategy: str, symbol: str, qty: Decimal) -> Ticket:
    return Ticket(
        client_order_id=guards_order_id(guard.session_id, number),
        strategy=strategy,
        symbol=symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        qty=qty,
        reference_price=guard.portfolio.closes[symbol],
        reduce_only=True,
        purpose="flatten",
    )


def engaged(guard: Guard, waited: timedelta, now: datetime) -> Sequence[Event]:
    """The word that the guard acts itself from here on; nothing where that was told."""
    if guard.venue.engaged or guard.venue.kill is None:
        return ()
    reason = f"the runner has not confirmed the kill within {waited.total_seconds():.0f} s"
    facts = facts_of(guard, f"engaged:{guard.venue.kill}", now)
    details = Intervention(reason=reason, waited_seconds=waited.total_seconds())
    facts.tell(BackstopEngaged, message=f"{reason}: the guard acts at the venue itself", details=details)
    return facts.told


def submitted(guard: Guard, sell: Sell, now: datetime) -> Sequence[Event]:
    """The word that the order is about to be sent."""
    facts = facts_of(guard, f"order:{sell.ticket.client_order_id}", now)
    facts.tell(OrderSubmitted, order=sell.ticket, message="placed by the guard itself")
    return facts.told


def observed(guard: Guard, account: VenueAccount, now: datetime) -> Sequence[Event]:
    """What the venue shows after all that was done."""
    facts = facts_of(guard, f"shown:{iso(now)}", now)
    tell_shown(facts, guard, account)
    return facts.told


def failed(guard: Guard, call: str, reason: str, now: datetime) -> Sequence[Event]:
    """The word that the guard could not do at the venue what it wanted to."""
    facts = facts_of(guard, f"failed:{call}:{iso(now)}", now)
    note = f"the guard could not {call}: {reason}; look at the venue yourself"
    facts.tell(ErrorRaised, error=reason, message=note, details=ErrorDetails(where="backstop"))
    return facts.told


def facts_of(guard: Guard, label: str, now: datetime) -> Facts:
    """Facts of the guard's own doing at a session's venue, by a name that a repeat would carry too."""
    name = derived_id(guard.session_id, f"backstop:{label}")
    return Facts(Cause(name, guard.session_id, now, now, name), "risk")
