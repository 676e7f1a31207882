"""Facts in the life of an order, from the intent to the last fill."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.schemas.envelope import Event, Value
from shared.schemas.values import (
    ClientOrderId,
    Identity,
    Instant,
    Money,
    OrderType,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeInForce,
)


def _is_absent(value: object) -> bool:
    return value is None


def _is_false(value: bool) -> bool:
    return not value


class Ticket(Value):
    """An order in every particular that the venue will see, and what it was sized on.

    `price` is the limit, `stop_price` the trigger; both None for a market order. `reference_price` is the last price
    the decision knew. `protective_stop` is where the runner will place a stop once the order has filled, `take_profit`
    where its gain is to be taken. A stop with a `take_profit` goes to the venue as a list of two orders, of which one
    cancels the other: the stop, and a limit order at that price for the same quantity.
    An order for `extended_hours` is a limit order that may fill before a stock exchange's opening and after its close.
    A `reduce_only` order can only bring a position nearer to zero. `purpose` says why it exists.
    """

    client_order_id: ClientOrderId
    strategy: str
    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.GTC
    qty: Quantity
    price: Price | None = None
    stop_price: Price | None = None
    reference_price: Price
    protective_stop: Price | None = None
    take_profit: Annotated[Price | None, Field(exclude_if=_is_absent)] = None
    extended_hours: Annotated[bool, Field(exclude_if=_is_false)] = False
    reduce_only: bool = False
    purpose: Literal["entry", "exit", "stop", "rebalance", "flatten"]

    @property
    def is_list(self) -> bool:
        """Whether the venue gets two orders of it, of which one cancels the other."""
        return self.purpose == "stop" and self.take_profit is not None

    def takes_profit_at(self, price: Money) -> bool:
        """Whether a fill at `price` is one of the list's limit order."""
        return self.is_list and self.take_profit is not None and price >= self.take_profit

    def reference_of(self, price: Money) -> Price:
        """What the slippage of a fill at `price` is measured from."""
        if self.take_profit is not None and self.takes_profit_at(price):
            return self.take_profit
        return self.stop_price or self.reference_price

    @property
    def notional(self) -> Money:
        """What the order is worth at the highest price it can be expected to pay."""
        return self.qty * max(p for p in (self.price, self.stop_price, self.reference_price) if p is not None)


class OrderIntended(Event):
    """The runner wants this order; nothing is sent before the guard's word."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["order_intended"] = "order_intended"
    order: Ticket


class Approval(Value):
    """The guard's signature over exactly one ticket, valid until `expires_at` by the market's clock.

    `epoch` numbers the incarnation of the guard that judged: where in the stream it took the watch, so that a later
    guard's is always higher; 0 where version 1 did not say.
    `signer` is the guard's public NKEY; `signature` is base64 over `shared.domain.approval.approval_bytes`.
    """

    intent_id: Identity
    expires_at: Instant
    epoch: int = Field(ge=0)
    signer: str
    signature: str


class OrderApproved(Event):
    """The guard allows this exact order until the approval expires."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["order_approved"] = "order_approved"
    version: Literal[2] = 2  # type: ignore[assignment]  # later versions of a type replace the envelope's first
    order: Ticket
    details: Approval


class Refusal(Value):
    """The rule that an order broke, the limit, and what was seen instead."""

    intent_id: Identity
    rule: str
    limit: str | None = None
    observed: str | None = None


class OrderRefused(Event):
    """The guard forbids this order; `details.rule` names why."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["order_refused"] = "order_refused"
    level: Literal["warning"] = "warning"
    order: Ticket
    details: Refusal


class Release(Value):
    """Why the runner let an order go by itself, and until when it may be sent.

    `free` are the units of the position that no other order was about to sell.
    """

    intent_id: Identity
    expires_at: Instant
    free: Quantity
    reason: str


class OrderReleased(Event):
    """The runner let an order go by itself while the guard was silent: one that can only reduce a position."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["order_released"] = "order_released"
    level: Literal["warning"] = "warning"
    order: Ticket
    details: Release


class OrderSubmitted(Event):
    """Stored before the order is sent: from here on it may exist at the venue. The guard tells its own ones, too."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["order_submitted"] = "order_submitted"
    order: Ticket


OrderStatus = Literal["accepted", "rejected", "cancelled", "expired", "unknown", "filled", "partially_filled"]


class OrderState(Value):
    """An order as the venue shows it. `qty` is what was ordered, `filled_qty` what has been filled so far."""

    client_order_id: ClientOrderId
    strategy: str
    symbol: Symbol
    side: Side
    qty: Quantity
    price: Price | None = None
    status: OrderStatus
    filled_qty: Quantity
    venue_order_id: str | None = None


class OrderAccepted(Event):
    """The venue has the order and works it."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["order_accepted"] = "order_accepted"
    order: OrderState


