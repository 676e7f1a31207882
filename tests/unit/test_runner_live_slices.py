"""A live market's slices: each once, in order, none left out, whatever the stream tells."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.runner.core.inputs import VenueTrouble
from services.runner.live import slices as live
from services.runner.live.slices import Slices, closed_by, history
from shared.runtime import clock
from shared.schemas.market import Candle
from shared.venues.trouble import Fate, VenueError

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOTH = ("BTCUSDT", "ETHUSDT")


def bar(symbol: str, number: int) -> Candle:
    price = Decimal(100 + number)
    opened = START + number * MINUTE
    return Candle(symbol, opened, opened + MINUTE, price, price, price, price, Decimal(1))


class Market:
    """A market that streams what a test tells it to, and keeps history of all bars but those `untraded`."""

    name = "test"

    def __init__(self, untraded: Sequence[tuple[str, int]] = ()) -> None:
        self.untraded = untraded
        self.tell: Callable[[Candle], None] | None = None
        self.asked = 0
        self.troubles: list[VenueError] = []

    async def close(self) -> None: ...

    async def instruments(self) -> dict[str, object]:
        return {}

    async def history(self, symbol: str, start: datetime, end: datetime) -> Sequence[Candle]:
        self.asked += 1
        if self.troubles:
            raise self.troubles.pop()
        numbers = range((start - START) // MINUTE, (end - START) // MINUTE)
        return [bar(symbol, number) for number in numbers if (symbol, number) not in self.untraded]

    async def follow(self, heard: Callable[[Candle], None], alive: Callable[[], None]) -> None:
        self.tell = heard
        await asyncio.Event().wait()


class Stage:
    """Slices of both symbols from `START` on, on a clock that the test sets."""

    def __init__(self, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        monkeypatch.setattr(clock, "now", lambda: self.now)
        monkeypatch.setattr(live, "_PAUSE_SECONDS", 0.0)
        self.market = market
        self.came = asyncio.Event()
        self.troubles: list[VenueTrouble] = []
        self.slices = Slices(market, BOTH, MINUTE, START, self.came.set, self.troubles.append)  # type: ignore[arg-type]

    async def taken(self, count: int) -> list[list[tuple[str, int]]]:
        """The next `count` slices, each as its symbols and the minute they opened in."""
        found: list[list[tuple[str, int]]] = []
        while len(found) < count:
            candles = self.slices.take()
            if candles is None:
                self.came.clear()
                await asyncio.wait_for(self.came.wait(), 20)
            else:
                found.append([(each.symbol, (each.open_time - START) // MINUTE) for each in candles])
        return found


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(Market(), monkeypatch)


async def following(stage: Stage) -> asyncio.Task[None]:
    task = asyncio.ensure_future(stage.slices.keep())
    while stage.market.tell is None:
        await asyncio.sleep(0)
    return task


async def test_a_slice_is_whole_once_every_symbol_has_closed_and_is_told_without_rest(stage: Stage) -> None:
    task = await following(stage)
    assert stage.market.tell
    stage.market.tell(bar("ETHUSDT", 0))
    stage.market.tell(bar("BTCUSDT", 0))
    assert await stage.taken(1) == [[("BTCUSDT", 0), ("ETHUSDT", 0)]]
    assert stage.market.asked == 0
    task.cancel()


async def test_repeated_and_late_bars_are_told_once(stage: Stage) -> None:
    task = await following(stage)
    assert stage.market.tell
    for number in (0, 0, 1, 0, 1):
        for symbol in BOTH:
            stage.market.tell(bar(symbol, number))
    assert await stage.taken(2) == [[(symbol, number) for symbol in BOTH] for number in (0, 1)]
    assert stage.slices.take() is None
    task.cancel()


async def test_what_a_mute_stream_left_out_is_asked_for_and_comes_first(stage: Stage) -> None:
    stage.now = START + 3 * MINUTE + live.GRACE
    stage.market.troubles = [VenueError("test", Fate.RETRY, "busy")]
    task = await following(stage)
    assert await stage.taken(3) == [[(symbol, number) for symbol in BOTH] for number in (0, 1, 2)]
    task.cancel()


async def test_a_bar_without_trades_may_not_exist_and_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    untraded = (("ETHUSDT", 0), ("BTCUSDT", 1), ("ETHUSDT", 1))
    stage = Stage(Market(untraded), monkeypatch)
    stage.now = START + 3 * MINUTE + live.GRACE
    task = await following(stage)
    assert await stage.taken(2) == [[("BTCUSDT", 0)], [("BTCUSDT", 2), ("ETHUSDT", 2)]]
    task.cancel()


async def test_history_stands_side_by_side() -> None:
    found = await history(Market((("ETHUSDT", 1),)), BOTH, START, START + 2 * MINUTE)  # type: ignore[arg-type]
    assert [[each.symbol for each in candles] for candles in found] == [list(BOTH), ["BTCUSDT"]]


def test_bars_close_on_the_grid_of_their_length() -> None:
    assert closed_by(START + timedelta(seconds=59), MINUTE) == START
    assert closed_by(START, timedelta(hours=1)) == START - timedelta(minutes=30)
