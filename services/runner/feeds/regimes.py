"""The hidden level that a simulated market moves around: bar by bar, from regime to regime."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

POINTS = 4
"""How often a bar's path is looked at: its open, twice between, its close."""

Path = tuple[float, ...]
"""A level at each of a bar's points."""


class Regime(NamedTuple):
    """A kind of market. `drift` and `noise` are a bar's, in units of the volatility; `pull` leads back to its start."""

    name: str
    drift: float
    noise: float
    pull: float


TREND_UP = Regime("trend up", 0.25, 0.8, 0.0)
TREND_DOWN = Regime("trend down", -0.25, 0.8, 0.0)
RANGE = Regime("range", 0.0, 0.7, 0.05)
VOLATILE = Regime("volatile", 0.0, 2.2, 0.0)

_LOWEST, _HIGHEST = 0.05, 20.0


def noise(chance: Random) -> float:
    """A random number of mean 0 and variance 1, between -3 and 3: the sum of three uniform ones."""
    uniform = chance.random
    return (uniform() + uniform() + uniform() - 1.5) * 2.0


def levels(seed: int, volatility: float, regime_bars: int) -> Iterator[Path]:
    """The market's level through each bar, without end; it starts around 1 and depends on these settings alone."""
    chance = Random(f"{seed}/market")
    level = 1.0
    while True:
        regime = next_regime(chance, level)
        anchor = level
        for _ in range(regime_bars // 2 + int(chance.random() * regime_bars)):
            path = _path(chance, regime, level, anchor, volatility)
            level = path[-1]
            yield path


def next_regime(chance: Random, level: float) -> Regime:
    """Three in five regimes are trends, and the further the level is from its start, the likelier one leads back."""
    kind, direction = chance.random(), chance.random()
    if kind < 0.6:
        return TREND_UP if direction * (1.0 + level * level) < 1.0 else TREND_DOWN
    return RANGE if kind < 0.85 else VOLATILE


def _path(chance: Random, regime: Regime, level: float, anchor: float, volatility: float) -> Path:
    path = []
    for _ in range(POINTS):
        drift = regime.drift * volatility + regime.pull * (anchor - level) / anchor
        level = moved(level, drift / POINTS, regime.noise * volatility * noise(chance))
        path.append(level)
    return tuple(path)


def moved(level: float, drift: float, shock: float) -> float:
    """The level one point later. `shock` is a bar's; a quarter of a bar has half its deviation."""
    factor = 1.0 + drift + shock / 2.0
    return min(max(level * max(factor, 0.5), _LOWEST), _HIGHEST)
