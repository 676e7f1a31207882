"""A shadow decides on the session's stream by other means, and the session notices nothing of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.runner.core.plan import PlanError, plan
from services.runner.course import course, opening
from services.runner.shadow import Shadow, shadow_plan
from services.runner.skimming.skim import skim
from services.runner.skimming.tally import Tally
from services.runner.strategies import ema_crossover
from shared.domain.report import gather
from shared.schemas.envelope import Event
from shared.schemas.identity import derived_id
from shared.schemas.lifecycle import ErrorRaised
from shared.schemas.market import EquityMarked, ShadowMarked
from shared.schemas.session import SessionConfig
from tests.property.test_replay import replayed
from tests.rehearsal import SESSION, candles_at, feed_of, rehearse, session

OTHER = {"strategies": [{"name": "ema_crossover", "params": {"fast": 3, "slow": 6}}]}
CAREFUL = {
    "sizing": {"method": "fraction", "fraction": "0.3", "stop_distance": "0.02"},
    "orders": {"entry": "limit", "limit_offset": "0.01", "cancel_after_bars": 2},
    "risk": {"max_drawdown_limit": "0.05"},
}
SESSIONS: list[dict[str, Any]] = [
    {},
    {"warmup_bars": 3, "on_stop": "flatten"},
    {"paper": {"latency": "90s", "slippage": "0.001", "slippage_jitter": "0.001", "participation": "0.1"}},
    {"sizing": CAREFUL["sizing"], "on_stop": "flatten", "risk": {"max_orders_per_minute": 1}},
]
prices = st.lists(st.integers(min_value=80, max_value=125).map(str), min_size=8, max_size=40)
sessions = st.sampled_from(SESSIONS)
shadows = st.sampled_from([OTHER, CAREFUL, {**OTHER, **CAREFUL}])
few = settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
WALK = ["100", "100", "100", "101", "102", "103", "99", "98", "97", "101", "104", "103", "99", "105", "98"]


def rehearsed(config: SessionConfig, closes: Sequence[str]) -> Sequence[Event]:
    return rehearse(config, feed_of(candles_at(closes))).events


def marks(events: Sequence[Event]) -> list[dict[str, Any]]:
    told = [event for event in events if isinstance(event, EquityMarked) and event.service == "runner"]
    return [{**mark.metrics.model_dump(), "close_time": mark.details.close_time} for mark in told]


def shadow_marks(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [event.details.model_dump() for event in events if isinstance(event, ShadowMarked)]


def decided(events: Sequence[Event]) -> list[Event]:
    """All but the shadow's marks and the session's start, in which the shadow is named."""
    return [event for event in events if event.type not in ("shadow_marked", "runner_start")]


@few
@given(prices, sessions, shadows)
def test_a_session_decides_the_very_same_with_and_without_a_shadow(
    closes: list[str], given: dict[str, Any], shadow: dict[str, Any]
) -> None:
    told = rehearsed(session(**given, shadow=shadow), closes)
    assert decided(told) == decided(rehearsed(session(**given), closes))


@few
@given(prices, sessions)
def test_a_shadow_that_changes_nothing_marks_what_the_session_marks(closes: list[str], given: dict[str, Any]) -> None:
    told = rehearsed(session(**given, shadow={}), closes)
    assert shadow_marks(told) == marks(told)


@few
@given(prices, sessions, shadows)
def test_a_shadow_marks_what_a_backtest_by_its_own_means_marks(
    closes: list[str], given: dict[str, Any], shadow: dict[str, Any]
) -> None:
    config = session(**given, shadow=shadow)
    alone = config.shadowed()
    assert alone is not None
    told = rehearsed(config, closes)
    bars = min(len(marks(told)), len(marks(rehearsed(alone, closes))))
    assert shadow_marks(told) == marks(rehearsed(alone, closes))[:bars]


@few
@given(prices, sessions, shadows)
def test_a_session_with_a_shadow_is_decided_again_alike(
    closes: list[str], given: dict[str, Any], shadow: dict[str, Any]
) -> None:
    assert replayed(rehearsed(session(**given, shadow=shadow), closes)) is None


def test_a_mark_of_the_shadow_that_comes_out_otherwise_is_shown() -> None:
    told = rehearsed(session(warmup_bars=2, on_stop="flatten", shadow=OTHER), WALK)
    mark = [event for event in told if isinstance(event, ShadowMarked)][-1]
    richer = mark.model_copy(update={"details": mark.details.model_copy(update={"equity": Decimal(1)})})
    difference = replayed([richer if event is mark else event for event in told])
    assert difference is not None
    assert [name for name, _, _ in difference.fields()] == ["details.equity"]
    lost = replayed([event for event in told if event is not mark])
    assert lost is not None
    assert (lost.recorded, lost.decided) == (None, mark)


def test_another_strategy_leads_to_another_equity() -> None:
    told = rehearsed(session(shadow=OTHER), WALK)
    assert shadow_marks(told) != marks(told)


def test_a_shadows_mark_stands_behind_what_the_session_decided_on_the_bar_and_follows_from_its_mark() -> None:
    told = rehearsed(session(warmup_bars=2, shadow=OTHER), WALK)
    causes = [event for event in told if isinstance(event, EquityMarked)]
    found = [event for event in told if isinstance(event, ShadowMarked)]
    assert [mark.causation_id for mark in found] == [cause.id for cause in causes]
    assert [mark.id for mark in found] == [derived_id(cause.id, "runner.shadow_marked") for cause in causes]
    assert [mark.market_time for mark in found] == [cause.market_time for cause in causes]
    types = [event.type for event in told if event.service == "runner"]
    assert "signal_raised" in types
    assert all(types[place - 1] != "candle_closed" for place, kind in enumerate(types) if kind == "shadow_marked")
    assert all(types[place + 1] != "signal_raised" for place, kind in enumerate(types) if kind == "shadow_marked")


def test_a_shadow_that_cannot_be_run_as_configured_is_refused_by_name() -> None:
    with pytest.raises(PlanError, match=r"shadow: .*slow"):
        shadow_plan(SESSION, session(shadow={"strategies": [{"name": "ema_crossover", "params": {"slow": "many"}}]}))


class Flaw(Exception):
    """What a strategy's author has overlooked."""


