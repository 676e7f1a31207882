"""Going live: every condition that is missing is named."""

from collections.abc import Sequence
from datetime import date

import pytest

from services.runner.preflight.finding import failures
from services.runner.preflight.promotion import TrackRecord, promotion
from shared.schemas.guard import Resumption, TradingResumed
from shared.schemas.session import SessionConfig
from tests.guard_story import Guarded, Story, at_a_real_venue, ticket

WEEK = frozenset(date(2026, 11, day) for day in range(1, 8))


FULL = TrackRecord(WEEK)


def missing(config: SessionConfig, enrolled: bool = True, record: TrackRecord = FULL) -> Sequence[str]:
    return [finding.name for finding in failures(promotion(config, enrolled=enrolled, record=record))]


def session(**given: object) -> SessionConfig:
    config = at_a_real_venue(max_risk_per_trade="0.01")
    return SessionConfig.model_validate({**config.model_dump(), **given})


def test_a_week_without_a_breach_and_a_second_factor_are_enough() -> None:
    assert missing(session()) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"enrolled": False}, "second factor"),
        ({"record": TrackRecord(frozenset(list(WEEK)[:6]))}, "testnet record"),
        ({"record": TrackRecord(WEEK, ("books differed",))}, "invariants"),
    ],
)
def test_each_condition_that_is_missing_is_named(given: dict[str, object], name: str) -> None:
    assert missing(session(), **given) == [name]  # type: ignore[arg-type]


def test_the_session_file_may_ask_for_a_longer_record_and_for_none_at_all_it_may_not() -> None:
    assert missing(session(live={"min_testnet_days": 8})) == ["testnet record"]
    with pytest.raises(ValueError, match="min_testnet_days"):
        session(live={"min_testnet_days": 0})


@pytest.mark.parametrize("share", ["0.03", "off"])
def test_more_at_risk_than_the_ceiling_in_the_code_is_refused_and_the_guard_counts_by_the_ceiling(share: str) -> None:
    assert missing(at_a_real_venue(max_risk_per_trade=share)) == ["ceiling"]
    guarded = Guarded(Story(at_a_real_venue(max_risk_per_trade=share), mode="live"))
    guarded.hear(guarded.story.start(), guarded.story.close("100"))
    guarded.learn(guarded.story.tell(TradingResumed, "risk", details=Resumption(reason="go", operator="anna")))
    assert guarded.refuses(ticket("a", qty="3")) == "max_risk_per_trade"
    assert guarded.refuses(ticket("b", qty="2")) is None
