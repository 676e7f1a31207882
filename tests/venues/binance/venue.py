"""The venue behind the sockets: its symbols, accounts, limits and market."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.venues.binance.account import KEY, SECRET, Account
from tests.venues.binance.call import Call
from tests.venues.binance.exchange import Counters, Exchange
from tests.venues.binance.fees import Fees
from tests.venues.binance.limits import WeightLimit
from tests.venues.binance.parameters import only
from tests.venues.binance.refusal import Refusal
from tests.venues.binance.routes import Route
from tests.venues.binance.symbols import Symbol
from tests.venues.faults import Faults
from tests.venues.market import Market

Clock = Callable[[], int]
WRONG_KEY = "Invalid API-key, IP, or permissions for action."


def wall_clock() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Venue:
    """`account` is the first account, `accounts` holds all by their API key."""

    def __init__(
        self,
        symbols: tuple[Symbol, ...],
        market: Market,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.market = market
        self.faults = faults
        self.clock = clock
        self.weight = WeightLimit()
        self.ping_seconds = 20.0
        self._counters = Counters()
        self.accounts: dict[str, Account] = {}
        self.account = self.add_account(KEY, SECRET)

    def add_account(self, key: str, secret: str, fees: Fees | None = None) -> Account:
        """Another account, which has nothing yet."""
        exchange = Exchange(self.symbols, self.market, self.faults, self.clock, self._counters, fees)
        account = self.accounts[key] = Account(exchange, key, secret)
        return account

    def with_key(self, key: str | None) -> Account:
        """The account of that API key; refuses where there is none."""
        if not key:
            raise Refusal(-2014, "API-key format invalid.", 401)
        if key not in self.accounts:
            raise Refusal(-2015, WRONG_KEY, 401)
        account = self.accounts[key]
        if account.restrictions is not None and not account.restrictions["enableReading"]:
            raise Refusal(-2015, WRONG_KEY, 401)
        return account

    def spend(self, route: Route, parameters: Mapping[str, str]) -> None:
        """Take the request's weight from the budget, or refuse."""
        of_all = route.weight_of_all is not None and not {"symbol", "symbols"} & set(parameters)
        self.weight.spend((route.weight_of_all or 0) if of_all else route.weight, self.clock())

    def answer(
        self, route: Route, parameters: Mapping[str, str], signer: Account | None, stale: bool
    ) -> tuple[Any, dict[str, str]]:
        """What the request leads to, and the headers it adds."""
        only(parameters, *route.reads)
        call = Call(parameters, self.clock(), self.market, self.symbols, signer, stale)
        return route.does(call), call.headers
