"""The channels that the settings name."""

from collections.abc import Sequence

import structlog

from services.notifier.channels.log import LogChannel
from services.notifier.channels.port import Channel
from services.notifier.channels.telegram import TelegramChannel
from shared.runtime.settings import Settings


def configured(settings: Settings, log: structlog.typing.FilteringBoundLogger, patience: float) -> Sequence[Channel]:
    """The log always, and Telegram where its bot and chat are set; each tries for `patience` seconds."""
    channels: list[Channel] = [LogChannel(log)]
    token, chat = settings.telegram_bot_token, settings.telegram_chat_id
    if token is not None and chat is not None:
        channels.append(TelegramChannel(token, chat, settings.telegram_api_url, patience=patience))
    return channels
