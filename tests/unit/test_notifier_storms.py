"""A storm of facts becomes a few messages, and nothing of it is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.core.wording import amount, money, percent
from tests.notifier_story import Story


@pytest.fixture
def story() -> Story:
    begun = Story()
    begun.tell("runner_start")
    return begun


def test_a_refusal_is_told_at_once_and_its_repetitions_are_counted(story: Story) -> None:
    assert len(story.tell("order_refused")) == 1
    for _ in range(12):
        assert story.tell("order_refused") == []
    story.wait(5)
    assert story.tell("heartbeat") == [
        "[warning] demo: 12 more since 09:40, the last: order refused by rule max_position_size: buy 0.1025 BTCUSDT "
        "at about 92,680.5 USDT (ema_crossover): 0.9497 seen, 0.5 allowed (2026-01-05 09:45 UTC)"
    ]
    assert story.tell("heartbeat") == []


def test_a_refusal_after_the_window_tells_how_many_came_before(story: Story) -> None:
    story.tell("order_refused")
    story.tell("order_refused")
    story.tell("order_refused")
    story.wait(6)
    assert story.tell("order_refused")[0].endswith("0.5 allowed, and 2 more before (2026-01-05 09:46 UTC)")


def test_another_rule_or_symbol_is_other_news(story: Story) -> None:
    story.tell("order_refused")
    assert len(story.tell("order_refused", details={"rule": "max_open_orders"})) == 1
    assert len(story.tell("order_refused", order={"symbol": "ETHUSDT"})) == 1


def test_a_fast_replay_is_held_back_by_the_wall_clock_too(story: Story) -> None:
    texts = []
    for _ in range(1000):
        story.wait(market=5, wall=0.001)
        texts += story.tell("order_refused")
    assert len(texts) == 1


def test_what_is_still_counted_at_the_end_is_told_before_the_end(story: Story) -> None:
    story.tell("order_refused")
    story.tell("order_refused")
    texts = story.tell("runner_end")
    assert "1 more since 09:40" in texts[0]
    assert "session ended" in texts[1]


def test_the_same_error_is_counted_and_another_is_told(story: Story) -> None:
    assert len(story.tell("error")) == 1
    assert story.tell("error") == []
    assert len(story.tell("error", error="Binance answered 418 to an order")) == 1


def test_halts_breaches_and_lost_connections_are_always_told(story: Story) -> None:
    for name in ("limit_breached", "connection_lost", "connection_restored", "kill_confirmed") * 5:
        assert len(story.tell(name)) == 1
    for number in range(5):
        assert len(story.tell("trading_halted", details={"control_sequence": number})) == 1


def test_an_order_that_fills_in_one_piece_is_told_at_once(story: Story) -> None:
    fill = {"status": "filled", "qty": "0.10250", "leaves_qty": "0.00000", "fee": "9.4966"}
    assert story.tell("order_filled", order=fill) == [
        "demo: bought 0.1025 BTCUSDT at 92,650 USDT, fee 9.4966 USDT (2026-01-05 09:40 UTC)"
    ]


def test_the_parts_of_an_order_are_told_as_one_when_it_is_whole(story: Story) -> None:
    assert story.tell("order_filled") == []
    rest = {"status": "filled", "qty": "0.06250", "price": "92660.00", "leaves_qty": "0", "fee": "4.6330"}
    assert story.tell("order_filled", order=rest) == [
        "demo: bought 0.1025 BTCUSDT at 92,656.098 USDT on average in 2 fills, fee 7.5978 USDT (2026-01-05 09:40 UTC)"
    ]


def test_a_part_whose_rest_does_not_come_is_told_within_a_minute(story: Story) -> None:
    story.tell("order_filled")
    story.wait(0.5)
    assert story.tell("heartbeat") == []
    story.wait(0.5)
    assert story.tell("heartbeat") == [
        "demo: bought 0.04 BTCUSDT at 92,650 USDT, fee 2.9648 USDT (2026-01-05 09:41 UTC)"
    ]


def test_many_fills_within_a_minute_are_summed_up_in_one_message(story: Story) -> None:
    whole = {"status": "filled", "leaves_qty": "0"}
    assert len(story.tell("order_filled", order=whole)) == 1
    for side in ("sell", "buy") * 20:
        assert story.tell("order_filled", order={**whole, "side": side}) == []
    story.wait(1)
    assert story.tell("heartbeat") == [
        "demo: sold 0.8 BTCUSDT at 92,650 USDT on average in 20 fills, fee 59.296 USDT; "
        "bought 0.8 BTCUSDT at 92,650 USDT on average in 20 fills, fee 59.296 USDT (2026-01-05 09:41 UTC)"
    ]


def test_fills_of_many_symbols_are_cut_to_a_readable_list(story: Story) -> None:
    for number in range(8):
        story.tell("order_filled", order={"symbol": f"COIN{number}"})
    story.wait(1)
    assert "; and 3 more positions (" in story.tell("heartbeat")[0]


def test_fees_in_several_assets_are_kept_apart(story: Story) -> None:
    story.tell("order_filled")
    text = story.tell("order_filled", order={"status": "filled", "fee_asset": "BNB", "fee": "0.00012"})[0]
    assert "fee 2.9648 USDT and 0.00012 BNB" in text


def test_untold_fills_are_told_before_the_session_ends(story: Story) -> None:
    story.tell("order_filled")
    texts = story.tell("runner_end")
    assert texts[0].startswith("demo: bought 0.04 BTCUSDT")
    assert texts[1].startswith("demo: session ended")
    assert story.state.tallies == {}
    assert story.state.streaks == {}


@given(st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.booleans(), st.floats(0, 2)), max_size=30))
def test_no_fill_is_ever_lost_or_told_twice(fills: list[tuple[str, bool, float]]) -> None:
    story, told = Story(), []
    for side, whole, minutes in fills:
        story.wait(minutes)
        status = "filled" if whole else "partially_filled"
        event = story.fact("order_filled", order={"side": side, "status": status, "qty": "1", "price": "10"})
        story.hear(event)
        told.append(story.state.ripe_tally)
    story.hear(story.fact("runner_end"))
    told.append(story.state.ripe_tally)
    sums = [total for tally in told if tally for total in tally.sums.values()]
    assert sum(total.fills for total in sums) == len(fills)
    assert sum((total.qty for total in sums), Decimal(0)) == len(fills)


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.10250", "0.1025"), ("92650.00", "92,650"), ("0.0000123456789", "0.000012345679"), ("1E+3", "1,000"),
     ("0", "0"), ("0E-8", "0"), ("123456789.5", "123,456,790"), ("-1.5", "-1.5"), ("100", "100")],
)  # fmt: skip
def test_quantities_and_prices_are_shown_short(number: str, text: str) -> None:
    assert amount(Decimal(number)) == text


def test_money_and_shares_are_shown_with_two_places() -> None:
    assert money(Decimal("-1234.5"), "USDT") == "-1,234.50 USDT"
    assert percent(Decimal("0.0213")) == "2.13 %"
    assert percent(Decimal("0.012"), signed=True) == "+1.20 %"
