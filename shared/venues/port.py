"""What the runner asks of a venue, and what a venue reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.approval import ApprovedOrder
from shared.schemas.market import Candle
from shared.schemas.orders import Fill, OrderState, VenueAccount
from shared.venues.words import Doubtful


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue works the order."""

    order: OrderState


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue refuses the order, for good; or it was `never_sent`."""

    order: OrderState
    reason: str
    never_sent: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """One execution; `fill.trade_id` is unique within the venue."""

    fill: Fill


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The order is no longer worked; `order.filled_qty` had been filled."""

    order: OrderState
    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The order was sent, and nothing tells whether the venue has it."""

    order: OrderState
    reason: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The venue's own evidence tells what became of an order that was unclear; `reason` names the evidence."""

    order: OrderState
    reason: str


Report = Accepted | Rejected | Filled | Cancelled | Unclear | Reconciled


class Venue(Protocol):
    """Where a session's orders go: answered at once by a simulated venue, in its own time by a real one."""

    @property
    def clock(self) -> datetime:
        """The market's time."""

    def advance(self, candles: Sequence[Candle]) -> Sequence[Report]:
        """One slice of the market passes; answers what is known to have happened to the orders within it."""

    async def submit(self, order: ApprovedOrder) -> Sequence[Report]:
        """Send the order; answers what is known at once."""

    async def cancel(self, client_order_id: str, reason: str) -> Sequence[Report]:
        """Take the order back; an order that is gone already is no error and reports nothing."""

    async def order(self, client_order_id: str) -> OrderState | Doubtful | None:
        """The order as the venue shows it, working or done; None when it never arrived there.

        `Doubtful` where one answer can't tell: the venue's word comes later.
        """

    async def account(self) -> VenueAccount:
        """What the venue shows now."""
