"""The session file's model: every wrong setting is named, every right one survives the journey over the bus."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from shared.schemas.codec import decode, encode, subject_of
from shared.schemas.documents.json_schema import all_schemas
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.session import Duration, SessionConfig, duration
from tests.golden import sample

SMALL: dict[str, Any] = {
    "name": "small",
    "symbols": ["BTCUSDT"],
    "timeframe": "5m",
    "initial_capital": 10000,
    "feed": {"kind": "csv", "files": ["a.csv"]},
    "strategies": [{"name": "ema_crossover"}],
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    settings = deepcopy(SMALL)
    table = settings
    *parents, last = path.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
    table[last] = value
    return settings


def _told(path: str, value: Any) -> str:
    with pytest.raises(ValidationError) as wrong:
        SessionConfig.model_validate(_changed(path, value))
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.value.errors())


def _set(path: str, value: Any) -> SessionConfig:
    return SessionConfig.model_validate(_changed(path, value))


def test_a_small_file_is_enough() -> None:
    config = SessionConfig.model_validate(SMALL)
    assert config.initial_capital == Decimal(10000)
    assert config.instrument_of("BTCUSDT").tick_size == Decimal("0.01")
    assert config.flattens_on_kill


@pytest.mark.parametrize("setting", sorted(SMALL))
def test_a_missing_setting_names_itself(setting: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        SessionConfig.model_validate({key: value for key, value in SMALL.items() if key != setting})
    assert [error["loc"] for error in wrong.value.errors()] == [(setting,)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Demo 1"),
        ("venue", "kraken"),
        ("symbols", []),
        ("timeframe", "5 minutes"),
        ("quote", "usd"),
        ("initial_capital", 0),
        ("initial_capital", "much"),
        ("initial_capital", True),
        ("initial_capital", "1e999"),
        ("initial_capital", 0.1),
        ("combine", "some"),
        ("warmup_bars", -1),
        ("on_stop", "panic"),
        ("strategies", []),
        ("surprise", 1),
        ("sizing.fraction", "1.5"),
        ("sizing.stop_distance", 1),
        ("sizing.stop_distance", 0),
        ("orders.cancel_after_bars", 0),
        ("orders.surprise", 1),
        ("schedule.weekdays", []),
        ("schedule.weekdays", ["Monday"]),
        ("schedule.time_zone", "Mars/Olympus"),
        ("schedule.time_zone", "Europe"),
        ("schedule.start", "25:00"),
        ("schedule.start", "09:30+01:00"),
        ("schedule.max_duration", "0s"),
        ("schedule.max_duration", "5 minutes"),
        ("paper.participation", 0),
        ("paper.latency", 5),
        ("instrument.tick_size", -1),
        ("risk.max_risk_per_trade", "2"),
        ("risk.max_open_orders", -1),
        ("risk.allowed_order_types", ["iceberg"]),
        ("risk.approval_ttl", "9999999999d"),
        ("risk.max_data_age", "999999999d"),
        ("risk.day_time_zone", ""),
    ],
)
def test_a_wrong_setting_names_itself(path: str, value: Any) -> None:
    assert path in _told(path, value)


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("symbols", ["BTCUSDT", "BTCUSDT"], "symbols"),
        ("strategies", [{"name": "rsi"}, {"name": "rsi"}], "strategies"),
        ("strategies", [{"name": "a", "allocation": "0.6"}, {"name": "b", "allocation": "0.5"}], "allocations"),
        ("schedule.start", "09:30", "schedule"),
        ("sizing.method", "risk", "stop_distance"),
        ("instruments", {"ETHUSDT": {}}, "ETHUSDT"),
        ("feed", {"kind": "simulated", "start": "2026-01-05T00:00:00Z", "start_prices": {"XRP": 1}}, "XRP"),
        ("feed", {"kind": "simulated", "start": "2026-01-05T00:00:00"}, "feed.simulated.start"),
        ("feed", {"kind": "csv", "files": []}, "feed.csv.files"),
        ("feed", {"kind": "radio"}, "feed"),
    ],
)
def test_settings_that_contradict_each_other_are_named(path: str, value: Any, names: str) -> None:
    assert names in _told(path, value)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d", timedelta(days=2)),
        ("250ms", timedelta(milliseconds=250)),
        ("1m250ms", timedelta(minutes=1, milliseconds=250)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_are_read_and_written_again(text: str, length: timedelta) -> None:
    assert duration(text) == length
    written = json.loads(TypeAdapter(Duration).dump_json(length))
    assert duration(written) == length


@pytest.mark.parametrize("text", ["", "90", "s", "1.5h", "-1s", "1m1h", "1 h", "٣s", 90, None, 1.5])
def test_nothing_else_is_a_duration(text: Any) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration(text)


@pytest.mark.parametrize("limit", ["max_slippage", "max_data_age", "max_open_orders", "daily_loss_limit"])
def test_a_limit_that_is_off_stays_off_when_it_has_travelled_over_the_bus(limit: str) -> None:
    config = _set(f"risk.{limit}", "off")
    assert getattr(config.risk, limit) is None
    assert _travelled(config) == config


def test_a_sessions_settings_survive_the_journey_over_the_bus_to_the_digit() -> None:
    config = SessionConfig.model_validate(
        {
            **SMALL,
            "strategies": [
                {"name": "rebalance", "params": {"band": Decimal("0.050"), "weights": {"BTC": Decimal("1")}}}
            ],
            "schedule": {"start": "09:30", "stop": "16:00", "max_duration": "1h30m"},
            "paper": {"latency": "250ms"},
        }
    )
    travelled = _travelled(config)
    assert travelled == config
    assert travelled.digest() == config.digest()
    assert travelled.strategies[0].params == {"band": "0.050", "weights": {"BTC": "1"}}


def test_the_digest_changes_with_every_setting() -> None:
    changes = [("initial_capital", 10001), ("risk.max_slippage", "off"), ("strategies", [{"name": "rsi_reversion"}])]
    digests = {SessionConfig.model_validate(SMALL).digest(), *(_set(path, value).digest() for path, value in changes)}
    assert len(digests) == 4


def test_a_session_ends_after_its_longest_duration() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    assert SessionConfig.model_validate(SMALL).ends_at(start) is None
    assert _set("schedule.max_duration", "1h").ends_at(start) == start + timedelta(hours=1)


def test_a_kill_does_as_told_for_a_kill_and_else_as_for_the_end() -> None:
    assert not _set("on_stop", "keep").flattens_on_kill
    assert not _set("on_kill", "keep").flattens_on_kill
    assert SessionConfig.model_validate({**SMALL, "on_stop": "keep", "on_kill": "flatten"}).flattens_on_kill


def test_a_symbol_has_its_own_trading_rules_or_the_sessions() -> None:
    config = _set("instruments", {"BTCUSDT": {"tick_size": "0.1"}})
    assert config.instrument_of("BTCUSDT").tick_size == Decimal("0.1")
    assert config.instrument_of("ETHUSDT").tick_size == Decimal("0.01")


def test_the_json_schema_of_the_session_file_takes_what_the_model_takes() -> None:
    validator = Draft202012Validator(all_schemas()["session"])
    validator.validate(SMALL)
    validator.validate({**SMALL, "risk": {"max_slippage": "off", "max_data_age": "90s", "max_position_size": 0.5}})
    validator.validate(sample("runner_start.v1")["details"]["config"])
    assert not validator.is_valid({**SMALL, "surprise": 1})
    assert not validator.is_valid({**SMALL, "risk": {"max_data_age": "5 minutes"}})


def _travelled(config: SessionConfig) -> SessionConfig:
    golden = sample("runner_start.v1")
    start = decode("events.{session_id}.{service}.{type}".format(**golden), json.dumps(golden).encode())
    assert isinstance(start, RunnerStart)
    started = start.model_copy(update={"details": start.details.model_copy(update={"config": config})})
    again = decode(subject_of(started), encode(started))
    assert isinstance(again, RunnerStart)
    return again.details.config


def test_a_shadow_is_the_session_but_for_the_tables_that_it_gives() -> None:
    other = {"strategies": [{"name": "bollinger"}], "sizing": {"fraction": "0.2"}}
    config = SessionConfig.model_validate({**SMALL, "risk": {"max_open_orders": 3}, "shadow": other})
    alone = SessionConfig.model_validate({**SMALL, "risk": {"max_open_orders": 3}, **other})
    assert config.shadowed() == alone


def test_decisions_do_not_depend_on_a_shadow_and_so_the_digest_does_not() -> None:
    without = SessionConfig.model_validate(SMALL)
    with_one = SessionConfig.model_validate({**SMALL, "shadow": {"combine": "any"}})
    assert with_one.digest() == without.digest()
    assert "shadow" not in without.model_dump_json()
    assert SessionConfig.model_validate_json(with_one.model_dump_json()) == with_one


@pytest.mark.parametrize(
    ("shadow", "told"),
    [
        ({"strategies": [{"name": "a"}, {"name": "a"}]}, "shadow: strategies: two share a name"),
        ({"strategies": [{"name": "a", "allocation": "0.7"}, {"name": "b", "allocation": "0.7"}]}, "shadow: .*than 1"),
        ({"strategies": []}, "at least 1 item"),
        ({"symbols": ["ETHUSDT"]}, "Extra inputs"),
    ],
)
def test_a_shadow_that_does_not_go_with_the_session_is_refused_by_name(shadow: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as wrong:
        SessionConfig.model_validate({**SMALL, "shadow": shadow})
    assert "shadow" in str(wrong.value)
