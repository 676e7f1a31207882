from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.venues.market import Bar, Market, Price, candle

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RISING = candle("BTCUSDT", START, "100", "110", "90", "105")
FALLING = candle("BTCUSDT", START, "105", "110", "90", "100")


async def test_a_candle_is_walked_against_its_direction_first() -> None:
    for played, path in (
        (RISING, (100, 90, 110, 105)),
        (candle("X", START, "105", "110", "90", "100"), (105, 110, 90, 100)),
    ):
        market, told = Market(), list[Price]()

        async def on_price(price: Price, told: list[Price] = told) -> None:
            told.append(price)

        market.subscribe(on_price)
        await market.play(played)
        assert [price.price for price in told] == list(path)
        assert [price.qty for price in told] == [Decimal(1)] * 4
        assert told[0].at == START
        assert told[-1].at < START + timedelta(minutes=1)


async def test_the_bar_so_far_grows_until_it_is_closed() -> None:
    market, told = Market(), list[tuple[int, int, int, bool]]()

    async def on_bar(symbol: str, bar: Bar, closed: bool) -> None:
        told.append((int(bar.low), int(bar.high), int(bar.volume), closed))

    market.subscribe(on_bar=on_bar)
    await market.play(RISING)
    assert told == [
        (100, 100, 1, False),
        (90, 100, 2, False),
        (90, 110, 3, False),
        (90, 110, 4, False),
        (90, 110, 4, True),
    ]
    assert market.history == {"BTCUSDT": [RISING.bar]}
    assert market.current == {}
    assert market.now == START + timedelta(minutes=1)
    assert market.last == {"BTCUSDT": 105}


async def test_the_bar_so_far_is_the_last_of_the_bars() -> None:
    market = Market()
    market.know([RISING])
    await market.step(candle("BTCUSDT", START + timedelta(minutes=1), "106"), 0)
    assert [bar.close for bar in market.bars("BTCUSDT")] == [105, 106]
