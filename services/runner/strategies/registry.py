"""Finds strategies by the names of their files: a new file in this package is a new strategy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal

from pydantic import ValidationError

from services.runner import strategies
from services.runner.strategies.port import Bar, Bars, Stance, StrategyError, StrategyParams
from shared.schemas.session import StrategyEntry

_NO_STRATEGIES = frozenset({"port", "registry", "indicators"})

Step = Callable[[Any, Any, Bar], tuple[Any, Stance | None]]
Run = Callable[[Any, Any, Bars, int, int], tuple[Any, int]]
Weigh = Callable[[Any, Any, Mapping[str, float], Mapping[str, float]], tuple[Any, Mapping[str, Stance] | None]]


@dataclass(frozen=True, slots=True)
class SymbolStrategy:
    """A strategy that looks at one symbol at a time; each symbol has a state of its own."""

    name: str
    label: str
    params: StrategyParams
    warmup: int
    start: Any
    """The state before the first bar."""
    step: Step
    run: Run
    kind: Literal["symbol"] = "symbol"


@dataclass(frozen=True, slots=True)
class PortfolioStrategy:
    """A strategy that weighs all symbols against each other, with one state."""

    name: str
    label: str
    params: StrategyParams
    warmup: int
    start: Any
    """The state before the first slice."""
    weigh: Weigh
    kind: Literal["portfolio"] = "portfolio"


LoadedStrategy = SymbolStrategy | PortfolioStrategy


def available() -> tuple[str, ...]:
    """The names of all strategies there are, sorted."""
    found = (module.name for module in iter_modules(strategies.__path__))
    return tuple(sorted(name for name in found if name not in _NO_STRATEGIES and not name.startswith("_")))


def load(entry: StrategyEntry) -> LoadedStrategy:
    """The strategy that a session names, with its parameters; StrategyError when there is none or they don't fit."""
    module = _module(entry.name)
    params = _params(module, entry)
    label = entry.label or entry.name
    warmup, start = module.warmup(params), module.initial(params)
    if hasattr(module, "weigh"):
        return PortfolioStrategy(entry.name, label, params, warmup, start, module.weigh)
    run = getattr(module, "run", None) or stepping(module.step)
    return SymbolStrategy(entry.name, label, params, warmup, start, module.step, run)


@cache
def stepping(step: Step) -> Run:
    """`run` as `port` describes it, made of steps."""

    def run(params: Any, state: Any, bars: Bars, start: int, stop: int) -> tuple[Any, int]:
        for number in range(start, stop):
            after, stance = step(params, state, bars.bar(number))
            if stance is not None:
                return state, number
            state = after
        return state, stop

    return run


def _module(name: str) -> ModuleType:
    if name not in available():
        raise StrategyError(f"there is no strategy {name!r}; there are {', '.join(available())}")
    try:
        module = import_module(f"{strategies.__name__}.{name}")
    except Exception as error:
        raise StrategyError(f"strategy {name!r} cannot be imported: {type(error).__name__}: {error}") from error
    _require_parts(name, module)
    return module


def _require_parts(name: str, module: ModuleType) -> None:
    missing = [part for part in ("Params", "warmup", "initial") if not hasattr(module, part)]
    if not hasattr(module, "step") and not hasattr(module, "weigh"):
        missing.append("step (or weigh)")
    if missing:
        raise StrategyError(f"strategy {name!r} lacks {', '.join(missing)}; strategies/port.py says what it needs")


def _params(module: ModuleType, entry: StrategyEntry) -> StrategyParams:
    try:
        params: StrategyParams = module.Params(**entry.params)
    except ValidationError as error:
        problems = "; ".join(_problem(dict(found), module.Params) for found in error.errors())
        raise StrategyError(f"strategy {entry.label or entry.name!r}: {problems}") from None
    return params


def _problem(found: Mapping[str, Any], kind: type[StrategyParams]) -> str:
    key = ".".join(["params", *map(str, found["loc"])])
    if found["type"] == "extra_forbidden":
        return f"{key}: unknown; it takes {', '.join(kind.model_fields) or 'no parameters'}"
    reason = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "missing" or not found["loc"]:
        return f"{key}: {reason}"
    return f"{key}: {reason}, not {found['input']!r}"
