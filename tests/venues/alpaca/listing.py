"""Lists with filters and pages: orders and activities."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.venues.alpaca import answers
from tests.venues.alpaca.books import Books
from tests.venues.alpaca.orders import Order
from tests.venues.alpaca.refusal import MALFORMED, unprocessable

ORDERS, MOST_ORDERS = 50, 500
ACTIVITIES = 100


def orders(books: Books, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The answer of GET /v2/orders: newest first unless asked otherwise, legs apart unless asked nested."""
    nested = query.get("nested", "").lower() == "true"
    limit = whole(query, "limit", ORDERS)
    if not 1 <= limit <= MOST_ORDERS:
        raise unprocessable(f"limit must be between 1 and {MOST_ORDERS}", MALFORMED)
    found = [order for order in books.orders.values() if _wanted(order, query) and not (nested and order.parent)]
    found.sort(key=lambda order: order.submitted_at)
    if query.get("direction", "desc") == "desc":
        found.reverse()
    return [answers.order(order, books, nested=nested) for order in found[:limit]]


def activities(books: Books, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The fills among the account's activities: newest first, the page after `page_token`."""
    size = whole(query, "page_size", ACTIVITIES)
    if not 1 <= size <= ACTIVITIES:
        raise unprocessable(f"page_size must be between 1 and {ACTIVITIES}", MALFORMED)
    after, until = moment(query, "after"), moment(query, "until")
    fills = [f for f in books.fills if (after is None or f.at > after) and (until is None or f.at < until)]
    if query.get("direction", "desc") == "desc":
        fills.reverse()
    told = [fill.told() for fill in fills]
    token = query.get("page_token")
    if token is not None:
        ids = [entry["id"] for entry in told]
        if token not in ids:
            raise unprocessable("page_token is invalid", MALFORMED)
        told = told[ids.index(token) + 1 :]
    return told[:size]


def moment(query: Mapping[str, str], name: str) -> datetime | None:
    """A moment of the query; raises `Refusal` where it is none."""
    text = query.get(name)
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise unprocessable(f"invalid format for parameter {name}", MALFORMED) from None
    if read.tzinfo is None:
        return datetime.fromisoformat(text + ("+00:00" if "T" in text else "T00:00:00+00:00"))
    return read


def whole(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of the query; raises `Refusal` where it is none."""
    try:
        return int(query.get(name, default))
    except ValueError:
        raise unprocessable(f"invalid format for parameter {name}", MALFORMED) from None


def _wanted(order: Order, query: Mapping[str, str]) -> bool:
    status, symbols = query.get("status", "open"), query.get("symbols")
    after, until = moment(query, "after"), moment(query, "until")
    if status not in ("open", "closed", "all"):
        raise unprocessable("invalid status", MALFORMED)
    return (
        (status == "all" or order.is_open == (status == "open"))
        and (not symbols or order.terms.asset.symbol in symbols.split(","))
        and (query.get("side") in (None, order.terms.side))
        and (after is None or order.submitted_at > after)
        and (until is None or order.submitted_at < until)
    )
