"""From a candle to the order that it leads to, over the bus: the real runner, the real guard, every fact stored.

The clock starts when a slice's candles come in and stops when the approved, signed order is handed to the venue. In
between lie two hops: the runner's facts to the guard, the guard's verdict back. The reference is the round trip of a
core request between two processes by nats-py alone, measured before and after in the same run. Beside it stands what
the same messages take on our bus without a decision: what is left for deciding is the rest.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from unittest.mock import patch

import structlog

from bench.bare_hops import hops
from bench.figures import Figure, at_most_times, beside
from bench.round_trip import round_trips
from deploy.embedded.nats_server import NatsServer, SyncInterval, start_nats
from services.runner.service import trade
from services.runner.setting_up import Options
from shared.domain.approval import ApprovedOrder
from shared.runtime.bus import Bus
from shared.runtime.health import Health
from shared.runtime.service import Context
from shared.runtime.settings import load_settings
from shared.schemas.market import Candle
from shared.venues.paper import PaperVenue
from shared.venues.port import Report

REFERENCE = "nats-py core round trip"
BOUNDS: Sequence[tuple[SyncInterval, str, float, float]] = (
    (None, "default sync", 3.0, 8.0),
    ("always", "sync always", 4.5, 12.0),
)
SESSION = """
name = "zigzag"
symbols = ["ZIG"]
timeframe = "1m"
initial_capital = 10000
[feed]
kind = "csv"
files = ["ZIG-1m.csv"]
[[strategies]]
name = "ema_crossover"
params = { fast = 1, slow = 2 }
[sizing]
fraction = 0.3
[paper]
taker_fee = 0
[risk]
max_risk_per_trade = "off"
daily_loss_limit = "off"
max_drawdown_limit = "off"
max_position_size = 0.5
max_orders_per_minute = 10
"""


class TimedVenue(PaperVenue):
    """A paper venue that notes how long after the candles an order came."""

    began = 0.0
    seconds: list[float] = []  # noqa: RUF012 - one session at a time is measured, and it makes its venue itself

    def advance(self, candles: Sequence[Candle]) -> Sequence[Report]:
        """The slice's candles are in."""
        TimedVenue.began = time.perf_counter()
        return super().advance(candles)

    async def submit(self, order: ApprovedOrder) -> Sequence[Report]:
        """The order has left the runner."""
        TimedVenue.seconds.append(time.perf_counter() - TimedVenue.began)
        return await super().submit(order)


def measure(full: bool) -> list[Figure]:
    """Median and 99th percentile under both ways of forcing writes."""
    bars = 2000 if full else 400
    return [figure for bound in BOUNDS for figure in _under(bars, *bound)]


def _under(bars: int, sync: SyncInterval, name: str, middle: float, far: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, start_nats(Path(folder) / "nats", sync_interval=sync) as server:
        before = asyncio.run(round_trips(server.url, bars))
        path = _order_path(server, Path(folder), bars)
        bare = asyncio.run(hops(server.url, bars))
        trips = [*before, *asyncio.run(round_trips(server.url, bars))]
    for label, share, bound in (("p50", 0.5, middle), ("p99", 0.99, far)):
        value, least, reference = (_quantile(each, share) * 1e6 for each in (path, bare, trips))
        title = f"candle in → order leaves, {name}, {label}"
        yield at_most_times(title, value, "µs", REFERENCE, reference, bound)
        yield beside(f"the same messages without a decision, {name}, {label}", least, "µs", REFERENCE, reference)


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return median(ordered) if share == 0.5 else ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _order_path(server: NatsServer, folder: Path, bars: int) -> Sequence[float]:
    session = _write_session(folder, bars)
    own = {"NATS_URL": server.url, "DATA_DIR": str(folder), "METRICS_HOST": "127.0.0.1", "METRICS_PORT": "0"}
    TimedVenue.seconds = []
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with patch.dict(os.environ, own), _guard(), patch("services.runner.service.PaperVenue", TimedVenue):
        asyncio.run(_trade(Options(session, (folder / "ZIG-1m.csv",), None, None)))
    return TimedVenue.seconds[len(TimedVenue.seconds) // 10 :]


def _write_session(folder: Path, bars: int) -> Path:
    rows = ["timestamp,open,high,low,close,volume"]
    for number in range(bars):
        price = (100, 101, 102, 101)[number % 4]
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_767_571_200 + 60 * number))
        rows.append(f"{stamp},{price},{price + 1},{price - 1},{price},1000000")
    (folder / "ZIG-1m.csv").write_text("\n".join(rows) + "\n")
    (folder / "zigzag.toml").write_text(SESSION)
    return folder / "zigzag.toml"


@contextmanager
def _guard() -> Iterator[None]:
    guard = subprocess.Popen([sys.executable, "-m", "services.risk", "run"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        guard.terminate()
        guard.wait()


async def _trade(options: Options) -> None:
    settings = load_settings()
    bus = await Bus.connect(settings, "runner")
    health = Health(settings.metrics_host, settings.metrics_port)
    try:
        await bus.ensure_streams()
        log = structlog.get_logger("runner")
        await trade(Context("runner", settings, bus, log, health, asyncio.Event()), options)
    finally:
        health.close()
        await bus.close()
