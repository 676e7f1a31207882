"""Whole sessions at the venues' test servers, through everything that goes wrong at once."""

from decimal import Decimal
from pathlib import Path

import pytest

from shared.schemas.guard import TradingHalted
from shared.schemas.orders import AccountReconciled, OrderApproved
from tests.trials.binance import Trial
from tests.trials.storm import Storm
from tests.trials.venues import TRIALS
from tests.trials.week import trial_of, troubles_of
from tests.venues.binance.orders import Wanted


def statements(trial: Trial) -> list[AccountReconciled]:
    return [fact for fact in trial.stack.record.facts if isinstance(fact, AccountReconciled)]


@pytest.mark.parametrize("venue", TRIALS)
async def test_under_all_faults_and_kills_our_books_equal_the_venues_to_the_last_digit(
    tmp_path: Path, venue: str
) -> None:
    storm = Storm(venue, tmp_path, minutes=50, kills=3, share=0.015, symbols=5)
    trial = await storm.run()
    assert storm.killed >= 2
    assert len(trial.stack.record.tickets) > 20
    assert trial.faults.drawn.total() > 20


async def test_stops_with_a_take_profit_are_neither_doubled_nor_lost_in_a_storm(tmp_path: Path) -> None:
    storm = Storm("binance", tmp_path, minutes=50, kills=3, share=0.015, symbols=5, seed=2, profits=True)
    trial = await storm.run()
    assert storm.killed >= 2
    assert isinstance(trial, Trial)
    books = trial.server.account.exchange.books
    assert len(books.lists) > 5
    takers = [order for order in books.orders.values() if order.wanted.type == "LIMIT_MAKER"]
    assert any(order.status == "FILLED" for order in takers)
    assert any(order.status == "EXPIRED" for order in takers)


async def test_what_is_not_ours_is_reported_and_left_alone_and_what_nothing_explains_halts_new_risk(
    tmp_path: Path,
) -> None:
    async def others(trial: Trial, minute: int) -> None:
        exchange = trial.server.account.exchange
        if minute == 5:
            exchange.place(Wanted("BTCUSDT", "BUY", "LIMIT", "web_1", qty=Decimal("0.001"), price=Decimal(50_000)))
            exchange.place(Wanted("BTCUSDT", "SELL", "MARKET", "web_2", qty=Decimal("0.01")))
        if minute == 40:
            await trial.server.deposit("USDT", Decimal("-12.34"))
        if minute == 199:  # statements come by the clock on the wall, the market as fast as it is played
            await trial.until(lambda: any(fact.details.confirmed for fact in statements(trial)))

    trial = Trial(tmp_path, 200, trouble=others, calm=True)
    await trial.run()
    told = statements(trial)
    assert [fact.details.foreign_orders for fact in told if fact.details.foreign_orders] == [("web_1",)]
    assert len([fact for fact in told if fact.details.foreign_trades]) == 1
    placed = trial.server.account.exchange.books.orders.values()
    (order,) = (each for each in placed if each.wanted.client_id == "web_1")
    assert order.open
    differing = [fact for fact in told if fact.details.differences]
    assert [fact.details.confirmed for fact in differing[:3]] == [False, False, True]
    (difference,) = differing[2].details.differences
    assert (difference.asset, difference.venue - difference.ours) == ("USDT", Decimal("-12.34"))
    halts = [fact for fact in trial.stack.record.facts if isinstance(fact, TradingHalted)]
    assert len(halts) == 1
    assert f"{difference.ours:f} USDT" in halts[0].details.reason
    assert f"{difference.venue:f} USDT" in halts[0].details.reason
    after = [fact for fact in trial.stack.record.facts if fact.market_time > halts[0].market_time]
    assert not any(isinstance(fact, OrderApproved) and fact.order.purpose == "entry" for fact in after)


@pytest.mark.parametrize("venue", TRIALS)
async def test_through_limits_outages_and_mute_streams_a_session_ends_in_balance_and_tells_each_trouble(
    tmp_path: Path, venue: str
) -> None:
    trial = trial_of(venue, tmp_path, 120)
    await trial.run()
    assert not trial.differences
    told = {trouble["what"]: trouble for trouble in troubles_of(trial)}
    lost = told[f"the market's stream of {venue} was lost"]
    assert lost["count"] >= 4
    assert lost["mended"] >= lost["count"] - 1
    assert f"the account's stream of {venue} was lost" in told
    assert any(what.endswith("failed") and trouble["mended"] for what, trouble in told.items())
