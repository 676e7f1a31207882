"""One request to the venue, its signature already checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.venues.binance.account import Account
from tests.venues.binance.amounts import milliseconds
from tests.venues.binance.books import Books
from tests.venues.binance.exchange import Exchange
from tests.venues.binance.orders import Order
from tests.venues.binance.parameters import made_id, symbol_of, whole
from tests.venues.binance.refusal import NO_SUCH_ORDER, Refusal
from tests.venues.binance.symbols import Symbol
from tests.venues.market import Market


@dataclass
class Call:
    """`now` is in milliseconds since 1970; `stale` reads what was before the last change; `headers` go out."""

    parameters: Mapping[str, str]
    now: int
    market: Market
    symbols: Mapping[str, Symbol]
    signer: Account | None = None
    stale: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The account of the key that signed."""
        assert self.signer is not None, "only signed calls have an account"
        return self.signer

    @property
    def exchange(self) -> Exchange:
        """The account's exchange."""
        return self.account.exchange

    @property
    def books(self) -> Books:
        """What a read sees."""
        return self.exchange.before if self.stale else self.exchange.books

    @property
    def market_now(self) -> int:
        """The market's time; the venue's where nothing has been played yet."""
        return milliseconds(self.market.now) if self.market.now else self.now

    def symbol(self) -> str:
        """The mandatory symbol."""
        return symbol_of(self.parameters, self.symbols)

    def optional_symbol(self) -> str | None:
        """The symbol, None for all."""
        return self.symbol() if "symbol" in self.parameters else None

    def limit(self, default: int, greatest: int) -> int:
        """How many things are asked for."""
        asked = whole(self.parameters, "limit")
        return default if asked is None else min(asked, greatest)

    def find_order(self) -> Order:
        """The order by `orderId` or `origClientOrderId`; refuses where there is none."""
        symbol, order_id = self.symbol(), whole(self.parameters, "orderId")
        client_id = self.parameters.get("origClientOrderId")
        if order_id is None and not client_id:
            msg = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            raise Refusal(-1102, msg)
        order = self.books.find(symbol, order_id, client_id)
        if order is None:
            raise Refusal(*NO_SUCH_ORDER)
        return order

    def made_id(self) -> str:
        """An id for an order whose client sent none."""
        return made_id(next(self.exchange.counters.made))
