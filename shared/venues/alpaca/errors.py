"""What Alpaca's refusals mean for the call that met them.

Sources: the answers listed for each call of the Trading API reference, its "Working with /orders" and "Websocket
Streaming"; the messages are those that its users report. A code alone says little (40310000 is both a lack of money
and a blocked account), so the message decides where it is known, then the code, then the HTTP status.
"""

import json
from collections.abc import Mapping
from datetime import datetime

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.venues.trouble import Fate, VenueError

NAME = "alpaca"
_FATES_BY_MESSAGE: Mapping[str, Fate] = {
    "client_order_id must be unique": Fate.UNKNOWN,  # the venue has an order of that name: ours, sent before
    "order is already in": Fate.ABSENT,  # nothing to cancel any more
    "order is not cancelable": Fate.ABSENT,
    "account is restricted": Fate.FATAL,
    "account is not active": Fate.FATAL,
    "rejected by user request": Fate.FATAL,  # trading is suspended in the account's configuration
}
_FATES_BY_CODE: Mapping[int, Fate] = {
    40010001: Fate.REFUSED,  # malformed
    40110000: Fate.FATAL,  # keys of another environment
    40310000: Fate.REFUSED,  # not with this account's money, shares or other orders
    40410000: Fate.ABSENT,
    42210000: Fate.REFUSED,
    42910000: Fate.RETRY,
    50010000: Fate.UNKNOWN,
}
_FATES_BY_STATUS: Mapping[int, Fate] = {
    401: Fate.FATAL,
    403: Fate.FATAL,  # without a code: the key is unknown, or its subscription does not reach so far
    404: Fate.ABSENT,
    408: Fate.UNKNOWN,
    429: Fate.RETRY,
}
_OF_THE_KEY = ("forbidden.", "unauthorized.", "request is not authorized")
_FATAL_ON_A_STREAM = ("auth failed", "insufficient subscription")
_LONGEST_WAIT = 60.0
"""The limit of requests is counted by the minute."""


class Answered(Exception):
    """An answer that is an error, as it came."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        super().__init__(f"HTTP {status}: {text[:300]}")
        self.status = status
        self.headers = headers
        self.text = text


def refusal(answer: Answered, now: datetime) -> VenueError:
    """What an error answer means."""
    code, message = _told(answer)
    if message in _OF_THE_KEY:
        message = f"the key is not accepted ({message}); paper trading and the live account have keys of their own"
    return VenueError(NAME, _fate(answer.status, code, message), message, code, _wait(answer, now))


def unanswered(error: requests.RequestException) -> VenueError:
    """What a call without an answer means: nothing happened only where no connection came about."""
    never = _no_connection(error)
    if never is not None:
        return VenueError(NAME, Fate.RETRY, f"no connection: {never}"[:300])
    return VenueError(NAME, Fate.UNKNOWN, f"no answer: {error!r}"[:300])


def stream_refusal(message: str, code: int | None = None) -> VenueError:
    """What a stream's refusal means."""
    fate = Fate.FATAL if any(told in message for told in _FATAL_ON_A_STREAM) else Fate.RETRY
    return VenueError(NAME, fate, message, code)


def _fate(status: int, code: int | None, message: str) -> Fate:
    for told, fate in _FATES_BY_MESSAGE.items():
        if told in message:
            return fate
    if status >= 500:
        return Fate.UNKNOWN
    if code is not None and code in _FATES_BY_CODE:
        return _FATES_BY_CODE[code]
    return _FATES_BY_STATUS.get(status, Fate.REFUSED)


def _told(answer: Answered) -> tuple[int | None, str]:
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return None, f"HTTP {answer.status}: {answer.text[:200]}"
    code = body.get("code")
    return code if isinstance(code, int) else None, str(body.get("message", f"HTTP {answer.status}"))[:300]


def _wait(answer: Answered, now: datetime) -> float | None:
    """Seconds until the venue answers again: as it asks, else until its count of requests begins anew."""
    if answer.status != 429:
        return None
    asked, reset = answer.headers.get("Retry-After", ""), answer.headers.get("X-RateLimit-Reset", "")
    if asked.isdigit():
        return float(asked)
    return min(max(int(reset) - now.timestamp(), 0.0), _LONGEST_WAIT) if reset.isdigit() else None


def _no_connection(error: requests.RequestException) -> Exception | None:
    """Why no connection came about; None where one may have."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return cause if isinstance(cause, NewConnectionError | ConnectTimeoutError) else None
