"""What must be true of the account, the clock and the other orders before an order is taken."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from tests.venues.alpaca.books import Books
from tests.venues.alpaca.calendar import EASTERN
from tests.venues.alpaca.orders import Order, Terms, plain
from tests.venues.alpaca.refusal import NOT_UNIQUE, forbidden, unprocessable

SMALLEST_COST, SMALLEST_CRYPTO_COST = Decimal(1), Decimal(10)
OPG_FROM, OPG_UNTIL, CLS_UNTIL = time(19), time(9, 28), time(15, 50)


@dataclass
class Standing:
    """What the broker and the user allow the account."""

    status: str = "ACTIVE"
    crypto_status: str = "ACTIVE"
    crypto_tier: int = 1
    trading_blocked: bool = False
    account_blocked: bool = False
    trade_suspended_by_user: bool = False
    multiplier: Decimal = Decimal(1)


def check_standing(standing: Standing) -> None:
    """Raise `Refusal` where the account may not trade at all."""
    if standing.status != "ACTIVE":
        raise forbidden("account is not active")
    if standing.account_blocked or standing.trading_blocked:
        raise forbidden("account is restricted from trading")
    if standing.trade_suspended_by_user:
        raise forbidden("new orders are rejected by user request")


def check_identity(books: Books, client_order_id: str) -> None:
    """Raise `Refusal` where any order, open or not, has that name."""
    if books.by_client_id(client_order_id) is not None:
        raise unprocessable("client_order_id must be unique", NOT_UNIQUE)


def check_auctions(terms: Terms, at: datetime) -> None:
    """Raise `Refusal` for an order of the opening or the closing auction that comes too late for it."""
    local = at.astimezone(EASTERN).time()
    if terms.time_in_force == "opg" and OPG_UNTIL < local < OPG_FROM:
        raise unprocessable("opg orders must be submitted after 7:00pm and before 9:28am")
    if terms.time_in_force == "cls" and CLS_UNTIL < local < OPG_FROM:
        raise unprocessable("cls orders must be submitted after 7:00pm and before 3:50pm")


def check_wash(terms: Terms, books: Books) -> None:
    """Raise `Refusal` where the order could trade with one of the account's own."""
    if terms.order_class != "simple":
        return
    for other in books.open_orders():
        opposite = other.terms.asset == terms.asset and other.terms.side != terms.side and other.status != "held"
        if opposite and _may_meet(terms, other.terms):
            kind = "limit" if other.terms.type == "limit" else "market/stop"
            raise forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=other.id,
                reject_reason=f"opposite side {kind} order exists",
            )


def _may_meet(one: Terms, other: Terms) -> bool:
    if one.type != "limit" or other.type != "limit" or one.limit_price is None or other.limit_price is None:
        return True
    buys, sells = (one, other) if one.side == "buy" else (other, one)
    return (buys.limit_price or 0) >= (sells.limit_price or 0)


def check_means(terms: Terms, books: Books, standing: Standing, price: Decimal) -> None:
    """Raise `Refusal` where the account lacks the dollars or the shares; `price` is the market's."""
    if terms.side == "sell":
        _check_holding(terms, books, price)
        return
    cost = terms.notional or (terms.qty or Decimal(0)) * (terms.limit_price or terms.stop_price or price)
    smallest = SMALLEST_CRYPTO_COST if terms.asset.is_crypto else SMALLEST_COST
    if cost < smallest and price:
        raise forbidden(f"cost basis must be >= minimal amount of order {smallest}")
    available = buying_power(books, standing, crypto=terms.asset.is_crypto)
    if cost > available and terms.asset.is_crypto:
        raise forbidden(
            f"insufficient balance for USD (requested: {plain(cost)}, available: {plain(available)})",
            available=plain(available),
            balance=plain(books.cash),
            symbol="USD",
        )
    if cost > available:
        raise forbidden("insufficient buying power", buying_power=plain(available), cost_basis=plain(cost))


def buying_power(books: Books, standing: Standing, *, crypto: bool = False) -> Decimal:
    """The dollars that new purchases may cost; pairs are never bought on margin."""
    factor = Decimal(1) if crypto else standing.multiplier
    return max(books.cash * factor - books.held_cash(), Decimal(0))


def _check_holding(terms: Terms, books: Books, price: Decimal) -> None:
    owned = books.qty(terms.asset)
    related: list[Order] = list(books.sellers(terms.asset))
    available = owned - books.held_qty(terms.asset)
    wanted = terms.qty if terms.qty is not None else (terms.notional or Decimal(0)) / price if price else Decimal(0)
    if wanted <= available:
        return
    asked = f"(requested: {plain(wanted)}, available: {plain(available)})"
    if terms.asset.is_crypto:
        base = terms.asset.symbol.partition("/")[0]
        raise forbidden(
            f"insufficient balance for {base} {asked}", available=plain(available), balance=plain(owned), symbol=base
        )
    if not owned:
        raise forbidden("account is not allowed to short")
    raise forbidden(
        f"insufficient qty available for order {asked}",
        available=plain(available),
        existing_qty=plain(owned),
        held_for_orders=plain(owned - available),
        related_orders=[order.id for order in related],
        symbol=terms.asset.symbol,
    )
