"""A test message over every channel, without the bus."""

from services.notifier.channels.configured import configured
from services.notifier.channels.port import Channel, UndeliverableError
from shared.runtime.log import configure_log
from shared.runtime.settings import Settings

_TEXT = "Leitstand: this is a test message; alerts will reach you here."
_PATIENCE_SECONDS = 30.0


async def try_channels(settings: Settings) -> int:
    """Send over each configured channel and print what happened; answers the exit status."""
    channels = configured(settings, configure_log(settings, "notifier"), _PATIENCE_SECONDS)
    results = [await _tried(channel) for channel in channels]
    if settings.telegram_bot_token is None:
        print("telegram: not configured; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID")
    return 0 if all(results) else 1


async def _tried(channel: Channel) -> bool:
    try:
        attempts = await channel.deliver(_TEXT, urgent=False)
    except UndeliverableError as error:
        print(f"{channel.name}: failed: {error}")
        return False
    finally:
        await channel.close()
    print(f"{channel.name}: sent, {attempts} {'attempt' if attempts == 1 else 'attempts'}")
    return True
