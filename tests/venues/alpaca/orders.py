"""An order as the venue keeps and tells it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from tests.venues.alpaca.assets import Asset

OPEN = frozenset({"pending_new", "accepted", "new", "partially_filled", "held"})
WORKING = frozenset({"new", "partially_filled"})


@dataclass(frozen=True)
class Terms:
    """What was asked for. Exactly one of `qty` and `notional` is set; legs hold prices as the request names them."""

    client_order_id: str
    asset: Asset
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    extended_hours: bool = False
    order_class: str = "simple"
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit: Decimal | None = None


@dataclass(frozen=True)
class Order:
    """The terms and what became of them; every change makes a new object.

    `reference` is the market's price when it was taken; `triggered` is for stops; `parent` and `legs` are ids.
    """

    id: str
    terms: Terms
    status: str
    submitted_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    filled_qty: Decimal = Decimal(0)
    filled_value: Decimal = Decimal(0)
    filled_at: datetime | None = None
    expired_at: datetime | None = None
    canceled_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    parent: str | None = None
    legs: tuple[str, ...] = ()
    triggered: bool = False
    reference: Decimal = Decimal(0)

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in OPEN

    @property
    def leaves(self) -> Decimal:
        """What is not filled yet; zero for an order by notional value, whose quantity is known with its fill."""
        return Decimal(0) if self.terms.qty is None else self.terms.qty - self.filled_qty

    @property
    def average(self) -> Decimal | None:
        """The mean price of its fills."""
        return self.filled_value / self.filled_qty if self.filled_qty else None

    def changed(self, at: datetime, **changes: Any) -> Self:
        """The same with changes."""
        return replace(self, updated_at=at, **changes)

    def told(self) -> dict[str, Any]:
        """The order entity of the answers, without its legs."""
        terms = self.terms
        return {
            "id": self.id,
            "client_order_id": terms.client_order_id,
            "created_at": written(self.submitted_at),
            "updated_at": written(self.updated_at),
            "submitted_at": written(self.submitted_at),
            "filled_at": written(self.filled_at),
            "expired_at": written(self.expired_at),
            "expires_at": written(self.expires_at),
            "canceled_at": written(self.canceled_at),
            "failed_at": written(self.failed_at),
            "replaced_at": written(self.replaced_at),
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": terms.asset.id,
            "symbol": terms.asset.symbol,
            "asset_class": terms.asset.kind,
            "notional": plain(terms.notional),
            "qty": plain(terms.qty),
            "filled_qty": plain(self.filled_qty),
            "filled_avg_price": plain(self.average),
            "order_class": "" if terms.order_class == "simple" else terms.order_class,
            "order_type": terms.type,
            "type": terms.type,
            "side": terms.side,
            "time_in_force": terms.time_in_force,
            "limit_price": plain(terms.limit_price),
            "stop_price": plain(terms.stop_price),
            "status": self.status,
            "extended_hours": terms.extended_hours,
            "legs": None,
            "trail_percent": None,
            "trail_price": None,
            "hwm": None,
            "subtag": None,
            "source": None,
            "position_intent": f"{terms.side}_to_{'open' if terms.side == 'buy' else 'close'}",
        }


def written(at: datetime | None) -> str | None:
    """A moment as the venue writes it."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def plain(amount: Decimal | None) -> str | None:
    """An amount with at most nine decimals and without an exponent or trailing zeros."""
    if amount is None:
        return None
    text = f"{amount:.9f}".rstrip("0").rstrip(".")
    return text or "0"
