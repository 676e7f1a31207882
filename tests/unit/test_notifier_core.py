"""Which facts become messages, in which words."""

import pytest

from services.notifier.core.message import failed_id, sent_id, was_not_sent, was_sent
from services.notifier.core.sentences import SENTENCES
from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import decode, encode, subject_of
from shared.schemas.values import STACK
from tests.notifier_story import Story

TIME = "(2026-01-05 09:40 UTC)"
QUIET = {
    "trading_hours_changed",
    "phase_start", "phase_end", "checkpoint", "candle_closed", "signal_raised", "order_intended", "order_approved",
    "order_submitted", "order_accepted", "order_cancelled", "order_reconciled", "venue_observed",
        "dust_left", "equity_marked",
    "shadow_marked", "heartbeat", "audit_head", "alert_sent", "alert_failed", "summary_updated", "trading_resumed",
}  # fmt: skip


@pytest.fixture
def story() -> Story:
    begun = Story()
    begun.tell("runner_start")
    return begun


def test_a_session_that_starts_is_introduced() -> None:
    assert Story().tell("runner_start") == [
        f"demo: session started, dry run on paper with 10,000.00 USDT: BTCUSDT, ETHUSDT, 5m bars {TIME}"
    ]


def test_a_session_with_real_money_says_so() -> None:
    assert "LIVE, with real money on paper" in Story().tell("runner_start", details={"mode": "live"})[0]


def test_a_session_that_ends_sums_itself_up(story: Story) -> None:
    assert story.tell("runner_end") == [
        "demo: session ended, success (end of feed): equity 10,120.44 USDT, profit 120.44 USDT (+1.20 %), 14 trades, "
        f"9 won, 5 lost, worst drawdown 2.13 %, fees 61.09 USDT, no open positions {TIME}"
    ]


def test_a_session_that_failed_is_an_alarm(story: Story) -> None:
    texts = story.tell("runner_end", status="failed", metrics={"pnl": "-50.004"}, details={"open_positions": 1})
    assert texts[0].startswith("[ALARM] demo: session ended, failed")
    assert "loss 50.00 USDT" in texts[0]
    assert "1 open position " in texts[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("trading_halted", "[ALARM] demo: trading KILLED by anna, every session: fat finger"),
        ("limit_breached", "[ALARM] demo: limit daily_loss_limit breached: 0.0521 seen, 0.05 allowed"),
        ("kill_confirmed", "[warning] demo: kill confirmed: the venue shows no open orders and no holdings"),
        ("flatten_ordered", "[warning] demo: closing every position, asked by anna: weekend"),
        ("command_refused", "[warning] demo: command resume by anna not carried out: totp: the code does not match"),
        (
            "order_refused",
            "[warning] demo: order refused by rule max_position_size: buy 0.1025 BTCUSDT at about 92,680.5 USDT "
            "(ema_crossover): 0.9497 seen, 0.5 allowed",
        ),
        (
            "order_rejected",
            "[warning] demo: venue rejected the order to buy 0.1025 BTCUSDT (ema_crossover): insufficient balance",
        ),
        ("order_unknown", "[ALARM] demo: fate of the order to buy 0.1025 BTCUSDT is unknown: no answer within 10 s"),
        (
            "error",
            "[ALARM] demo: error in runner, binance.submit: Binance answered 503 to an order; it is treated as unknown "
            "until the venue shows it",
        ),
        ("connection_lost", "[warning] demo: runner lost its connection to Binance market data: no answer for 3 s"),
        ("connection_restored", "demo: runner is connected to Binance market data again after 4.2 s"),
        (
            "autocorrect_attempt",
            "[warning] demo: input repaired by rule duplicate_dropped: BTC_PERP-1m.csv, line 1042, 3 times",
        ),
        ("report_ready", "demo: report written: sessions/3f0d2c5e-9a41-4c1b-8a77-0d5b6e1f2a90/report.html"),
    ],
)
def test_a_fact_is_told_in_one_sentence(story: Story, name: str, text: str) -> None:
    assert story.tell(name) == [f"{text} {TIME}"]


@pytest.mark.parametrize("name", sorted(QUIET))
def test_what_nobody_needs_to_know_is_not_told(story: Story, name: str) -> None:
    assert story.tell(name) == []


def test_every_type_is_either_told_or_known_to_be_quiet() -> None:
    assert set(BY_NAME) == set(SENTENCES) | QUIET | {"order_filled"}


def test_every_type_that_is_told_names_the_notifier_as_a_reader() -> None:
    assert [name for name in (*SENTENCES, "order_filled") if "notifier" not in BY_NAME[name].READERS] == []


def test_a_failed_check_is_told(story: Story) -> None:
    assert story.tell("checkpoint", status="fail", details={"observed": "2 gaps"}) == [
        f"[ALARM] demo: check history_validated failed in data_phase: 2 gaps {TIME}"
    ]


def test_a_kill_that_the_venue_does_not_confirm_is_an_alarm(story: Story) -> None:
    holdings = {"open_orders": ["lt-1", "lt-2"], "holdings": [{"symbol": "BTCUSDT", "qty": "0.50000"}]}
    texts = story.tell("kill_confirmed", status="failed", level="error", details=holdings)
    assert texts[0].startswith("[ALARM] demo: kill NOT confirmed")
    assert "2 open orders and 0.5 BTCUSDT" in texts[0]


def test_a_session_whose_start_was_not_seen_is_named_by_its_id() -> None:
    assert Story().tell("limit_breached")[0].startswith("[ALARM] session 3f0d2c5e: ")


def test_the_guards_first_word_in_a_session_is_no_news_but_the_end_of_a_halt_is(story: Story) -> None:
    assert story.tell("trading_resumed", details={"scope": "session", "control_sequence": None}) == []
    story.tell("trading_halted", details={"scope": "session"})
    assert story.tell("trading_resumed", details={"scope": "session"}) == [
        f"[warning] demo: trading resumed by anna: checked the positions {TIME}"
    ]


def test_a_kill_of_everything_is_told_once_and_not_again_for_every_session(story: Story) -> None:
    first = story.tell("trading_halted", session_id=STACK)
    assert first == [f"[ALARM] stack: trading KILLED by anna, every session: fat finger {TIME}"]
    assert story.tell("trading_halted") == []
    assert len(story.tell("trading_halted", session_id=STACK, details={"control_sequence": 99})) == 1


def test_the_end_of_a_kill_of_everything_is_told_once_whichever_session_had_not_been_halted(story: Story) -> None:
    story.tell("trading_halted", session_id=STACK)
    assert story.tell("trading_resumed") == []
    assert len(story.tell("trading_resumed", session_id=STACK)) == 1


def test_a_long_reason_is_cut_and_put_on_one_line(story: Story) -> None:
    text = story.tell("trading_halted", details={"reason": "no\nmore " + "x" * 1000})[0]
    assert "no more xxx" in text
    assert len(text) < 400


def test_the_outcome_of_a_message_carries_the_same_id_whenever_it_is_told(story: Story) -> None:
    event = story.fact("limit_breached")
    message = story.hear(event)[0]
    sent = was_sent(message, "telegram", 2, story.timestamp)
    failed = was_not_sent(message, "telegram", 0, story.timestamp, "no answer")
    assert (sent.id, failed.id) == (sent_id(message, "telegram"), failed_id(message, "telegram"))
    assert len({sent.id, failed.id, sent_id(message, "log")}) == 3
    assert (sent.details.about, sent.details.attempts, failed.details.attempts) == (event.id, 2, 1)
    for outcome in (sent, failed):
        assert decode(subject_of(outcome), encode(outcome)) == outcome
