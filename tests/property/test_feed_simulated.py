"""Whatever its settings: a simulated market consists of sound candles."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from services.runner.feeds.simulated import simulate
from shared.schemas.session import SessionConfig

START = datetime(2026, 1, 5, tzinfo=UTC)


@given(
    seed=st.integers(),
    volatility=st.decimals(0, 1, places=4),
    start_price=st.decimals("0.00000001", "1000000", places=8),
    tick=st.sampled_from(["0", "0.00000001", "0.01", "0.05", "1"]),
    regime_bars=st.integers(2, 30),
)
def test_every_candle_is_sound(
    seed: int, volatility: Decimal, start_price: Decimal, tick: str, regime_bars: int
) -> None:
    config = SessionConfig.model_validate(
        {
            "name": "property",
            "symbols": ["BTCUSDT"],
            "timeframe": "1m",
            "initial_capital": 1,
            "instrument": {"tick_size": tick},
            "feed": {
                "kind": "simulated",
                "seed": seed,
                "start": START,
                "start_price": start_price,
                "volatility": volatility,
                "regime_bars": regime_bars,
            },
            "strategies": [{"name": "ema_crossover"}],
        }
    )
    for (candle,) in islice(simulate(config).slices(), 60):
        assert 0 < candle.low <= min(candle.open, candle.close)
        assert candle.high >= max(candle.open, candle.close)
        assert candle.volume > 0
        assert not Decimal(tick) or candle.close % Decimal(tick) == 0
