"""Binance's error codes, and what each means for the call that met it.

Sources: "Errors" and "General API information" of Binance's spot documentation. ccxt names the same code differently
from one address to another, so codes are read from the answer itself.
"""

import json
from collections.abc import Mapping

import ccxt

from shared.venues.trouble import Fate, VenueError

_FATES: Mapping[int, Fate] = {
    -1000: Fate.UNKNOWN,  # an unknown error occurred while processing the request
    -1001: Fate.UNKNOWN,  # internal error; unable to process
    -1002: Fate.FATAL,  # not authorised
    -1003: Fate.RETRY,  # too many requests
    -1006: Fate.UNKNOWN,  # an unexpected response came from the message bus; execution status unknown
    -1007: Fate.UNKNOWN,  # timeout waiting for the backend; send status unknown, execution status unknown
    -1008: Fate.RETRY,  # server overloaded: the request was not processed
    -1015: Fate.RETRY,  # too many new orders
    -1016: Fate.FATAL,  # this service is no longer available
    -1021: Fate.RETRY,  # timestamp outside of the recvWindow
    -1022: Fate.FATAL,  # signature not valid
    -2011: Fate.ABSENT,  # cancel rejected: unknown order
    -2013: Fate.ABSENT,  # order does not exist
    -2014: Fate.FATAL,  # API key format invalid
    -2015: Fate.FATAL,  # invalid API key, IP, or permissions
    -2026: Fate.ABSENT,  # an order without fills, archived after 90 days
}
INVALID_SYMBOL = -1121
"""One of the symbols that were asked for is unknown."""
_CLOCK = -1021
_DUPLICATE = "duplicate order"


def is_about_the_clock(error: VenueError) -> bool:
    """Whether the venue finds our clock off."""
    return error.code == _CLOCK


def trouble(error: Exception, status: int | None, headers: Mapping[str, str]) -> VenueError:
    """What ccxt's `error` means; `status` and `headers` are those of the answer, where one came.

    Without an answer, or with one that says so, the call may have been carried out.
    """
    code, reason = _told(str(error))
    if status in (403, 418, 429):
        return VenueError("binance", Fate.RETRY, reason, code, _retry_after(headers))
    if code is not None:
        return VenueError("binance", _fate(code, reason, status), reason, code)
    if isinstance(error, ccxt.AuthenticationError):
        return VenueError("binance", Fate.FATAL, reason)
    return VenueError("binance", Fate.UNKNOWN, reason)


def _fate(code: int, reason: str, status: int | None) -> Fate:
    if _DUPLICATE in reason.lower():
        return Fate.UNKNOWN
    return _FATES.get(code, Fate.UNKNOWN if status is not None and status >= 500 else Fate.REFUSED)


def _told(text: str) -> tuple[int | None, str]:
    """The code and message in an error's text: ccxt puts the venue's answer, a JSON object, at its end."""
    start = text.find("{")
    try:
        answer = json.loads(text[start:]) if start >= 0 else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("code"), int):
        return None, text[:300]
    return answer["code"], str(answer.get("msg", ""))[:300]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(found) if found.isdigit() else None
