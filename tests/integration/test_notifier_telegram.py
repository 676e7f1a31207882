"""The Telegram channel against a real HTTP server that answers as the Bot API does, also badly."""

import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.notifier.channels.port import UndeliverableError
from services.notifier.channels.telegram import TelegramChannel
from tests.venues.telegram_server import (
    BAD_GATEWAY,
    CHAT_ID,
    DELIVERED_BUT_HANGS,
    DELIVERED_WITHOUT_ANSWER,
    TOKEN,
    TelegramServer,
    Trouble,
    telegram_server,
    too_many,
)


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with telegram_server() as server:
        yield server


def _channel(url: str, token: str = TOKEN, chat_id: int = CHAT_ID, **timing: float) -> TelegramChannel:
    return TelegramChannel(SecretStr(token), chat_id, url, **{"spacing": 0.0, "patience": 20.0, **timing})


@pytest_asyncio.fixture
async def channel(telegram: TelegramServer) -> AsyncIterator[TelegramChannel]:
    opened = _channel(telegram.url)
    yield opened
    await opened.close()


async def test_a_message_arrives_as_plain_text(telegram: TelegramServer, channel: TelegramChannel) -> None:
    assert await channel.deliver("demo: *bought* 1 <b>BTC</b> & more", urgent=False) == 1
    assert telegram.received == ["demo: *bought* 1 <b>BTC</b> & more"]
    assert "parse_mode" not in telegram.requests[0]


async def test_waits_as_long_as_telegram_asks(telegram: TelegramServer, channel: TelegramChannel) -> None:
    telegram.script.append(too_many(2))
    begun = time.monotonic()
    assert await channel.deliver("hello", urgent=False) == 2
    assert time.monotonic() - begun >= 2
    assert telegram.received == ["hello"]


async def test_gives_up_when_telegram_asks_for_more_patience_than_there_is(telegram: TelegramServer) -> None:
    telegram.script.append(too_many(3600))
    channel = _channel(telegram.url, patience=5)
    with pytest.raises(UndeliverableError, match="429 Too Many Requests: retry after 3600"):
        await channel.deliver("hello", urgent=True)
    await channel.close()
    assert len(telegram.requests) == 1


async def test_sends_again_after_a_gateways_page_of_html(telegram: TelegramServer, channel: TelegramChannel) -> None:
    telegram.script.extend([BAD_GATEWAY, BAD_GATEWAY])
    assert await channel.deliver("hello", urgent=False) == 3
    assert telegram.received == ["hello"]


async def test_a_success_that_is_no_answer_of_telegram_is_none(telegram: TelegramServer) -> None:
    telegram.script.extend([Trouble(200, b"<html>log in to the hotel's network</html>", "text/html")] * 20)
    channel = _channel(telegram.url, patience=1.2)
    with pytest.raises(UndeliverableError, match="200 OK, and not in JSON"):
        await channel.deliver("hello", urgent=False)
    await channel.close()


async def test_a_wrong_token_is_told_at_once_and_never_shown(
    telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wrong = ":".join(("999", "not-the-right-one"))
    channel = _channel(telegram.url, token=wrong)
    with pytest.raises(UndeliverableError, match="401 Unauthorized: check TELEGRAM_BOT_TOKEN") as failure:
        await channel.deliver("hello", urgent=True)
    await channel.close()
    assert len(telegram.requests) == 1
    assert wrong not in f"{failure.getrepr(chain=True)}{caplog.text}{channel!r}{vars(channel)!r}"


async def test_a_wrong_chat_is_told_at_once(telegram: TelegramServer) -> None:
    channel = _channel(telegram.url, chat_id=1)
    with pytest.raises(UndeliverableError, match="400 Bad Request: chat not found: check TELEGRAM_CHAT_ID"):
        await channel.deliver("hello", urgent=False)
    await channel.close()


@pytest.mark.parametrize("trouble", [DELIVERED_BUT_HANGS, DELIVERED_WITHOUT_ANSWER])
async def test_an_ordinary_message_without_an_answer_is_not_sent_twice(
    telegram: TelegramServer, trouble: Trouble
) -> None:
    telegram.script.append(trouble)
    channel = _channel(telegram.url, answer_within=2.0)
    with pytest.raises(UndeliverableError, match="may have been delivered") as failure:
        await channel.deliver("hello", urgent=False)
    await channel.close()
    assert failure.value.attempts == 1
    assert telegram.received == ["hello"]


async def test_an_alarm_without_an_answer_is_sent_again_and_says_so(telegram: TelegramServer) -> None:
    telegram.script.append(DELIVERED_BUT_HANGS)
    channel = _channel(telegram.url, answer_within=2.0)
    assert await channel.deliver("KILLED", urgent=True) == 2
    await channel.close()
    assert telegram.received == ["KILLED", "(sent again, the first may have arrived) KILLED"]


async def test_a_server_that_is_not_there_is_tried_again_until_patience_ends() -> None:
    channel = _channel("http://127.0.0.1:1", patience=3.0)
    with pytest.raises(UndeliverableError, match="Telegram can't be reached: ConnectError") as failure:
        await channel.deliver("hello", urgent=False)
    await channel.close()
    assert failure.value.attempts > 1
    assert TOKEN not in str(failure.getrepr(chain=True))


async def test_sends_no_faster_than_one_chat_may_be_sent_to(telegram: TelegramServer) -> None:
    channel = _channel(telegram.url, spacing=0.2)
    begun = time.monotonic()
    for number in range(4):
        await channel.deliver(str(number), urgent=False)
    await channel.close()
    assert time.monotonic() - begun >= 0.6
    assert telegram.received == ["0", "1", "2", "3"]


async def test_a_text_is_cut_to_what_telegram_takes(telegram: TelegramServer, channel: TelegramChannel) -> None:
    await channel.deliver("😀" * 5000, urgent=False)
    assert telegram.received == ["😀" * 2000]
