"""A year of minutes by the backtest, beside a plain loop over the same candles; and how its cost grows."""

import csv
import os
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench import reference
from bench.figures import Figure, Reference, at_least_as_there, at_most, at_most_as_there, beside, told
from bench.market import YEAR, write_walk
from services.runner.core.plan import plan
from services.runner.feeds.csv_file import load_csv
from services.runner.skimming.skim import skim
from services.runner.skimming.tally import Tally
from shared.schemas.envelope import Event
from shared.schemas.session import SessionConfig

PLAIN_LOOP = "plain loop, five events a trade"
LOOP_THERE = 600_000
"""Candles a second on the machine for which the target was set."""
CANDLES_A_SECOND = 400_000
SECONDS, MEBIBYTES = 3, 250
ROUNDS = 5
"""Each is run so often, in turns, and the fastest counts: whatever else the machine does only ever adds."""
RISK = {
    "max_risk_per_trade": 1,
    "max_position_size": 1,
    "max_open_exposure": 1,
    "daily_loss_limit": "0.5",
    "max_drawdown_limit": "0.9",
    "max_open_orders": 1000,
    "max_orders_per_minute": 10_000,
}
FILE = """name = "year"
symbols = ["BTCUSDT"]
timeframe = "1m"
initial_capital = 10000
feed = {{ kind = "csv", files = ["{path}"] }}
strategies = [{{ name = "ema_crossover" }}]
paper = {{ maker_fee = 0.00001, taker_fee = 0.00001 }}
risk = {{ max_risk_per_trade = 1, max_position_size = 1, daily_loss_limit = 0.5, max_drawdown_limit = 0.9 }}
"""


def measure(full: bool) -> list[Figure]:
    """Candles a second beside the plain loop, the whole process, and the cost of a candle as sessions grow."""
    with TemporaryDirectory() as folder:
        bars = YEAR if full else 60_000
        path = write_walk(Path(folder) / "BTCUSDT-1m.csv", bars)
        process = _process(path)  # while this process is small: Linux counts what a child was forked from, too
        growth = _growth(Path(folder), 20_000 if full else 3_000)
        loop, silent, telling = _run(path, bars)
        return [*_speeds(loop, silent, telling), *_whole(process, bars, loop), *growth]


class Process(NamedTuple):
    """What a process took by the clock, and its memory at the most."""

    seconds: float
    mebibytes: float


def _run(path: Path, bars: int) -> tuple[float, float, float]:
    """Candles a second of the plain loop, of the backtest, and of the backtest with every order's facts made."""
    rounds: dict[str, list[float]] = {"loop": [], "silent": [], "telling": []}
    with path.open(newline="") as file:
        rows = [(row["open"], float(row["close"])) for row in csv.DictReader(file)]
    opens, closes = [opened for opened, _ in rows], [close for _, close in rows]
    config, feed = _session(("BTCUSDT",), 1), load_csv([path])
    prepared = plan(reference.SESSION, config)
    works: dict[str, Callable[[], object]] = {
        "loop": lambda: reference.loop(opens, closes),
        "silent": lambda: skim(prepared, feed, Tally(None)),
        "telling": lambda: skim(prepared, feed, Tally(_unread)),
    }
    for _ in range(3 if bars == YEAR else ROUNDS):
        for name, work in works.items():
            rounds[name].append(_seconds(work))
    loop, silent, telling = (bars / min(rounds[name]) for name in works)
    return loop, silent, telling


def _speeds(loop: float, silent: float, telling: float) -> list[Figure]:
    beside_loop = Reference(PLAIN_LOOP, loop, LOOP_THERE)
    return [
        *at_least_as_there("backtest, the run", silent, "candles/s", CANDLES_A_SECOND, beside_loop),
        beside("backtest, every order's facts made", telling, "candles/s", PLAIN_LOOP, loop),
    ]


def _unread(fact: Event) -> None:
    """Facts are made and dropped."""


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _session(symbols: Sequence[str], strategies: int) -> SessionConfig:
    entries = [
        {"name": "ema_crossover", "label": f"ema{number}", "params": {"fast": 12 + number, "slow": 26 + 2 * number}}
        for number in range(strategies)
    ]
    settings = {
        "name": "bench",
        "symbols": tuple(symbols),
        "timeframe": "1m",
        "initial_capital": 10_000_000,
        "feed": {"kind": "csv", "files": ["bench"]},
        "strategies": entries,
        "sizing": {"fraction": Decimal("0.95") / len(symbols)},
        "paper": {"maker_fee": "0.00001", "taker_fee": "0.00001"},
        "risk": RISK,
    }
    return SessionConfig.model_validate(settings)


def _process(path: Path) -> Process:
    """The whole command in a process of its own."""
    session = path.with_name("year.toml")
    session.write_text(FILE.format(path=path))
    command = [sys.executable, "-m", "services.runner", "backtest", "--session", str(session), "--events", "none"]
    began = time.perf_counter()
    process = Popen(
        command,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "DATA_DIR": str(path.parent / "data")},
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds, mebibytes = time.perf_counter() - began, used.ru_maxrss / 1024
    if status != 0:
        raise RuntimeError(f"the backtest ended with status {os.waitstatus_to_exitcode(status)}")
    return Process(seconds, mebibytes)


def _whole(process: Process, bars: int, loop: float) -> list[Figure]:
    """The process beside the plain loop over the same candles, which took as many seconds as its speed says."""
    whole, memory = f"backtest, whole process, {bars:,} candles", f"backtest, memory, {bars:,} candles"
    if bars < YEAR:
        return [told(whole, process.seconds, "s"), told(memory, process.mebibytes, "MiB")]
    beside_loop = Reference(PLAIN_LOOP, bars / loop, bars / LOOP_THERE)
    return [
        *at_most_as_there(whole, process.seconds, "s", SECONDS, beside_loop),
        at_most(memory, process.mebibytes, "MiB", MEBIBYTES),
    ]


def _growth(folder: Path, bars: int) -> list[Figure]:
    """Microseconds for one candle of one symbol, beside the same with one symbol and one strategy."""
    costs = {(symbols, 1): _cost(folder, symbols, 1, bars) for symbols in (1, 10, 100)}
    costs |= {(1, strategies): _cost(folder, 1, strategies, bars) for strategies in (5, 20)}
    alone = costs.pop((1, 1))
    figures = [told("a candle, 1 symbol, 1 strategy", alone, "µs")]
    for (symbols, strategies), cost in costs.items():
        name = f"a candle, {symbols} symbols, {strategies} strategies"
        figures.append(beside(name, cost, "µs", f"{strategies} × alone", alone * strategies))
    return figures


def _cost(folder: Path, symbols: int, strategies: int, bars: int) -> float:
    names = [f"S{number}USDT" for number in range(symbols)]
    length = max(bars // symbols, 300)
    paths = [write_walk(folder / f"{name}-1m.csv", length, seed) for seed, name in enumerate(names)]
    feed, prepared = load_csv(paths), plan(reference.SESSION, _session(names, strategies))
    seconds = min(_seconds(lambda: skim(prepared, feed, Tally(None))) for _ in range(5))
    return seconds / (length * symbols) * 1e6
