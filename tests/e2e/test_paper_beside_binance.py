"""The same session on the paper venue and at the Binance test server, at the same prices: every difference explained.

What differs by the venues' nature: an order at Binance takes the price at the moment it arrives, a buy one tick above
the last trade, while the paper venue fills at the next bar's open, which here is the same last trade; a buy's fee is
taken in the asset that was bought, so less of it is there to be sold, and what is below the step of quantities stays as
dust; and what these cost makes the next order as much smaller as the equity is.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.market import Candle, EquityMarked, SignalRaised
from shared.schemas.orders import DustLeft, OrderFilled, OrderIntended
from shared.schemas.session import CsvFeed, Instrument, Paper, SessionConfig
from shared.schemas.values import Side
from tests.rehearsal import feed_of, rehearse
from tests.trials.binance import START, Trial
from tests.venues.market import Bar

MINUTES = 500
FEE = Decimal("0.001")


class Dealt(NamedTuple):
    """An order, what it came to, and the equity that it was sized on."""

    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    equity: Decimal


async def test_every_difference_between_paper_and_the_venue_is_explained(tmp_path: Path) -> None:
    trial = Trial(tmp_path, MINUTES, calm=True, stops=False)
    await trial.run()
    assert not trial.differences
    facts = trial.stack.record.facts
    (start,) = (fact for fact in facts if isinstance(fact, RunnerStart))
    there, config = _dealt(facts), start.details.config
    paper = rehearse(_on_paper(config), feed_of(*(_candles(trial, symbol) for symbol in config.symbols)))
    here = _dealt(paper.events)
    last = START + timedelta(minutes=MINUTES)
    assert _signals(facts, last) == _signals(paper.events, last)
    compared = sorted(here.keys() & there.keys())
    assert {key for key in here.keys() ^ there.keys() if key[0] < last} == set()
    assert len(compared) > 30
    for key in compared:
        _explain(here[key], there[key], config.instrument_of(key[1]))
    assert any(isinstance(fact, DustLeft) for fact in facts)
    assert not any(isinstance(fact, DustLeft) for fact in paper.events)


def _explain(here: Dealt, there: Dealt, rules: Instrument) -> None:
    """AssertionError for a difference that has none of the known reasons."""
    buys = here.side is Side.BUY
    assert there.price - here.price == (rules.tick_size if buys else 0), "a buy pays one tick"
    assert (here.fee, here.fee_asset) == (here.qty * here.price * FEE, "USDT")
    if buys:
        assert there.fee_asset == there.symbol.removesuffix("USDT")
        assert here.qty * FEE - there.qty * FEE <= here.qty * FEE
        wanted = here.qty * there.equity / here.equity
        assert abs(there.qty - wanted) <= 2 * rules.lot_step, "it is as much smaller as the equity"
    else:
        assert there.fee_asset == "USDT"
        assert there.qty <= here.qty, "the fee was taken from the units, and dust stays"


def _dealt(facts: Sequence[Event]) -> Mapping[tuple[datetime, str], Dealt]:
    """Each order by the slice that it was decided on and its symbol."""
    marks: dict[str, tuple[datetime, str, Decimal]] = {}
    found: dict[tuple[datetime, str], Dealt] = {}
    slice_closed, equity = START, Decimal(0)
    for fact in facts:
        if isinstance(fact, EquityMarked) and fact.service == "runner":
            slice_closed, equity = fact.details.close_time, fact.metrics.equity
        elif isinstance(fact, OrderIntended) and fact.order.purpose in ("entry", "exit"):
            marks[fact.order.client_order_id] = (slice_closed, fact.order.symbol, equity)
        elif isinstance(fact, OrderFilled) and fact.order.client_order_id in marks:
            fill, (at, symbol, sized_on) = fact.order, marks[fact.order.client_order_id]
            assert (at, symbol) not in found, "an order that filled in parts"
            found[at, symbol] = Dealt(symbol, fill.side, fill.qty, fill.price, fill.fee, fill.fee_asset, sized_on)
    return found


def _signals(facts: Sequence[Event], last: datetime) -> list[tuple[str, str, Decimal]]:
    return [
        (fact.details.symbol, fact.details.reason, fact.details.price)
        for fact in facts
        if isinstance(fact, SignalRaised) and fact.market_time < last
    ]


def _on_paper(config: SessionConfig) -> SessionConfig:
    paper = Paper(maker_fee=FEE, taker_fee=FEE)
    return config.model_copy(update={"venue": "paper", "feed": CsvFeed(files=("trial",)), "paper": paper})


def _candles(trial: Trial, symbol: str) -> list[Candle]:
    return list(_as_told(symbol, trial.server.market.history[symbol]))


def _as_told(symbol: str, bars: list[Bar]) -> Iterator[Candle]:
    for bar in bars:
        if START - timedelta(minutes=20) <= bar.opened < START + timedelta(minutes=MINUTES):
            yield Candle(
                symbol=symbol,
                open_time=bar.opened,
                close_time=bar.ends,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
            )
