"""Binance's error codes, and what each means for the call that met it.

Sources: "Errors" and "General API information" of Binance's spot documentation. ccxt names the same code differently
from one address to another, so codes are read from the answer itself.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

import ccxt

from shared.runtime import clock
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
_QUERY = re.compile(r"\?\S*")
"""What follows the path in an address that ccxt tells: a signed request, which is nobody's business."""
_DUPLICATE = "duplicate order"
_BANNED = 418
SHORTEST_BAN_SECONDS = 120.0
"""Bans last from two minutes to three days ("IP Limits")."""
_BAN_END = re.compile(r"banned until (\d{13})")
"""In milliseconds since 1970."""


def is_about_the_clock(error: VenueError) -> bool:
    """Whether the venue finds our clock off."""
    return error.code == _CLOCK


class Answer(NamedTuple):
    """What the venue answered to a call that failed."""

    status: int
    headers: Mapping[str, str]
    body: str


def trouble(error: Exception, answer: Answer | None) -> VenueError:
    """What ccxt's `error` means; `answer` is the venue's, where one came.

    Without an answer, or with one that says so, the call may have been carried out.
    """
    code, reason = _told(answer.body if answer else "")
    reason = reason or _QUERY.sub("", str(error))[:300]
    if answer is not None and answer.status in (403, 418, 429):
        return VenueError("binance", Fate.RETRY, reason, code, _stay_away(answer, reason))
    if answer is not None and code is not None:
        return VenueError("binance", _fate(code, reason, answer.status), reason, code)
    if isinstance(error, ccxt.AuthenticationError):
        return VenueError("binance", Fate.FATAL, reason)
    return VenueError("binance", Fate.UNKNOWN, reason)


def _fate(code: int, reason: str, status: int) -> Fate:
    if _DUPLICATE in reason.lower():
        return Fate.UNKNOWN
    return _FATES.get(code, Fate.UNKNOWN if status >= 500 else Fate.REFUSED)


def _told(body: str) -> tuple[int | None, str]:
    """The code and the message in an answer's body; no code where it is not as documented."""
    try:
        told = json.loads(body)
    except ValueError:
        return None, ""
    if not isinstance(told, dict) or not isinstance(told.get("code"), int):
        return None, ""
    return told["code"], str(told.get("msg", ""))[:300]


def _stay_away(answer: Answer, reason: str) -> float | None:
    """Seconds: the header's; for a ban without one until the end that its text names, else for the shortest one."""
    told = _retry_after(answer.headers)
    if told is not None or answer.status != _BANNED:
        return told
    end = _BAN_END.search(reason)
    return max(int(end[1]) / 1000 - clock.now().timestamp(), 0.0) if end else SHORTEST_BAN_SECONDS


def _retry_after(headers: Mapping[str, str]) -> float | None:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(found) if found.isdigit() else None
