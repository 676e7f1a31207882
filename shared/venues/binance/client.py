"""ccxt's client of Binance, set up for one account: where it calls, and what it passes on as the venue wrote it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import ccxt.pro

from shared.runtime import clock
from shared.venues.binance.errors import Answer, trouble
from shared.venues.binance.weights import USED_WEIGHT, weight_of
from shared.venues.budget import Budget
from shared.venues.measuring import WEIGHT_LIMIT, WEIGHT_USED, measured
from shared.venues.trouble import Fate, VenueError

Heard = Callable[[Mapping[str, Any]], None]
TIMEOUT_MS = 10_000
UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError)
"""How reading an answer fails that is not as documented."""
STREAMS_END = "the connection's end"
"""What of ccxt's client waits for the end of a stream."""
RECV_WINDOW_MS = 5_000
"""How long after its timestamp Binance may still take a request on."""


@dataclass(frozen=True)
class Access:
    """Whose account, and where. Without a key only public calls work. Origins override where every call goes.

    All clients of one access share its `budget`.
    """

    testnet: bool
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    base_url: str | None = None
    ws_url: str | None = None
    ws_api_url: str | None = None
    budget: Budget = field(default_factory=Budget, compare=False)


@contextlib.contextmanager
def told_as_trouble() -> Iterator[None]:
    """Whatever fails within is a VenueError; an answer that can't be read leaves unknown what happened."""
    try:
        yield
    except (ccxt.BaseError, OSError, TimeoutError) as error:
        # ccxt's own text holds the signed request, and a traceback would show it
        raise trouble(error, getattr(error, "answer", None)) from None
    except UNREADABLE as error:
        raise VenueError("binance", Fate.UNKNOWN, f"an answer that can't be read: {error!r}") from error


def _unheard(message: Mapping[str, Any]) -> None:
    """Nobody listens."""


class Client(ccxt.pro.binance):  # type: ignore[misc]
    """ccxt's client that also passes on orders' and candles' messages as they came.

    ccxt's own readings trust the order of arrival and hold floats, neither of which an account can be kept by.
    """

    budget: Budget
    on_order: Heard = staticmethod(_unheard)
    on_candle: Heard = staticmethod(_unheard)

    async def asked(self, call: str, *, urgent: bool = False, **params: Any) -> Any:
        """The venue's answer to ccxt's implicit method `call`; VenueError when there is none, or an error.

        What is `urgent` may use the part of the budget that is kept back from the rest.
        """
        self._hold_back(weight_of(call, params), urgent)
        try:
            with measured("binance", call), told_as_trouble():
                return await getattr(self, call)(params)
        except VenueError as error:
            if error.retry_after is not None:
                self.budget.close(error.retry_after, clock.monotonic())
            raise

    def _hold_back(self, weight: int, urgent: bool) -> None:
        """VenueError, and nothing is sent, where the budget does not allow the call now."""
        now = clock.monotonic()
        wait = self.budget.wait(weight, urgent, now)
        if wait > 0:
            why = "the venue wants to be left alone" if self.budget.is_closed(now) else "the minute's weight is spent"
            raise VenueError("binance", Fate.RETRY, f"held back: {why}", retry_after=wait)
        self.budget.spend(weight, now)
        self._show_budget(now)

    def put_off(self, weight: int) -> None:
        """VenueError where what can wait, and weighs that much altogether, would take the weight that orders need."""
        if (wait := self.budget.put_off(weight, clock.monotonic())) > 0:
            raise VenueError("binance", Fate.RETRY, "put off: the minute's weight is kept for orders", retry_after=wait)

    def _show_budget(self, now: float) -> None:
        WEIGHT_USED.labels("binance").set(self.budget.used(now))
        WEIGHT_LIMIT.labels("binance").set(self.budget.limit)

    def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        """Note how much of the minute's weight the venue counts."""
        used = next((value for name, value in dict(headers or {}).items() if name.lower() == USED_WEIGHT), "")
        if used.isdigit():
            self.budget.told(int(used), now := clock.monotonic())
            self._show_budget(now)
        return super().on_rest_response(code, reason, url, method, headers, *rest)

    @contextlib.asynccontextmanager
    async def followed(self, what: str) -> AsyncIterator[None]:
        """A stream under way, ended by a VenueError that names `what` it was; the connection ends with it.

        ccxt keeps what it knows of a connection for the next one, and stumbles over it (a KeyError where a subscription
        was refused), so the next one begins anew.
        """
        try:
            yield
        except (ccxt.BaseError, OSError, TimeoutError, *UNREADABLE) as error:
            raise VenueError("binance", Fate.RETRY, f"{what} ended: {error!r}") from error
        finally:
            await self.close_ws_clients()

    def handle_errors(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any) -> Any:
        """Raise ccxt's error for the answer, with the answer beside it: some of ccxt's texts leave out its code."""
        try:
            return super().handle_errors(code, reason, url, method, headers, body, *rest)
        except ccxt.BaseError as error:
            error.answer = Answer(code, dict(headers or {}), body)
            raise

    def handle_http_status_code(self, code: int, reason: str, url: str, method: str, body: str) -> None:
        """Raise ccxt's error for the answer's status, and the answer beside it."""
        try:
            super().handle_http_status_code(code, reason, url, method, body)
        except ccxt.BaseError as error:
            error.answer = Answer(code, {}, body)
            raise

    def handle_order_update(self, client: Any, message: dict[str, Any]) -> None:
        """An `executionReport`."""
        self.on_order(message)

    def handle_balance(self, client: Any, message: dict[str, Any]) -> None:
        """Changed balances: asked for when they are needed, and ccxt would fail on one that it has not asked for."""

    def handle_event_stream_terminated(self, client: Any, message: dict[str, Any]) -> None:
        """The account's stream is over while its connection stays: ccxt tells only who watches by its own calls."""
        client.reject(ccxt.NetworkError("the venue has ended the subscription"), STREAMS_END)

    def handle_ohlcv(self, client: Any, message: dict[str, Any]) -> None:
        """A `kline`."""
        self.on_candle(message)
        super().handle_ohlcv(client, message)


def connected(access: Access) -> Client:
    """A client that has called nobody yet; `close` it in the end."""
    made = Client(
        {
            "apiKey": access.key,
            "secret": access.secret,
            "timeout": TIMEOUT_MS,
            "enableRateLimit": False,
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "recvWindow": RECV_WINDOW_MS,
                "adjustForTimeDifference": False,
            },
        }
    )
    made.budget = access.budget
    made.has["fetchCurrencies"] = False
    if access.testnet:
        made.set_sandbox_mode(True)
    _redirect(made.urls["api"], access)
    return made


def _redirect(urls: dict[str, Any], access: Access) -> None:
    if access.base_url:
        urls["public"] = urls["private"] = f"{access.base_url}/api/v3"
        urls["sapi"] = f"{access.base_url}/sapi/v1"
    if access.ws_url:
        urls["ws"]["spot"] = f"{access.ws_url}/ws"
    if access.ws_api_url:
        urls["ws"]["ws-api"]["spot"] = f"{access.ws_api_url}/ws-api/v3"
