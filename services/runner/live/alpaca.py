"""A session at Alpaca: what it needs of the settings, and what Alpaca's orders need of the session."""

from typing import TYPE_CHECKING

from shared.runtime.errors import SettingsError
from shared.runtime.settings import Settings, clear
from shared.schemas.session import SessionConfig
from shared.venues.live import Account, Market

if TYPE_CHECKING:
    from shared.venues import alpaca


def check(config: SessionConfig, settings: Settings) -> None:
    """SettingsError where there is no key, or where the session wants what Alpaca has not."""
    if settings.alpaca_paper_api_key is None:
        raise SettingsError(
            "set ALPACA_PAPER_API_KEY and ALPACA_PAPER_SECRET_KEY: Alpaca tells prices, rules and trading hours to its "
            "users only, so a dry run needs them too; it sends no order there"
        )
    for symbol in config.symbols:
        _check_symbol(symbol, config)


def market(config: SessionConfig, settings: Settings) -> Market:
    """The session's market."""
    from shared.venues import alpaca

    return alpaca.market(_access(settings), config.symbols, config.timeframe)


def account(settings: Settings) -> Account:
    """The account that orders go to."""
    from shared.venues import alpaca

    return alpaca.account(_access(settings))


def _check_symbol(symbol: str, config: SessionConfig) -> None:
    _, slash, quote = symbol.partition("/")
    if (quote or "USD") != config.quote:
        raise SettingsError(f"quote {config.quote!r}: {symbol} is priced in {quote or 'USD'} at Alpaca")
    if slash and config.sizing.stop_distance and config.orders.stop == "stop":
        raise SettingsError(f"orders.stop: Alpaca has no stop orders for {symbol}; set orders.stop = 'stop_limit'")


def _access(settings: Settings) -> "alpaca.Access":
    from shared.venues import alpaca

    return alpaca.Access(
        paper=True,
        key=clear(settings.alpaca_paper_api_key),
        secret=clear(settings.alpaca_paper_secret_key),
        base_url=settings.alpaca_base_url,
        data_url=settings.alpaca_data_url,
        stream_url=settings.alpaca_stream_url,
    )
