"""alpaca-py's REST client, fenced in: off the event loop, within a time-out, never repeating a call by itself."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
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
    """Whose account, and where: `paper` trades without money. Origins override where every call goes."""

    paper: bool
    key: str = field(repr=False)
    secret: str = field(repr=False)
    base_url: str | None = None
    data_url: str | None = None
    stream_url: str | None = None

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
    """One thread's connections; numbers in answers are read exactly."""

    def close(self) -> None:
        """End the connections that nobody uses; the others end with their calls."""
        self._session.close()

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:
        response = self._session.request(method, url, timeout=TIMEOUT_SECONDS, **opts)
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

    async def trading(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> Any:
        """The answer of the trading interface."""
        return await self._asked(method, path, given, self.access.trading_origin, "v2")

    async def data(self, version: str, path: str, given: Mapping[str, Any]) -> Any:
        """The answer of the market data interface."""
        return await self._asked("GET", path, given, self.access.data_origin, version)

    async def close(self) -> None:
        """End every connection; what is still under way is left to its time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for rest in self._rests:
            rest.close()

    async def _asked(self, method: str, path: str, given: Mapping[str, Any] | None, origin: str, version: str) -> Any:
        def call() -> Any:
            with told_as_trouble():
                return self._rest()._request(method, path, dict(given or {}), origin, version)

        with measured(NAME, kind_of(method, path)):
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _rest(self) -> _Rest:
        """This thread's own, for a session of `requests` is not made to be shared."""
        if not hasattr(self._own, "rest"):
            self._own.rest = _Rest(self.access.trading_origin, self.access.key, self.access.secret, raw_data=True)
            self._rests.append(self._own.rest)
        rest: _Rest = self._own.rest
        return rest
