"""What the demo is asked to trade, checked before anything is started."""

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.runtime.errors import SettingsError
from shared.runtime.session_file import load_session
from shared.runtime.settings import load_settings
from shared.schemas.session import SessionConfig, duration

DEFAULT_DURATION = "60s"
"""How long a simulated market is traded when nobody says: it would go on without end."""


@dataclass(frozen=True, slots=True)
class Options:
    """`speed` is market seconds a second or `max`; `duration` is wall time, None for as long as the candles last."""

    session: Path
    candles: tuple[Path, ...]
    speed: str
    duration: str | None
    data_dir: Path


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options by command line or environment; SettingsError when they can't be traded on."""
    parser = ArgumentParser("python -m deploy.embedded.demo", description="Trade one dry-run session, whole.")
    parser.add_argument("--session", type=Path, default=Path(os.environ.get("SESSION") or "config/demo.toml"))
    parser.add_argument("--candles", type=Path, action="append", metavar="FILE", help="candles to replay")
    parser.add_argument("--speed", default=os.environ.get("SPEED") or "600", help="market seconds a second, or max")
    parser.add_argument("--duration", default=os.environ.get("DURATION"), help="end the session after, say, 60s")
    given = parser.parse_args(arguments)
    candles = tuple(given.candles or map(Path, (os.environ.get("CANDLES") or "").split()))
    config = load_session(given.session)
    _check(given.speed, given.duration, candles)
    length = given.duration or (None if candles else _default_duration(config))
    return Options(given.session, candles, given.speed, length, load_settings().data_dir.resolve())


def _default_duration(config: SessionConfig) -> str | None:
    return DEFAULT_DURATION if config.feed.kind == "simulated" else None


def _check(speed: str, length: str | None, candles: Sequence[Path]) -> None:
    missing = [str(path) for path in candles if not path.is_file()]
    if missing:
        raise SettingsError(f"CANDLES: no such file: {', '.join(missing)}")
    if speed != "max" and not _is_positive(speed):
        raise SettingsError(f"SPEED {speed!r}: write market seconds a second, for example 60, or max")
    try:
        duration(length or DEFAULT_DURATION)
    except ValueError as error:
        raise SettingsError(f"DURATION: {error}") from None


def _is_positive(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
