"""Where settings come from, and which names are none."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from shared.runtime.errors import SettingsError

_FILE = "_FILE"
_FLAGS = ("SESSION", "SPEED", "DURATION", "CANDLES")
"""The runner's flags may stand in the environment, too; they are no settings of a service."""
_PREFIXES = (
    "BINANCE_", "ALPACA_", "TELEGRAM_", "SMTP_", "EMAIL_", "DESK_", "TOTP_", "LIVE_", "DRY_", "RISK_", "RECORDER_",
    "KILL_",
)  # fmt: skip
_PREFIXES_IN_DOTENV = (*_PREFIXES, "NATS_", "DATABASE_", "LOG_", "DATA_", "METRICS_")
"""In the environment at large, names such as NATS_PORT may be an orchestrator's."""
_ALIKE = 0.87


def gathered(environ: Mapping[str, str], dotenv: Path | None, names: Sequence[str]) -> dict[str, str]:
    """Each setting that is given, by its name in `names`; empty ones count as not given. SettingsError if unknown."""
    stored = _dotenv(dotenv)
    _refuse_unknown(environ, names, _PREFIXES, "the environment")
    _refuse_unknown(stored, names, _PREFIXES_IN_DOTENV, str(dotenv))
    merged = {**_filled(stored), **_filled(environ)}
    given = {name: value for name in names if (value := _value(name, merged, names)) is not None}
    return {**_endpoints(Path(given.get("data_dir", "data"))), **given}


def _dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    try:
        return {key: value or "" for key, value in dotenv_values(path, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from None


def _filled(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in given.items() if value.strip()}


def _value(name: str, given: Mapping[str, str], names: Sequence[str]) -> str | None:
    plain, by_file = name.upper(), name.upper() + _FILE
    if by_file.lower() in names or by_file not in given:
        return given.get(plain)
    if plain in given:
        raise SettingsError(f"{plain} and {by_file} exclude each other; set one")
    try:
        return Path(given[by_file]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{by_file}: {given[by_file]} can't be read: {error}") from None


def _refuse_unknown(given: Mapping[str, str], names: Sequence[str], prefixes: tuple[str, ...], source: str) -> None:
    known = [spelled for name in names for spelled in (name.upper(), name.upper() + _FILE)]
    problems = [problem for name in sorted(given) for problem in _doubt(name, known, prefixes)]
    if problems:
        raise SettingsError(f"{source}: {'; '.join(problems)}")


def _doubt(name: str, known: Sequence[str], prefixes: tuple[str, ...]) -> Iterator[str]:
    if name in known or name in _FLAGS:
        return
    alike = get_close_matches(name, known, 1, _ALIKE)
    if alike or name.startswith(prefixes):
        yield f"{name} is not a setting" + (f"; did you mean {alike[0]}?" if alike else "")


def _endpoints(data_dir: Path) -> dict[str, str]:
    path = data_dir / "run" / "endpoints.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} can't be read: {error}; remove it, or set NATS_URL and DATABASE_URL") from None
    return {name: told[key] for name, key in (("nats_url", "nats"), ("database_url", "database")) if told.get(key)}
