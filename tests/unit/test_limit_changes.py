"""Limits at run time: lowered at once, raised with the second factor only, the same in every fold."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyotp
import pytest

from services.risk.cli.status import Report, as_json, as_text
from services.risk.core.adjusting import too_much_for_live
from services.risk.core.usage import LIMITS, Use, limits_in_use
from services.risk.second_factor import new_secret, second_factor
from shared.schemas.codec import decode, encode, subject_of
from shared.schemas.guard import CommandRefused, LimitChanged
from shared.schemas.session import RiskLimits
from tests.guard_story import MONDAY, SESSION, Guarded, Story, at_a_real_venue, ticket, trading
from tests.unit.test_guard_commands import NOON, Desk

SECRET = new_secret()


def asked(desk: Desk, limit: str, value: str, session_id: str | None = SESSION, **given: Any) -> Any:
    fields = {"reason": "calmer", "operator": "anna", "limit": limit, "value": value, **given}
    return desk.ask(f"limit.{session_id}" if session_id else "limit", json.dumps(fields).encode())


def code(at: datetime = NOON) -> str:
    return pyotp.TOTP(SECRET).at(at)


def limits_of(desk: Desk, session_id: str = SESSION) -> RiskLimits:
    config = desk.post.stack.guards[session_id].config
    assert config is not None
    return config.risk


def refusal(desk: Desk, limit: str, value: str, **given: Any) -> str:
    (fact,) = asked(desk, limit, value, **given)
    assert isinstance(fact, CommandRefused)
    return fact.details.reason


def test_a_lower_limit_counts_at_once_and_needs_no_code() -> None:
    desk = Desk(second_factor(SECRET))
    (fact,) = asked(desk, "max_open_orders", "0")
    assert isinstance(fact, LimitChanged)
    assert (fact.details.before, fact.details.after, fact.details.operator) == ("off", "0", "anna")
    assert desk.refuses() == "max_open_orders"


def test_a_limit_is_raised_with_a_code_only_and_each_code_once() -> None:
    desk = Desk(second_factor(SECRET))
    asked(desk, "max_open_orders", "2")
    assert "second factor is missing" in refusal(desk, "max_open_orders", "3")
    assert "wrong" in refusal(desk, "max_open_orders", "3", totp="000000")
    asked(desk, "max_open_orders", "3", totp=code())
    assert limits_of(desk).max_open_orders == 3
    assert "used before" in refusal(desk, "max_open_orders", "off", totp=code())


def test_without_a_second_factor_no_limit_is_raised() -> None:
    desk = Desk()
    asked(desk, "daily_loss_limit", "0.01")
    assert "enrol-totp" in refusal(desk, "daily_loss_limit", "0.02")
    assert "enrol-totp" in refusal(desk, "daily_loss_limit", "off")


def test_all_sessions_or_none_are_changed() -> None:
    desk = Desk()
    asked(desk, "max_open_orders", "3")
    other = next(name for name in desk.stories if name != SESSION)
    assert refusal(desk, "max_open_orders", "3", session_id=None) == "max_open_orders is 3 already"
    assert limits_of(desk, other).max_open_orders is None
    assert len(asked(desk, "max_open_orders", "2", session_id=None)) == 2


@pytest.mark.parametrize(
    ("limit", "value", "problem"),
    [
        ("max_luck", "1", "there is no limit"),
        ("approval_ttl", "1h", "there is no limit"),
        ("max_open_orders", "many", "max_open_orders"),
        ("max_open_orders", "-1", "greater than or equal to 0"),
        ("max_data_age", "5", "is not a duration"),
        ("allowed_order_types", "limit, magic", "allowed_order_types"),
    ],
)
def test_what_is_no_limit_or_no_value_is_refused_by_name(limit: str, value: str, problem: str) -> None:
    assert problem in refusal(Desk(), limit, value)


def test_fewer_order_types_are_a_lower_limit_and_more_a_higher_one() -> None:
    desk = Desk()
    asked(desk, "allowed_order_types", "limit, stop")
    assert limits_of(desk).allowed_order_types == ("limit", "stop")
    assert "enrol-totp" in refusal(desk, "allowed_order_types", "limit, market")


@pytest.mark.parametrize(("limit", "value"), [("max_data_age", "1m30s"), ("max_position_size", "0.0000001")])
def test_another_fold_of_the_same_facts_comes_to_the_same_limits(limit: str, value: str) -> None:
    desk, again = Desk(), Desk()
    (fact,) = asked(desk, limit, value)
    again.hear(decode(subject_of(fact), encode(fact)))
    assert limits_of(again) == limits_of(desk)


def test_no_more_than_the_ceiling_in_the_code_is_at_risk_with_real_money() -> None:
    assert too_much_for_live(RiskLimits(max_risk_per_trade=Decimal("0.02"))) is None
    assert too_much_for_live(RiskLimits(max_risk_per_trade=Decimal("0.021"))) is not None
    assert too_much_for_live(RiskLimits(max_risk_per_trade=None)) is not None


def test_every_limit_is_shown_with_its_use_and_its_headroom() -> None:
    guarded: Guarded = trading(max_open_exposure="0.5", max_open_orders=3, max_data_age="5m")
    guarded.buy(ticket("a", qty="10"))
    guarded.judge(ticket("b", qty="10"))
    uses = {use.limit: use for use in limits_in_use(guarded.guard, NOON)}
    assert tuple(uses) == LIMITS
    assert uses["max_open_exposure"] == Use("max_open_exposure", "0.5", "0.2", "0.3", Decimal("0.4"))
    assert uses["max_open_orders"] == Use("max_open_orders", "3", "1", "2", Decimal(1) / 3)
    assert uses["max_data_age"] == Use("max_data_age", "300s", "0s", "300s", Decimal(0))
    assert uses["daily_loss_limit"] == Use("daily_loss_limit", "off", "0", None)
    assert uses["max_slippage"] == Use("max_slippage", "off", None, None)


def test_how_old_the_data_is_and_how_long_an_order_is_in_doubt_goes_by_the_clock_where_the_market_is_live() -> None:
    guarded = Guarded(Story(at_a_real_venue(max_data_age="5m", max_unknown_age="1m")))
    guarded.hear(guarded.story.start())
    uses = {use.limit: use for use in limits_in_use(guarded.guard, MONDAY)}
    assert uses["max_data_age"] == Use("max_data_age", "300s", "no candle yet", None)
    guarded.hear(guarded.story.close("100"))
    guarded.hear(guarded.story.doubt(ticket("a")))
    uses = {use.limit: use for use in limits_in_use(guarded.guard, guarded.story.now + timedelta(seconds=75.9))}
    assert uses["max_data_age"] == Use("max_data_age", "300s", "75s", "225s", Decimal("0.25"))
    assert uses["max_unknown_age"] == Use("max_unknown_age", "60s", "75s", "0s", Decimal("1.25"))


def test_status_tells_every_limit_in_columns_that_hold_it() -> None:
    guarded: Guarded = trading(max_open_orders=3, max_open_exposure="0.5")
    report = Report(None, [guarded.guard], {SESSION: NOON})
    _, head, titles, *rows = as_text(report, NOON + timedelta(seconds=4)).splitlines()[1:]
    assert "guard last heard 4 s ago" in head
    assert [row.split()[0] for row in rows] == list(LIMITS)
    assert {row.rindex("each order") + 10 for row in rows if "each order" in row} == {titles.index("in use") + 6}
    assert titles.split() == ["limit", "bound", "in", "use", "headroom"]
    told: Any = as_json(report, NOON)
    assert told["sessions"][0]["limits"][7] == {"limit": "max_open_orders", "bound": "3", "used": "0", "headroom": "3"}
