"""What each trading request does. A handler raises `Refusal` where the venue refuses."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.venues.alpaca import answers, listing
from tests.venues.alpaca.answers import Configuration
from tests.venues.alpaca.books import Books, Position
from tests.venues.alpaca.exchange import Exchange
from tests.venues.alpaca.reading import amount, read_terms
from tests.venues.alpaca.refusal import MALFORMED, not_found, unprocessable

NO_CONTENT, MULTI_STATUS = 204, 207


class Asked(NamedTuple):
    """A request: what its path names, its query and its body, and the state that a read of it shows."""

    name: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    books: Books


class Desk:
    """The account's trading interface: `answer` finds the handler and calls it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.configuration = Configuration()

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, books: Books) -> tuple[int, Any]:
        """Status and JSON of the answer; `path` still has its percent signs. Raises `Refusal`."""
        if body is not None and not isinstance(body, Mapping):
            raise unprocessable("request body format is invalid", MALFORMED)
        for wanted, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if wanted == method and match:
                name = unquote(match.group(1)) if match.groups() else ""
                return handler(self, Asked(name, query, body or {}, books))
        raise not_found("endpoint not found.")

    def account(self, asked: Asked) -> tuple[int, Any]:
        return 200, answers.account(asked.books, self.exchange.standing, self.exchange.market)

    def read_configuration(self, asked: Asked) -> tuple[int, Any]:
        return 200, asdict(self.configuration)

    def set_configuration(self, asked: Asked) -> tuple[int, Any]:
        """Unknown and null fields are ignored."""
        known = {field.name for field in fields(Configuration)}
        changes = {name: value for name, value in asked.body.items() if name in known and value is not None}
        self.configuration = replace(self.configuration, **changes)
        self.exchange.standing.trade_suspended_by_user = self.configuration.suspend_trade
        return 200, asdict(self.configuration)

    def clock(self, asked: Asked) -> tuple[int, Any]:
        return 200, answers.clock(self.exchange.clock(), self.exchange.calendar)

    def calendar(self, asked: Asked) -> tuple[int, Any]:
        start = self._day(asked, "start")
        end = self._day(asked, "end") if "end" in asked.query else start + timedelta(days=31)
        return 200, [answers.trading_day(session) for session in self.exchange.calendar.sessions(start, end)]

    def assets(self, asked: Asked) -> tuple[int, Any]:
        told = [asset.told() for asset in self.exchange.assets.values()]
        for query, field in (("status", "status"), ("asset_class", "class"), ("exchange", "exchange")):
            told = [entry for entry in told if asked.query.get(query) in (None, entry[field])]
        return 200, told

    def asset(self, asked: Asked) -> tuple[int, Any]:
        asset = answers.asset_named(dict(self.exchange.assets), asked.name)
        if asset is None:
            raise not_found(f"asset not found for {asked.name}")
        return 200, asset.told()

    def place(self, asked: Asked) -> tuple[int, Any]:
        terms = read_terms(asked.body, self.exchange.assets, self.exchange.identity())
        return 200, self._told(self.exchange.place(terms).id)

    def orders(self, asked: Asked) -> tuple[int, Any]:
        return 200, listing.orders(asked.books, asked.query)

    def order(self, asked: Asked) -> tuple[int, Any]:
        if asked.name not in asked.books.orders:
            raise not_found(f"order not found for {asked.name}")
        return 200, answers.order(asked.books.orders[asked.name], asked.books)

    def by_client_id(self, asked: Asked) -> tuple[int, Any]:
        name = asked.query.get("client_order_id", "")
        order = asked.books.by_client_id(name)
        if order is None:
            raise not_found(f"order not found for {name}")
        return 200, answers.order(order, asked.books)

    def replace(self, asked: Asked) -> tuple[int, Any]:
        asked_for = {name: amount(asked.body, name) for name in ("qty", "limit_price", "stop_price")}
        changes: dict[str, Any] = {name: value for name, value in asked_for.items() if value is not None}
        if asked.body.get("time_in_force"):
            changes["time_in_force"] = asked.body["time_in_force"]
        order = self.exchange.replace(asked.name, changes, asked.body.get("client_order_id"))
        return 200, self._told(order.id)

    def cancel(self, asked: Asked) -> tuple[int, Any]:
        self.exchange.cancel(asked.name)
        return NO_CONTENT, None

    def cancel_all(self, asked: Asked) -> tuple[int, Any]:
        ids = [order.id for order in self.exchange.books.open_orders() if not order.parent]
        for order_id in ids:
            self.exchange.cancel(order_id)
        return MULTI_STATUS, [{"id": order_id, "status": 200} for order_id in ids]

    def positions(self, asked: Asked) -> tuple[int, Any]:
        held = asked.books.positions.values()
        return 200, [answers.position(one, asked.books, self.exchange.market) for one in held]

    def position(self, asked: Asked) -> tuple[int, Any]:
        return 200, answers.position(self._held(asked.name, asked.books), asked.books, self.exchange.market)

    def close(self, asked: Asked) -> tuple[int, Any]:
        """Sell a position at the market, or `qty` or `percentage` of it."""
        held = self._held(asked.name, self.exchange.books)
        qty, percentage = amount(asked.query, "qty"), amount(asked.query, "percentage")
        if percentage is not None:
            qty = round(held.qty * percentage / 100, 9)
        return 200, self._told(self._sell(held, qty or held.qty))

    def close_all(self, asked: Asked) -> tuple[int, Any]:
        if asked.query.get("cancel_orders", "").lower() == "true":
            self.cancel_all(asked)
        closed = []
        for held in list(self.exchange.books.positions.values()):
            body = self._told(self._sell(held, held.qty))
            closed.append({"symbol": held.asset.position_symbol, "status": 200, "body": body})
        return MULTI_STATUS, closed

    def activities(self, asked: Asked) -> tuple[int, Any]:
        if asked.name not in ("", "FILL"):
            return 200, []
        return 200, listing.activities(asked.books, asked.query)

    def _sell(self, held: Position, qty: Decimal) -> str:
        body = {"symbol": held.asset.symbol, "side": "sell", "type": "market", "qty": str(qty)}
        body["time_in_force"] = "gtc" if held.asset.is_crypto else "day"
        return self.exchange.place(read_terms(body, self.exchange.assets, self.exchange.identity())).id

    def _told(self, order_id: str) -> Any:
        books = self.exchange.books
        return answers.order(books.orders[order_id], books)

    def _held(self, name: str, books: Books) -> Position:
        asset = answers.asset_named(dict(self.exchange.assets), name)
        held = books.positions.get(asset.position_symbol) if asset else None
        if held is None:
            raise not_found("position does not exist")
        return held

    def _day(self, asked: Asked, name: str) -> date:
        moment = listing.moment(asked.query, name)
        return (moment or self.exchange.clock()).date()