class Reason(Value):
    """Why something happened, in words for people."""

    reason: str


class Rejection(Reason):
    """Why an order was refused; `never_sent` is true where it has not even reached the venue."""

    never_sent: bool | None = None


class OrderRejected(Event):
    """The venue refused the order, and `details.reason` is its word; or the order was never sent."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["order_rejected"] = "order_rejected"
    level: Literal["warning"] = "warning"
    order: OrderState
    details: Rejection


class Fill(Value):
    """One execution. `qty` and `price` are of this fill; `leaves_qty` is what is still open afterwards.

    `fee` is in `fee_asset`, which is the quote currency unless the venue says otherwise. `status` is the order's.
    Slippage is measured from `reference_price`: a stop's trigger, else the last price that the decision knew.
    """

    client_order_id: ClientOrderId
    trade_id: str
    strategy: str
    symbol: Symbol
    side: Side
    qty: Quantity
    price: Price
    fee: Money
    fee_asset: str
    liquidity: Literal["maker", "taker"]
    status: Literal["partially_filled", "filled"]
    leaves_qty: Quantity
    reference_price: Price


class OrderFilled(Event):
    """One fill, told once, however often the venue reports it."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["order_filled"] = "order_filled"
    order: Fill


class OrderCancelled(Event):
    """The order is gone from the venue, or was never sent; `details.reason` says why."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["order_cancelled"] = "order_cancelled"
    order: OrderState
    details: Reason


class OrderUnknown(Event):
    """An order was sent and its fate is not known: it counts as exposure until the venue's evidence resolves it."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["order_unknown"] = "order_unknown"
    level: Literal["warning"] = "warning"
    order: OrderState
    details: Reason


class OrderReconciled(Event):
    """The venue's own evidence settled what an order's state is."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["order_reconciled"] = "order_reconciled"
    order: OrderState
    details: Reason


class Dust(Value):
    """What is left of a position and too little to be sold; `reason` names the venue's rule."""

    strategy: str
    symbol: Symbol
    qty: Quantity
    reason: str


class DustLeft(Event):
    """What is left of a position is set aside: the position counts as closed, and the next one takes it in."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "recorder"})
    type: Literal["dust_left"] = "dust_left"
    details: Dust


class Holding(Value):
    """Units of one symbol held at the venue."""

    symbol: Symbol
    qty: Quantity


class VenueAccount(Value):
    """What the venue shows: the names of its open orders and its holdings above zero."""

    open_orders: tuple[ClientOrderId, ...]
    holdings: tuple[Holding, ...]


class VenueObserved(Event):
    """The runner asked the venue what it shows, for the guard to confirm a stop by."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"risk", "recorder"})
    type: Literal["venue_observed"] = "venue_observed"
    details: VenueAccount


class Balance(Value):
    """Units of an asset: held, or by how much they changed."""

    asset: str
    qty: Money


class Difference(Value):
    """Units of an asset as our books have them, and as the venue shows them."""

    asset: str
    ours: Money
    venue: Money


class Reconciliation(Value):
    """A venue's statement of `at` held against our books.

    `foreign_orders` and `foreign_trades` are not the session's and not told before; `foreign_moves` is what those
    trades changed. `differences` is what nothing explains, `confirmed` once several statements have shown the same;
    while orders are on their way balances are not `judged`.
    """

    at: Instant
    foreign_orders: tuple[str, ...] = ()
    foreign_trades: tuple[str, ...] = ()
    foreign_moves: tuple[Balance, ...] = ()
    differences: tuple[Difference, ...] = ()
    judged: bool = True
    confirmed: bool = False


class AccountReconciled(Event):
    """The venue's orders, executions and balances were held against our books."""

    WRITERS: ClassVar[frozenset[str]] = frozenset({"runner"})
    READERS: ClassVar[frozenset[str]] = frozenset({"runner", "risk", "notifier", "recorder"})
    type: Literal["account_reconciled"] = "account_reconciled"
    level: Literal["info", "warning", "error"] = "info"
    status: Literal["pass", "fail"]
    details: Reconciliation
