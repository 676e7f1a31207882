"""What Telegram's answers mean (Bot API, https://core.telegram.org/bots/api#making-requests)."""

from http import HTTPStatus
from typing import Any

import httpx

_HINTS = {
    401: "check TELEGRAM_BOT_TOKEN",
    403: "the bot must be started by, or be a member of, the chat TELEGRAM_CHAT_ID",
    404: "check TELEGRAM_BOT_TOKEN and TELEGRAM_API_URL",
}


class RefusedError(Exception):
    """Telegram will not take this text, however often it is sent."""


class NotNowError(Exception):
    """Telegram has not taken the text but may later, not before `retry_after` seconds have passed."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UncertainError(Exception):
    """The text was sent and no answer came: it may have been delivered."""


def check(response: httpx.Response) -> None:
    """Return for a delivered text; NotNowError or RefusedError otherwise."""
    body = _body(response)
    if response.status_code == HTTPStatus.OK and body.get("ok") is True:
        return
    told = f"Telegram answered {response.status_code} {_description(response, body)}"
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise NotNowError(told, _retry_after(response, body))
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code == HTTPStatus.OK:
        raise NotNowError(told)
    hint = _HINTS.get(response.status_code, "check TELEGRAM_CHAT_ID and TELEGRAM_API_URL")
    raise RefusedError(f"{told}: {hint}")


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        parsed = response.json()
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _description(response: httpx.Response, body: dict[str, Any]) -> str:
    return str(body.get("description") or f"{response.reason_phrase}, and not in JSON").strip()[:200]


def _retry_after(response: httpx.Response, body: dict[str, Any]) -> float:
    parameters = body.get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else None
    try:
        return max(float(told if told is not None else response.headers.get("Retry-After", 1)), 0.0)
    except (TypeError, ValueError):
        return 1.0
