"""alpaca-py's REST client, fenced in: off the event loop, within a time-out and the venue's limit, never repeating."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests
from alpaca.common.enums import BaseURL
from alpaca.common.rest import RESTClient

from shared.runtime import clock
from shared.venues.alpaca.errors import NAME, Answered, refusal, unanswered
from shared.venues.alpaca.limits import Limit
from shared.venues.measuring import measured
from shared.venues.trouble import Fate, VenueError

TIMEOUT_SECONDS = (5.0, 10.0)
"""To connect, and for the next part of an answer."""
UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError)
"""How reading an answer fails that is not as documented."""
_THREADS = 8
"""Calls under way at once; a cancel is not to wait behind history."""


@dataclass(frozen=True)
class Access:
    """Whose account, and where: `paper` trades without money. Origins override where every call goes.

    All clients of one access share its limits.
    """

    paper: bool
    key: str = field(repr=False)
    secret: str = field(repr=False)
    base_url: str | None = None
    data_url: str | None = None
    stream_url: str | None = None
    limit: Limit = field(default_factory=Limit, compare=False)
    data_limit: Limit = field(default_factory=Limit, compare=False)

    @property
    def trading_origin(self) -> str:
        """Where the account is."""
        own = BaseURL.TRADING_PAPER if self.paper else BaseURL.TRADING_LIVE
        return self.base_url or own.value

    @property
    def data_origin(self) -> str:
        """Where history is."""
        return self.data_url or BaseURL.DATA.value

    @property
    def orders_stream(self) -> str:
        """The account's stream."""
        own = BaseURL.TRADING_STREAM_PAPER if self.paper else BaseURL.TRADING_STREAM_LIVE
        return f"{self.stream_url}/stream" if self.stream_url else own.value

    def bars_stream(self, path: str) -> str:
        """A stream of the market."""
        return (self.stream_url or BaseURL.MARKET_DATA_STREAM.value) + path


def kind_of(method: str, path: str) -> str:
    """What kind of call it is, whichever order or asset it is about."""
    return f"{method} /{path.lstrip('/').partition('/')[0]}"


@contextmanager
def told_as_trouble() -> Iterator[None]:
    """Whatever fails within is a VenueError; an answer that can't be read leaves unknown what happened."""
    try:
        yield
    except Answered as answer:
        raise refusal(answer, clock.now()) from None
    except UNREADABLE as error:
        raise VenueError(NAME, Fate.UNKNOWN, f"an answer that can't be read: {error!r}") from error
    except requests.RequestException as error:
        raise unanswered(error) from error


class _Rest(RESTClient):
    """One thread's connections; numbers in answers are read exactly. `headers` are those of the last answer."""

    headers: Mapping[str, str]

    def close(self) -> None:
        """End the connections that nobody uses; the others end with their calls."""
        self._session.close()

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:
        response = self._session.request(method, url, timeout=TIMEOUT_SECONDS, **opts)
        self.headers = response.headers
        if not response.ok:
            raise Answered(response.status_code, response.headers, response.text)
        return json.loads(response.text, parse_float=Decimal) if response.text else None


class Client:
    """Calls to Alpaca with one key; VenueError where one fails."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=NAME)
        self._own = threading.local()
        self._rests: list[_Rest] = []

    async def trading(
        self, method: str, path: str, given: Mapping[str, Any] | None = None, *, urgent: bool = False
    ) -> Any:
        """The answer of the trading interface. What is `urgent` may use the part of the limit that is kept back."""

        def call(rest: _Rest) -> Any:
            return rest._request(method, path, dict(given or {}), self.access.trading_origin, "v2")

        return await self._asked(kind_of(method, path), call, self.access.limit, urgent)

    async def data(self, version: str, path: str, given: Mapping[str, Any]) -> Any:
        """The answer of the market data interface."""

        def call(rest: _Rest) -> Any:
            return rest._request("GET", path, dict(given), self.access.data_origin, version)

        return await self._asked(kind_of("GET", path), call, self.access.data_limit, urgent=False)

    async def close(self) -> None:
        """End every connection; what is still under way is left to its time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for rest in self._rests:
            rest.close()

    async def _asked(self, kind: str, call: Callable[[_Rest], Any], limit: Limit, urgent: bool) -> Any:
        limit.begin(urgent=urgent)
        try:
            with measured(NAME, kind), told_as_trouble():
                return await self._answer(call, limit)
        except VenueError as error:
            if error.retry_after is not None:
                limit.refused(error.retry_after)
            raise

    async def _answer(self, call: Callable[[_Rest], Any], limit: Limit) -> Any:
        """The answer, off the event loop; `limit` hears what it tells."""

        def called() -> tuple[Any, Mapping[str, str]]:
            rest = self._rest()
            return call(rest), rest.headers

        headers: Mapping[str, str] = {}
        try:
            answer, headers = await asyncio.get_running_loop().run_in_executor(self._threads, called)
        except Answered as refused:
            headers = refused.headers
            raise
        finally:
            limit.ended(headers)
        return answer

    def _rest(self) -> _Rest:
        """This thread's own, for a session of `requests` is not made to be shared."""
        if not hasattr(self._own, "rest"):
            self._own.rest = _Rest(self.access.trading_origin, self.access.key, self.access.secret, raw_data=True)
            self._rests.append(self._own.rest)
        rest: _Rest = self._own.rest
        return rest