def test_a_shadow_that_fails_is_told_once_and_the_session_trades_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, step = rehearsed(session(), WALK), ema_crossover.step

    def flawed(params: Any, state: Any, bar: Any) -> Any:
        if params.slow == 6 and bar.close == 99.0:
            raise Flaw("nobody had thought of 99")
        return step(params, state, bar)

    monkeypatch.setattr(ema_crossover, "step", flawed)
    told = rehearsed(session(shadow=OTHER), WALK)
    [error] = [event for event in told if isinstance(event, ErrorRaised)]
    assert "Flaw: nobody had thought of 99" in str(error.error)
    assert (error.details.where, error.level) == ("shadow", "warning")
    assert len(shadow_marks(told)) == WALK.index("99")
    assert [event for event in decided(told) if event is not error] == decided(sound)
    assert replayed(told) is None


def test_a_shadow_given_the_steps_again_after_a_restart_goes_on_undisturbed() -> None:
    config = session(warmup_bars=2, shadow=OTHER)
    feed = feed_of(candles_at(WALK))
    other = shadow_plan(SESSION, config)
    assert other is not None
    start, _ = opening(config, feed.slices())
    steps = list(course(config, feed.slices(), start))
    undisturbed = Shadow(other, feed.description, start)
    expected = [undisturbed.follow(step) for step in steps]
    for place in range(len(steps)):
        restarted = Shadow(other, feed.description, start)
        for step in steps[:place]:
            restarted.recall(step)
        assert [restarted.follow(step) for step in steps[place:]] == expected[place:]


def test_a_shadows_account_is_the_same_however_few_events_are_recorded() -> None:
    config, recorded = session(shadow=OTHER), list[Event]()
    tally = Tally(recorded.append)
    state = skim(plan(SESSION, config), feed_of(candles_at(WALK)), tally)
    known = gather(rehearsed(config, WALK))
    assert tally.material(state.portfolio).shadow == known.shadow != []
    assert not any(isinstance(fact, ShadowMarked) for fact in recorded)