Handler = Callable[[Desk, Asked], tuple[int, Any]]
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v2/account", Desk.account),
    ("GET", "/v2/account/configurations", Desk.read_configuration),
    ("PATCH", "/v2/account/configurations", Desk.set_configuration),
    ("GET", "/v2/account/activities", Desk.activities),
    ("GET", "/v2/account/activities/([^/]+)", Desk.activities),
    ("GET", "/v2/clock", Desk.clock),
    ("GET", "/v2/calendar", Desk.calendar),
    ("GET", "/v2/assets", Desk.assets),
    ("GET", "/v2/assets/(.+)", Desk.asset),
    ("POST", "/v2/orders", Desk.place),
    ("GET", "/v2/orders", Desk.orders),
    ("DELETE", "/v2/orders", Desk.cancel_all),
    ("GET", "/v2/orders:by_client_order_id", Desk.by_client_id),
    ("GET", "/v2/orders/([^/]+)", Desk.order),
    ("PATCH", "/v2/orders/([^/]+)", Desk.replace),
    ("DELETE", "/v2/orders/([^/]+)", Desk.cancel),
    ("GET", "/v2/positions", Desk.positions),
    ("DELETE", "/v2/positions", Desk.close_all),
    ("GET", "/v2/positions/([^/]+)", Desk.position),
    ("DELETE", "/v2/positions/([^/]+)", Desk.close),
)
