"""Reading a trading session from its TOML file."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.runtime.errors import SettingsError
from shared.schemas.session import SessionConfig


def load_session(path: Path) -> SessionConfig:
    """The session that the file `path` describes; SettingsError naming file and key for everything that is wrong."""
    try:
        return SessionConfig.model_validate(_parsed(path))
    except ValidationError as error:
        problems = "; ".join(_told(problem["loc"], problem["msg"]) for problem in error.errors())
        raise SettingsError(f"{path}: {problems}") from None


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file, parse_float=Decimal)
    except OSError as error:
        raise SettingsError(f"{path}: the session file can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ArithmeticError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def _told(place: tuple[int | str, ...], problem: str) -> str:
    text = problem.removeprefix("Value error, ")
    if text == "Extra inputs are not permitted":
        text = "unknown key"
    key = ".".join(map(str, place))
    return f"{key}: {text}" if key else text
