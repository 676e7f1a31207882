"""A session at Alpaca: what it needs of the settings, and what Alpaca's orders need of the session."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.runtime.settings import Settings, clear
from shared.schemas.market import timeframe_of
from shared.schemas.session import SessionConfig
from shared.venues.connecting.keys import Keys
from shared.venues.live import Account, Market

if TYPE_CHECKING:
    from shared.venues import alpaca

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def obstacle(config: SessionConfig) -> str | None:
    """What the session wants and Alpaca has not, or None."""
    step = timeframe_of(config.timeframe)
    if step % _MINUTE or _HOUR % step:
        return f"timeframe {config.timeframe!r}: write 1m or so many minutes that an hour has a whole number of them"
    return next(filter(None, (_obstacle_of(symbol, config) for symbol in config.symbols)), None)


def keys(settings: Settings) -> Keys:
    """Alpaca tells prices, rules and trading hours to its users only, so a dry run needs the key too."""
    if settings.mode == "live":
        return Keys(
            ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"), settings.alpaca_api_key is not None, "or LIVE_TRADING=false"
        )
    names = ("ALPACA_PAPER_API_KEY", "ALPACA_PAPER_SECRET_KEY")
    return Keys(names, settings.alpaca_paper_api_key is not None, "in a dry run, too, for the prices; no order is sent")


def market(config: SessionConfig, settings: Settings) -> Market:
    """The session's market."""
    from shared.venues import alpaca

    extended = config.schedule.extended_hours
    return alpaca.market(_access(settings), config.symbols, config.timeframe, extended=extended)


def account(settings: Settings) -> Account:
    """The account that orders go to."""
    from shared.venues import alpaca

    return alpaca.account(_access(settings))


def _obstacle_of(symbol: str, config: SessionConfig) -> str | None:
    _, slash, quote = symbol.partition("/")
    if (quote or "USD") != config.quote:
        return f"quote {config.quote!r}: {symbol} is priced in {quote or 'USD'} at Alpaca"
    if slash and config.sizing.stop_distance and config.orders.stop == "stop":
        return f"orders.stop: Alpaca has no stop orders for {symbol}; set orders.stop = 'stop_limit'"
    return None


def _access(settings: Settings) -> "alpaca.Access":
    from shared.venues import alpaca

    live = settings.mode == "live"
    return alpaca.Access(
        paper=not live,
        key=clear(settings.alpaca_api_key if live else settings.alpaca_paper_api_key),
        secret=clear(settings.alpaca_secret_key if live else settings.alpaca_paper_secret_key),
        base_url=settings.alpaca_base_url,
        data_url=settings.alpaca_data_url,
        stream_url=settings.alpaca_stream_url,
    )
