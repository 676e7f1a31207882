"""From a session's configuration to its feed."""

from collections.abc import Sequence
from pathlib import Path

from services.runner.feeds.csv_file import load_csv
from services.runner.feeds.port import Feed, FeedError
from services.runner.feeds.simulated import simulate
from shared.schemas.market import timeframe_of
from shared.schemas.session import CsvFeed, MarketFeed, SessionConfig


def open_feed(config: SessionConfig, candles: Sequence[Path] = ()) -> Feed:
    """The session's feed; FeedError when it can't be traded on.

    `candles` take the place of the session's own feed: they may hold other symbols and another timeframe, which the
    feed's description then tells. Paths are relative to the working directory.
    """
    if candles:
        return load_csv(candles, config.symbols, only=False)
    if isinstance(config.feed, MarketFeed):
        raise FeedError(f"feed {config.feed.kind!r} is a live market, which has no end; name recorded candles instead")
    if isinstance(config.feed, CsvFeed):
        return _recorded(config, config.feed)
    return simulate(config)


def _recorded(config: SessionConfig, recorded: CsvFeed) -> Feed:
    feed = load_csv([Path(file) for file in recorded.files], config.symbols)
    if feed.step != timeframe_of(config.timeframe):
        raise FeedError(
            f"{feed.description.source}: bars of {feed.description.timeframe}, but the session says "
            f"timeframe = {config.timeframe!r}"
        )
    return feed
