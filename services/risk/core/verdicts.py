"""The verdict on one intent: approved and signed, or refused by the first rule that it breaks."""

from collections.abc import Callable, Sequence
from datetime import datetime

from services.risk.core import halts
from services.risk.core.conditions import unmet
from services.risk.core.state import MINUTE, Guard
from services.risk.limits.excess import Excess
from services.risk.limits.pricing import highest_price
from services.risk.limits.proposal import Proposal
from services.risk.limits.reduction import long_only, reduce_only
from services.risk.limits.rules import broken_order_rule, broken_standing_rules
from shared.domain.portfolio import ZERO
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, Facts
from shared.schemas.orders import Approval, OrderApproved, OrderIntended, OrderRefused, Refusal, Ticket
from shared.schemas.session import SessionConfig
from shared.schemas.values import Side, plain

Seal = Callable[[str, str, Ticket, datetime], Approval]
"""Signs (session id, intent id, ticket, expiry) into an approval."""


def judge(guard: Guard, event: OrderIntended, seal: Seal) -> Sequence[Event]:
    """Exactly one verdict for a new intent; nothing for one that was judged before and has not changed."""
    known = guard.book.known(event.order.client_order_id)
    if known is None:
        return _verdict(guard, event, seal)
    if known.ticket == event.order:
        return ()
    return _refuse(event, Excess("duplicate_order", "one order a name", "another order under a name already used"))


def _verdict(guard: Guard, event: OrderIntended, seal: Seal) -> Sequence[Event]:
    if guard.config is None:
        return _refuse(event, Excess("halted", "a session with limits", "no runner_start of this session is known"))
    excess = broken_rule(guard, guard.config, event.order, event.market_time)
    return _refuse(event, excess) if excess else approve(guard.config, event, seal)


def broken_rule(guard: Guard, config: SessionConfig, ticket: Ticket, at: datetime) -> Excess | None:
    """The rule that an order breaks at `at`, if any. What reduces a position is free of every limit and every halt."""
    if guard.venue.engaged:
        return Excess("backstop", "no order of the runner's", "the guard itself acts at the venue until a resume")
    proposal = propose(guard, ticket, at)
    if ticket.reduce_only:
        return reduce_only(proposal)
    if guard.halt is not None:
        return halts.refusal(guard.halt)
    if missing := unmet(guard, at):
        return missing[0]
    standing = broken_standing_rules(guard.watch.standing(proposal.equity), config.risk)
    return standing[0] if standing else long_only(proposal) or broken_order_rule(proposal, config.risk)


def propose(guard: Guard, ticket: Ticket, at: datetime) -> Proposal:
    """The order beside the guard's own books."""
    account, book, symbol = guard.portfolio, guard.book, ticket.symbol
    close = account.closes.get(symbol)
    buys = ticket.side is Side.BUY
    return Proposal(
        ticket=ticket,
        market_time=at,
        equity=account.equity,
        close=close,
        closed_at=guard.closed_at.get(symbol),
        added=ticket.qty * highest_price(ticket, close) if buys else ZERO,
        symbol_value=account.quantity(symbol) * (close or ZERO) + book.buying(symbol),
        exposure=account.exposure + book.buying(),
        sellable=account.held(ticket.strategy, symbol) - book.selling(ticket.strategy, symbol),
        open_orders=len(book.working),
        recent_orders=sum(1 for approved_at in guard.approvals if approved_at > at - MINUTE),
    )


def approve(config: SessionConfig, event: OrderIntended, seal: Seal) -> Sequence[Event]:
    """The approval of an intent that breaks no rule."""
    expires_at = event.market_time + config.risk.approval_ttl
    facts = Facts(Cause.of(event), "risk")
    facts.tell(
        OrderApproved,
        phase=event.phase,
        order=event.order,
        details=seal(event.session_id, event.id, event.order, expires_at),
    )
    return facts.told


def _refuse(event: OrderIntended, excess: Excess) -> Sequence[Event]:
    ticket = event.order
    facts = Facts(Cause.of(event), "risk")
    facts.tell(
        OrderRefused,
        phase=event.phase,
        message=f"{ticket.side} {plain(ticket.qty)} {ticket.symbol} refused by {excess.rule}: "
        f"allowed {excess.limit}, seen {excess.observed}",
        order=ticket,
        details=Refusal(intent_id=event.id, rule=excess.rule, limit=excess.limit, observed=excess.observed),
    )
    return facts.told
