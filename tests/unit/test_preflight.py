"""What the preflight makes of a venue's answers, of the session's own limits and of the stack."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.runner.core.plan import Plan, plan
from services.runner.preflight import account, market, session, stack
from services.runner.preflight.finding import Finding, failed, passed, refusal, warned
from services.runner.preflight.market import Sight
from services.runner.preflight.risk import risk
from services.runner.preflight.sizes import order_sizes
from services.runner.preflight.table import table
from shared.runtime.errors import SettingsError
from shared.schemas.session import SessionConfig
from shared.schemas.values import STACK, OrderType
from shared.venues.binance import standing as binance
from shared.venues.connecting import Keys
from shared.venues.standing import Listing, Rights, Standing
from shared.venues.trouble import Fate, VenueError

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SOUND: dict[str, Any] = {
    "name": "sound",
    "symbols": ["BTCUSDT"],
    "timeframe": "1m",
    "initial_capital": 1000,
    "feed": "binance",
    "venue": "binance",
    "warmup_bars": 100,
    "strategies": [{"name": "ema_crossover", "params": {"fast": 5, "slow": 10}}],
    "sizing": {"method": "risk", "risk_per_trade": "0.005", "stop_distance": "0.02"},
    "instrument": {"lot_step": "0.001", "min_notional": 5},
}


def sound(**changed: Any) -> Plan:
    """A session without a flaw, except for what is changed; a table is merged into its own."""
    merged = {
        name: {**SOUND[name], **value} if isinstance(value, dict) and isinstance(SOUND.get(name), dict) else value
        for name, value in changed.items()
    }
    return plan(STACK, SessionConfig.model_validate({**SOUND, **merged}))


def only(findings: Any) -> Finding:
    """The single finding."""
    found: Finding
    (found,) = findings
    return found


def sight(offset_ms: float, round_trip_ms: float = 20) -> Sight:
    asked = NOW + timedelta(milliseconds=offset_ms - round_trip_ms / 2)
    return Sight(asked, NOW, asked + timedelta(milliseconds=round_trip_ms))


@pytest.mark.parametrize(
    ("offset", "round_trip", "verdict", "words"),
    [
        (0, 20, "pass", "0 ms ahead, ± 10 ms"),
        (-480, 20, "pass", "480 ms behind"),
        (600, 20, "warn", "600 ms ahead"),
        (-1200, 20, "FAIL", "1,200 ms behind, ± 10 ms; 1,000 ms is the bound"),
        (1200, 500, "warn", "1,200 ms ahead"),
        (0, 2400, "warn", "too slow an answer to tell"),
    ],
)
def test_the_clock_fails_beyond_a_second_that_the_round_trip_can_not_explain(
    offset: float, round_trip: float, verdict: str, words: str
) -> None:
    found = market.clock(sight(offset, round_trip))
    assert found.verdict == verdict
    assert words in found.told


def listed(**changed: Any) -> dict[str, Listing]:
    fields = {"trading": True, "status": "TRADING", "order_types": frozenset(OrderType), "quote": "USDT", **changed}
    return {"BTCUSDT": Listing("BTCUSDT", "BTC", **fields)}


def test_a_symbol_is_to_be_known_traded_and_priced_in_the_sessions_currency() -> None:
    config = sound().config
    assert market.symbols(config, listed()).verdict == "pass"
    assert "does not know BTCUSDT" in market.symbols(config, {}).told
    assert "not traded now: BTCUSDT (BREAK)" in market.symbols(config, listed(trading=False, status="BREAK")).told
    assert "not quoted in USDT: BTCUSDT (EUR)" in market.symbols(config, listed(quote="EUR")).told


@pytest.mark.parametrize(
    ("orders", "offered", "missing"),
    [
        ({"entry": "limit"}, "market stop", "BTCUSDT has no limit"),
        ({}, "limit stop", "BTCUSDT has no market"),
        ({}, "limit market", "BTCUSDT has no stop"),
        ({"stop": "stop_limit"}, "limit market stop", "BTCUSDT has no stop_limit"),
    ],
)
def test_every_kind_of_order_that_may_be_sent_must_be_offered(
    orders: dict[str, str], offered: str, missing: str
) -> None:
    config = sound(orders=orders).config
    listings = listed(order_types=frozenset(map(OrderType, offered.split())))
    assert market.order_types(config, listings) == failed(
        "order types", missing, "change `orders.entry` or `orders.stop`, or the symbol"
    )
    assert market.order_types(config, listed()).verdict == "pass"


def test_without_a_stop_distance_no_stop_needs_to_be_offered() -> None:
    config = sound(sizing={"method": "fraction", "fraction": "0.1", "stop_distance": None}).config
    assert market.order_types(config, listed(order_types=frozenset({OrderType.MARKET}))).verdict == "pass"


def test_an_unreachable_venue_names_the_setting_to_look_at() -> None:
    error = VenueError("binance", Fate.UNKNOWN, "no route")
    assert "BINANCE_BASE_URL" in market.unreached(error).advice
    banned = VenueError("binance", Fate.RETRY, "banned", -1003, retry_after=120)
    assert "stay away for 120 s" in market.unreached(banned).advice


HARMLESS = {
    "ipRestrict": True,
    "enableReading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "permitsUniversalTransfer": False,
    "enableSpotAndMarginTrading": True,
}


def verdicts(rights: Rights) -> dict[str, str]:
    return {each.name: each.verdict for each in account.rights(rights)}


def test_a_key_that_trades_and_moves_nothing_passes() -> None:
    assert set(verdicts(binance.rights(HARMLESS)).values()) == {"pass"}


@pytest.mark.parametrize("right", ["enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer"])
@pytest.mark.parametrize("value", [True, None, "false", 1])
def test_a_right_to_remove_funds_fails_unless_it_is_plainly_not_given(right: str, value: object) -> None:
    found = account.rights(binance.rights(HARMLESS | {right: value}))[0]
    assert found.verdict == "FAIL"
    assert right in found.told


@pytest.mark.parametrize("right", sorted(set(HARMLESS) - {"enableReading"}))
def test_an_answer_without_a_right_that_matters_is_no_answer(right: str) -> None:
    with pytest.raises(KeyError, match=right):
        binance.rights({name: value for name, value in HARMLESS.items() if name != right})


def test_other_flaws_of_a_key() -> None:
    assert verdicts(binance.rights(HARMLESS | {"enableSpotAndMarginTrading": False}))["key: trading"] == "FAIL"
    assert verdicts(binance.rights(HARMLESS | {"ipRestrict": False}))["key: addresses"] == "warn"
    assert verdicts(binance.rights(HARMLESS | {"enableFutures": True}))["key: other rights"] == "warn"


def test_rights_that_a_venue_does_not_tell_are_warnings_that_say_so() -> None:
    found = account.rights(Rights(untold="the venue keeps it to itself"))
    assert [each.verdict for each in found] == ["warn", "warn"]
    assert all("not checked: the venue keeps it to itself" in each.told for each in found)


def standing(*blocks: str, **free: str) -> Standing:
    return Standing(blocks, {asset: Decimal(amount) for asset, amount in free.items()}, Rights())


def test_a_blocked_account_fails_with_the_venues_words() -> None:
    assert account.status(standing()).verdict == "pass"
    found = account.status(standing("trading_blocked", "status is INACTIVE"))
    assert (found.verdict, found.told) == ("FAIL", "the account may not trade: trading_blocked, status is INACTIVE")


@pytest.mark.parametrize(("usdt", "verdict"), [("1000", "pass"), ("999.99", "FAIL")])
def test_the_balance_must_be_what_the_session_may_use(usdt: str, verdict: str) -> None:
    found = account.balance(sound().config, standing(USDT=usdt), begins=True)
    assert found.verdict == verdict
    assert "the session may use 1,000 USDT" in found.told


def test_an_account_without_the_quote_currency_has_nothing_free() -> None:
    assert account.balance(sound().config, standing(EUR="5000"), begins=True).told.startswith("0 USDT free")


def test_a_session_under_way_may_hold_its_capital_in_positions() -> None:
    assert account.balance(sound().config, standing(USDT="10"), begins=False).verdict == "pass"


def test_holdings_are_named_by_asset() -> None:
    assert account.holdings({"BTCUSDT": Decimal("0.50")}, listed()).told == "0.5 BTC: left alone"
    assert account.holdings({"BTCUSDT": Decimal(0)}, listed()).told == "nothing of the session's symbols"


def test_open_orders_are_told_by_whose_they_are() -> None:
    assert account.open_orders([]).verdict == "pass"
    found = account.open_orders(["web_1", "lt-1", *(f"android_{n}" for n in range(9))])
    assert found.verdict == "warn"
    assert found.told.startswith("10 not ours (web_1, android_0, android_1, android_2, android_3, …), 1 of another")


def test_a_sound_session_has_one_line_on_its_risk() -> None:
    assert only(risk(sound(), "testnet")) == passed(
        "risk", "may lose at most 2 % a trade, 5 % a day, 20 % from the peak of 1,000 USDT"
    )


FLAWS = [
    ({"risk": {"max_slippage": "off"}}, "warn", "turned off: max_slippage"),
    (
        {"risk": {"daily_loss_limit": "off", "max_drawdown_limit": "off"}},
        "FAIL",
        "nothing ends a losing session",
    ),
    ({"risk": {"max_open_orders": 0}}, "FAIL", "max_open_orders of zero refuses or halts everything"),
    ({"risk": {"max_drawdown_limit": 0, "daily_loss_limit": "off"}}, "FAIL", "max_drawdown_limit of zero"),
    ({"risk": {"max_data_age": "0s"}}, "FAIL", "max_data_age of zero"),
    ({"risk": {"daily_loss_limit": "0.3"}}, "FAIL", "daily_loss_limit 30 % lies above max_drawdown_limit 20 %"),
    ({"risk": {"max_risk_per_trade": "0.06"}}, "FAIL", "one trade may lose 6 %, more than the daily_loss_limit of 5 %"),
    ({"risk": {"max_open_exposure": "0.4"}}, "warn", "max_position_size 50 % lies above max_open_exposure 40 %"),
    ({"risk": {"allowed_order_types": ["limit"]}}, "FAIL", "entries are market orders"),
    ({"sizing": {"risk_per_trade": "0.03", "stop_distance": "0.1"}}, "FAIL", "loses 3 % when its stop is hit"),
    ({"sizing": {"risk_per_trade": "0.02"}}, "FAIL", "is worth 100 % of the equity; max_position_size is 50 %"),
    ({"sizing": {"method": "fraction", "fraction": "0.4", "stop_distance": None}}, "FAIL", "for it has no stop"),
    ({"sizing": {"method": "fraction", "fraction": "0.01", "stop_distance": None}}, "warn", "no protective stop"),
    ({"sizing": {"risk_per_trade": "0.0005", "stop_distance": "0.002"}}, "FAIL", "within what buying and selling"),
    ({"symbols": [f"S{n}" for n in range(21)]}, "warn", "21 positions could have a stop each"),
    ({"risk": {"max_data_age": "2s"}}, "warn", "max_data_age is 2 s"),
    ({"risk": {"approval_ttl": "1s"}}, "warn", "approval_ttl is 1 s"),
    (
        {"strategies": [{"name": "ema_crossover", "allocation": 1}, {"name": "bollinger"}]},
        "warn",
        "no capital is left for bollinger",
    ),
    (
        {"strategies": [{"name": "rebalance", "params": {"weights": {"BTCUSDT": 1}}}]},
        "warn",
        "buys without a stop, up to 100 % at once",
    ),
]


@pytest.mark.parametrize(("changed", "verdict", "words"), FLAWS)
def test_each_flaw_of_the_limits_is_found(changed: dict[str, Any], verdict: str, words: str) -> None:
    found = [each for each in risk(sound(**changed), "testnet") if words in each.told]
    assert [each.verdict for each in found] == [verdict]
    assert all(each.advice for each in found)


def test_a_dry_run_may_go_without_loss_limits_and_stops() -> None:
    flawed = sound(
        risk={"daily_loss_limit": "off", "max_drawdown_limit": "off"},
        sizing={"method": "fraction", "fraction": "0.01", "stop_distance": None},
    )
    assert only(risk(flawed, "dry_run")).verdict == "warn"


def test_entries_and_their_stops_must_reach_the_venues_minimum() -> None:
    prices = {"BTCUSDT": Decimal(100)}
    assert order_sizes(sound(), prices).verdict == "pass"
    entry = order_sizes(sound(instrument={"min_notional": 251}), prices)
    assert "250.00 USDT is too small: NOTIONAL: 250.00 is below the smallest order value of 251" in entry.told
    stop = order_sizes(sound(instrument={"min_notional": 246}), prices)
    assert (stop.verdict, "the stop of an entry of 250.00 USDT is too small" in stop.told) == ("FAIL", True)
    quantity = order_sizes(sound(instrument={"min_qty": 3}), prices)
    assert "below the smallest quantity of 3" in quantity.told


def test_sizes_can_not_be_checked_without_a_price() -> None:
    assert order_sizes(sound(), {}).verdict == "warn"


def test_the_mode_tells_where_orders_go_or_why_they_do_not() -> None:
    assert session.mode("testnet", "binance", None).told == "testnet: orders go to binance's account for tests"
    assert session.mode("live", "binance", None).told == "live: orders go to binance, with real money"
    refused = session.mode("live", "binance", "not yet")
    assert (refused.verdict, refused.told) == ("FAIL", "live: not yet")


def test_missing_keys_are_named() -> None:
    assert session.keys(None).verdict == "pass"
    assert session.keys(Keys(("KEY", "SECRET"), True, "")).verdict == "pass"
    assert session.keys(Keys(("KEY", "SECRET"), False, "")).told == "KEY and SECRET are not set"


def test_too_little_history_is_told_in_bars() -> None:
    assert session.warmup(sound()).verdict == "pass"
    found = session.warmup(sound(warmup_bars=4))
    assert found.verdict == "warn"
    assert "wait 5 bars" in found.advice


@pytest.mark.parametrize(
    ("ago", "sessions", "verdict"),
    [(5, True, "pass"), (60, True, "FAIL"), (60, False, "warn"), (None, False, "FAIL")],
)
def test_the_guard_must_have_been_heard_of(ago: int | None, sessions: bool, verdict: str) -> None:
    heard = None if ago is None else NOW - timedelta(seconds=ago)
    assert stack.guard(heard, NOW, sessions=sessions).verdict == verdict


def test_a_guards_key_that_can_not_be_read_fails_with_the_reason() -> None:
    def unreadable() -> None:
        raise SettingsError("no public NKEY")

    assert stack.guards_key(lambda: None).verdict == "pass"
    assert stack.guards_key(unreadable).told == "no public NKEY"
    missing = Path("/nowhere/risk.pub")
    assert stack.guards_key(missing.read_bytes).told == "/nowhere/risk.pub: No such file or directory"


@pytest.mark.parametrize(("free", "verdict"), [(10**8, "FAIL"), (10**9, "warn"), (10**10, "pass")])
def test_the_disk_must_have_room(free: int, verdict: str) -> None:
    assert stack.disk("data", free).verdict == verdict


FINDINGS = [passed("clock", "ours is right"), warned("key", "open to all", "bind it"), failed("disk", "full", "clear")]


def test_the_table_is_aligned_and_tells_verdicts_apart_without_colour() -> None:
    assert table(FINDINGS, colour=False, width=None).splitlines() == [
        "  ✓ pass  clock  ours is right",
        "  ! warn  key    open to all",
        "                 → bind it",
        "  ✗ FAIL  disk   full",
        "                 → clear",
        "",
        "  1 passed, 1 to know, 1 failed",
    ]


def test_the_table_has_colours_and_wraps_on_a_terminal() -> None:
    told = table([passed("x", "word " * 30)], colour=True, width=60).splitlines()
    assert told[0].startswith("  \x1b[34m✓ pass\x1b[0m  x  word")
    assert all(len(line.replace("\x1b[34m", "").replace("\x1b[0m", "")) <= 60 for line in told)


def test_a_refusal_names_every_failed_line_and_no_other() -> None:
    told = refusal("mine", [*FINDINGS, failed("bus", "gone", "start it")])
    assert told == "mine can't begin: disk: full; clear; bus: gone; start it"


def test_a_take_profit_that_the_runner_has_to_watch_is_said() -> None:
    config = sound(sizing={"stop_distance": "0.02", "profit_distance": "0.05"}).config
    found = market.order_types(config, listed())
    assert (found.verdict, "the runner takes profit" in found.told) == ("warn", True)
    assert market.order_types(config, listed(has_lists=True)).verdict == "pass"
