"""An order's whole life over two slices, where nobody objects to it: decided at a close, filled within the next bar.

Guard and venue are asked by their own rules, and the account moves by its own; only the way of the facts from one to
the next is cut short. What comes out is what runner, guard and venue come to fact by fact.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.runner.core.glimpse import Glimpse, passed
from services.runner.core.pursue import wish_for
from services.runner.core.state import Goal, State
from services.runner.skimming import guarding
from services.runner.skimming.guarding import Guard
from shared.domain import portfolio
from shared.domain.portfolio import RoundTrip
from shared.schemas.market import Candle
from shared.schemas.orders import Fill, Ticket
from shared.schemas.session import SessionConfig
from shared.schemas.values import Side
from shared.venues.paper import Book
from shared.venues.paper.at_once import Executed, execute
from shared.venues.paper.book import Working


class Everyone(NamedTuple):
    """Runner, guard and venue."""

    state: State
    guard: Guard
    book: Book


class Following(NamedTuple):
    """The slice after the one in which an order is decided, its candles made for whom asks for one."""

    close_time: datetime
    closes: Mapping[str, Decimal]
    candle: Callable[[str], Candle]


class Life(NamedTuple):
    """Everyone after the order has filled, and what is to be told of it.

    `decided` is the runner at the close at which the order was decided on, its goal set, with its equity then;
    `reported` is how many reports had been told of that slice, `accepted` the order as it stood at the venue.
    """

    after: Everyone
    equity: Decimal
    decided: State
    decided_equity: Decimal
    reported: int
    ticket: Ticket
    accepted: Working
    fill: Fill
    trip: RoundTrip | None


def is_plain(config: SessionConfig) -> bool:
    """Whether a session's orders fill whole in the bar after their decision, as long as the cash suffices."""
    at_market = config.orders.entry == "market" and not config.sizing.stop_distance
    return at_market and not config.paper.latency and config.paper.participation is None


def lived(before: Everyone, seen: Glimpse, following: Following) -> Life | None:
    """The order to which a single new stance leads, filled in the slice `following`; None where there is more to it."""
    decided = _decided(before, seen)
    if decided is None:
        return None
    equity = decided.portfolio.equity
    ticket = wish_for(decided, next(iter(decided.fresh)), at_slice_end=True)
    guard = guarding.valued(before.guard, decided.portfolio, equity, seen.closes, seen.close_time)
    if not isinstance(ticket, Ticket) or not guarding.is_approved(guard, ticket, seen.close_time):
        return None
    executed = execute(before.book, ticket, seen.close_time, following.candle(ticket.symbol))
    if executed is None:
        return None
    life = _settled(Everyone(decided, guard, executed.book), equity, ticket, executed, following)
    return life and life._replace(reported=seen.told)


def _decided(before: Everyone, seen: Glimpse) -> State | None:
    """The runner once it knows its new goal; None unless that is the only one, and nothing stands in its way."""
    if before.state.orders or before.state.halt is not None or before.guard.halt is not None:
        return None
    state = passed(before.state, seen)
    if len(state.fresh) != 1:
        return None
    ((key, stance),) = state.fresh.items()
    goals = {**state.goals, key: Goal(stance.weight, stance.reason)}
    return state._replace(portfolio=portfolio.marked(state.portfolio), goals=goals)


def _settled(
    at_venue: Everyone, decided_equity: Decimal, ticket: Ticket, executed: Executed, following: Following
) -> Life | None:
    decided, fill = at_venue.state, executed.fill
    at, closes = following.close_time, following.closes
    account, trip = portfolio.with_fill(portfolio.with_closes(decided.portfolio, closes), fill, at)
    guard = guarding.outlived(at_venue.guard, ticket, fill, at_venue.guard.market_time)
    if guard is None or (trip is None and fill.side is Side.SELL):
        return None
    account = portfolio.marked(account)
    equity = account.equity
    key = (ticket.strategy, ticket.symbol)
    state = decided._replace(
        portfolio=account,
        fresh={},
        goals={**decided.goals, key: decided.goals[key]._replace(pursued=True)},
        order_count=decided.order_count + 1,
        slices=decided.slices + 1,
        market_time=at,
    )
    after = Everyone(state, guarding.valued(guard, account, equity, closes, at), at_venue.book)
    return Life(after, equity, decided, decided_equity, 0, ticket, executed.accepted, fill, trip)
