"""Plain messages to one Telegram chat."""

import asyncio
import logging

import httpx
from pydantic import SecretStr
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_before_delay, wait_exponential

from services.notifier.channels.port import UndeliverableError
from services.notifier.channels.telegram_answer import NotNowError, RefusedError, UncertainError, check
from shared.runtime import clock

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LONGEST_TEXT = 2000
"""Telegram takes 4096 UTF-16 units, and a character may need two."""
_AGAIN = "(sent again, the first may have arrived) "
_backoff = wait_exponential(multiplier=0.5, max=30)

logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO lines show URLs, and the URL holds the token


class TelegramChannel:
    """Sends to `chat_id` as the bot that `token` belongs to, at most one message every `spacing` seconds.

    A text that Telegram did not take is sent again for up to `patience` seconds, never earlier than Telegram asks.
    A text whose answer did not come within `answer_within` seconds may have been delivered: only an urgent one is
    sent again, saying so. The token shows in no error and no log.
    """

    name = "telegram"
    longest = _LONGEST_TEXT

    def __init__(
        self,
        token: SecretStr,
        chat_id: int,
        api_url: str,
        *,
        patience: float = 300.0,
        answer_within: float = 20.0,
        spacing: float = 1.0,
    ) -> None:
        self._token = token
        self._chat_id = chat_id
        self._patience = patience
        self._answer_within = answer_within
        self._spacing = spacing
        self._free_at = 0.0
        self._client = httpx.AsyncClient(base_url=api_url, timeout=httpx.Timeout(answer_within, connect=5.0))

    async def deliver(self, text: str, urgent: bool) -> int:
        """Send the text, cut to what Telegram takes; answers the number of attempts, or UndeliverableError."""
        tries = AsyncRetrying(
            retry=retry_if_exception(lambda error: _may_repeat(error, urgent)),
            wait=_wait,
            stop=stop_before_delay(self._patience),
            reraise=True,
        )
        doubts: list[UncertainError] = []
        try:
            async for attempt in tries:
                with attempt:
                    await self._send(text, doubts)
        except (NotNowError, RefusedError, UncertainError) as error:
            raise UndeliverableError(str(error), tries.statistics["attempt_number"]) from None
        return int(tries.statistics["attempt_number"])

    async def _send(self, text: str, doubts: list[UncertainError]) -> None:
        await self._pace()
        try:
            await self._post((_AGAIN + text if doubts else text)[:_LONGEST_TEXT])
        except UncertainError as doubt:
            doubts.append(doubt)
            raise

    async def _pace(self) -> None:
        now = clock.monotonic()
        starts_at = max(now, self._free_at)
        self._free_at = starts_at + self._spacing
        await asyncio.sleep(starts_at - now)

    async def _post(self, text: str) -> None:
        path = f"/bot{self._token.get_secret_value()}/sendMessage"
        body = {"chat_id": self._chat_id, "text": text, "link_preview_options": {"is_disabled": True}}
        try:
            async with asyncio.timeout(self._answer_within):
                check(await self._client.post(path, json=body))
        except _NEVER_SENT as error:
            raise NotNowError(f"Telegram can't be reached: {type(error).__name__}") from None
        except (TimeoutError, httpx.HTTPError) as error:
            raise UncertainError(
                f"no answer from Telegram within {self._answer_within:g} s ({type(error).__name__}); "
                "the message may have been delivered"
            ) from None

    async def close(self) -> None:
        """Close the connections to Telegram."""
        await self._client.aclose()


def _may_repeat(error: BaseException, urgent: bool) -> bool:
    return isinstance(error, NotNowError) or (urgent and isinstance(error, UncertainError))


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, NotNowError) else 0.0
    return max(asked, _backoff(state))
