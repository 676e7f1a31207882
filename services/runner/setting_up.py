"""From a session file and command line options to a session that can run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

from services.runner.feeds.opening import open_feed
from services.runner.feeds.port import Feed
from shared.runtime.errors import SettingsError
from shared.runtime.session_file import load_session
from shared.schemas.session import CsvFeed, Instrument, Schedule, SessionConfig, duration
from shared.schemas.values import Mode

UNKNOWN_INSTRUMENT = Instrument(tick_size=Decimal(0), lot_step=Decimal("0.00000001"))
"""Trading rules of a symbol that the session file does not know: any price, quantities to the eighth digit."""


EventsKept = Literal["all", "trades", "none"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `speed` is market seconds a second, None for as fast as it goes.

    `events` are those that a backtest records: all, those beside candles and marks, or none.
    """

    session: Path
    candles: tuple[Path, ...] = ()
    speed: Decimal | None = None
    duration: timedelta | None = None
    events: EventsKept = "all"


def events_kept(text: str) -> EventsKept:
    """`all`, `trades` or `none`; SettingsError for anything else."""
    for known in get_args(EventsKept):
        if text == known:
            kept: EventsKept = known
            return kept
    raise SettingsError(f"EVENTS {text!r}: write all, trades or none")


def speed_of(text: str) -> Decimal | None:
    """`60` or `max`; SettingsError for anything else."""
    if text == "max":
        return None
    try:
        speed = Decimal(text)
    except ArithmeticError:
        speed = Decimal(0)
    if not speed.is_finite() or speed <= 0:
        raise SettingsError(f"SPEED {text!r}: write market seconds a second, for example 60, or max")
    return speed


def duration_of(text: str) -> timedelta:
    """`90s` or `1h30m`; SettingsError for anything else."""
    try:
        length = duration(text)
    except ValueError as error:
        raise SettingsError(f"DURATION: {error}") from None
    if length <= timedelta(0):
        raise SettingsError("DURATION must be longer than nothing, for example 60s")
    return length


def configured(options: Options) -> SessionConfig:
    """The session as its file and the options have it, before its feed is opened.

    A duration is wall time: at a given speed it bounds the session's market time, so that the same command decides the
    same on every machine.
    """
    config = load_session(options.session)
    if options.duration is None or options.speed is None:
        return config
    market = options.duration * float(options.speed)
    bound = min(market, config.schedule.max_duration or market)
    schedule = Schedule.model_validate({**config.schedule.model_dump(), "max_duration": bound})
    return config.model_copy(update={"schedule": schedule})


def paper_obstacle(config: SessionConfig, mode: Mode) -> str | None:
    """Why the session can't be traded on a simulated or recorded market in this mode, or None."""
    if config.venue == "paper" and mode == "dry_run":
        return None
    return (
        f"venue {config.venue!r} in mode {mode}: on a simulated or recorded market orders go "
        "to the paper venue only; set venue = 'paper' and DRY_RUN=true, or feed = 'binance' or 'alpaca'"
    )


def with_feed(config: SessionConfig, candles: Sequence[Path]) -> tuple[SessionConfig, Feed]:
    """The session and its feed; FeedError when it can't be traded on.

    Candle files in place of the session's feed bring their own symbols and timeframe. What the session file says of
    its own symbols does not hold for others: those trade by `UNKNOWN_INSTRUMENT`.
    """
    feed = open_feed(config, candles)
    if not candles:
        return config, feed
    described = feed.description
    replaced = {
        **config.model_dump(exclude={"feed", "symbols", "timeframe", "instruments"}),
        "feed": CsvFeed(files=tuple(str(path) for path in candles)),
        "symbols": described.symbols,
        "timeframe": described.timeframe,
        "instruments": {
            symbol: config.instrument_of(symbol) if symbol in config.symbols else UNKNOWN_INSTRUMENT
            for symbol in described.symbols
        },
    }
    return SessionConfig.model_validate(replaced), feed
