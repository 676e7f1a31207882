"""What the control desk shows, folded from facts, without a server."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from services.risk.core.stack import Stack
from services.risk.desk.core.deltas import encoded, message
from services.risk.desk.core.feed import KEPT, Wanted, found, since, wanted_types
from services.risk.desk.core.page import Sections, Surroundings, sections, state_of
from services.risk.desk.core.view import POINTS, DeskView, evolve
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, HaltKind, TradingHalted
from shared.schemas.lifecycle import Heartbeat, HeartbeatMetrics, PhaseEnd, PhaseStart
from shared.schemas.values import SERVICES, Service, iso
from tests.guard_story import MONDAY, SESSION, Guarded, Story, ticket, trading

AROUND = Surroundings(MONDAY, MONDAY, asks_code=True)


def told(*facts: Event, view: DeskView | None = None) -> DeskView:
    view = view or DeskView()
    for fact in facts:
        view = evolve(view, view.sequence + 1, fact)
    return view


def page(view: DeskView, guarded: Guarded | None = None) -> Sections:
    guards = {SESSION: guarded.guard} if guarded else {}
    return sections(view, Stack(guards=guards), AROUND)


def halted(kind: HaltKind) -> Halt:
    return Halt(kind=kind, reason="checked", operator="anna", scope="stack")


def test_a_running_session_shows_its_account_and_phase() -> None:
    story = Story()
    view = told(story.start(), story.tell(PhaseStart, phase="api_phase"), story.close("100"), story.mark())
    shown = page(view)[f"session:{SESSION}"]
    assert (shown["equity"], shown["pnl"], shown["phase"], shown["status"]) == ("10000", "0", "api_phase", "running")
    after = told(story.tell(PhaseEnd, phase="api_phase", status="success"), story.end(), view=view)
    ended = page(after)[f"session:{SESSION}"]
    assert (ended["phase"], ended["status"]) == (None, "success")


def test_positions_orders_and_limits_are_those_the_guard_decides_by() -> None:
    guarded = trading(max_position_size="0.5", max_open_orders=4)
    guarded.buy(ticket("a", qty="10"))
    assert guarded.refuses(ticket("b", qty="10")) is None
    shown = page(told(guarded.story.start()), guarded)[f"book:{SESSION}"]
    (position,) = shown["positions"]
    assert (position["symbol"], Decimal(position["qty"]), Decimal(position["value"])) == (
        "BTCUSDT",
        Decimal(10),
        Decimal(1000),
    )
    assert [order["id"] for order in shown["orders"]] == ["b"]
    limits = {entry["limit"]: entry for entry in shown["limits"]}
    assert Decimal(limits["max_position_size"]["share"]) == Decimal("0.4")
    assert Decimal(limits["max_position_size"]["headroom"]) == Decimal("0.3")
    assert (limits["max_open_orders"]["used"], limits["max_open_orders"]["headroom"]) == ("1", "3")
    assert limits["max_slippage"]["share"] is None


def test_the_badge_says_running_paused_stopped_or_killed() -> None:
    guards = {SESSION: trading().guard._replace(halt=None)}
    assert state_of(Stack(guards=guards))[0] == "running"
    assert state_of(Stack())[0] == "stopped"
    assert state_of(Stack(halt=halted("pause"), guards=guards))[0] == "paused"
    assert state_of(Stack(halt=halted("kill"), guards=guards))[0] == "killed"
    by_limit = {SESSION: guards[SESSION]._replace(halt=halted("limit"))}
    assert state_of(Stack(guards=by_limit))[0] == "stopped"
    assert state_of(Stack(guards={**by_limit, "other": guards[SESSION]}))[0] == "running"


def test_a_fact_that_is_delivered_twice_counts_once() -> None:
    story = Story()
    view = evolve(DeskView(), 7, story.start())
    assert evolve(view, 7, story.fail()) is view
    assert evolve(view, 8, story.fail()).venue.errors == 1


def test_a_curve_stays_short_and_keeps_its_ends() -> None:
    story = Story()
    view = told(story.start())
    for _ in range(5 * POINTS):
        view = told(story.close("100"), story.mark(), view=view)
    curve = view.sessions[SESSION].curve
    assert POINTS // 2 <= len(curve) <= POINTS
    assert curve[0].at == MONDAY + timedelta(minutes=1)
    assert story.now - curve[-1].at < timedelta(minutes=5 * POINTS) / 50


def test_a_flood_of_candles_leaves_the_other_facts_in_the_feed() -> None:
    story = Story()
    view = told(story.start(), story.fail())
    for _ in range(3 * KEPT):
        view = told(story.close("100"), view=view)
    assert len(view.feed["candle_closed"]) == KEPT
    types, without = wanted_types("-candle_closed")
    assert [line.type for line in found(view.feed, Wanted(types, without), 100)] == ["error", "runner_start"]


def test_the_feed_is_filtered_by_type_phase_level_and_time() -> None:
    story = Story()
    view = told(story.start(), story.tell(PhaseStart, phase="api_phase"), story.close("100"), story.fail())

    def find(**wanted: Any) -> list[str]:
        return [line.type for line in found(view.feed, Wanted(**wanted), 100)]

    assert find(types=frozenset({"error"})) == ["error"]
    assert find(phase="api_phase") == ["phase_start"]
    assert find(level="warning") == ["error"]
    assert find(since=story.now) == ["error", "candle_closed"]
    assert find(until=MONDAY) == ["phase_start", "runner_start"]
    assert len(found(view.feed, Wanted(), 2)) == 2


def beat(story: Story, service: Service, seconds: float) -> Heartbeat:
    metrics = HeartbeatMetrics(uptime_seconds=seconds, events_published=1, events_consumed=1)
    told = story.tell(Heartbeat, service, metrics=metrics)
    return told.model_copy(update={"timestamp": MONDAY + timedelta(seconds=seconds)})


def test_each_service_is_known_by_its_heartbeats_and_nothing_else() -> None:
    story = Story()
    view = told(story.start(), story.close("100"))
    assert {service["at"] for service in page(view)["services"].values()} == {None}
    view = told(*(beat(story, service, 5.0) for service in SERVICES), view=view)
    shown = page(view)["services"]
    assert {(one["at"], one["uptime_seconds"]) for one in shown.values()} == {(iso(MONDAY + timedelta(seconds=5)), 5.0)}
    assert shown["runner"]["overdue_seconds"] == shown["risk"]["overdue_seconds"] < shown["recorder"]["overdue_seconds"]


def test_a_runner_is_expected_while_a_session_runs_and_of_several_the_one_that_is_silent_longest_is_shown() -> None:
    story, other = Story(), Story(session_id="22222222-2222-5222-8222-222222222222")
    assert page(DeskView())["services"]["runner"]["expected"] is False
    view = told(story.start(), beat(story, "runner", 5.0), other.start())
    assert page(view)["services"]["runner"] == {
        "expected": True,
        "overdue_seconds": 20,
        "at": None,
        "uptime_seconds": None,
    }
    view = told(beat(other, "runner", 9.0), view=view)
    assert page(view)["services"]["runner"]["uptime_seconds"] == 5.0
    assert page(view)[f"session:{other.session_id}"]["heard_at"] == iso(MONDAY + timedelta(seconds=9))
    view = told(story.end(), view=view)
    assert page(view)["services"]["runner"]["uptime_seconds"] == 9.0
    assert page(told(other.end(), view=view))["services"]["runner"]["expected"] is False


def test_only_what_changed_is_sent_and_what_is_gone_is_named() -> None:
    story = Story()
    before = encoded(page(told(story.start())))
    view = told(story.start(), story.close("100"), story.mark())
    after = encoded(page(view))
    delta = json.loads(message("2026-01-05T00:00:00Z", after, before, since(view.feed, 2, 100)))
    assert set(delta["set"]) == {f"session:{SESSION}", f"curve:{SESSION}"}
    assert [line["type"] for line in delta["lines"]] == ["equity_marked"]
    assert json.loads(message("", {}, before, ()))["gone"] == list(before)
    assert {**before, **{name: after[name] for name in delta["set"]}} == after


def test_what_the_venues_show_after_a_kill_is_told_for_each_session() -> None:
    guarded = trading()
    guarded.learn(guarded.story.tell(TradingHalted, "risk", details=halted("kill")))

    def shown() -> Any:
        return sections(DeskView(), Stack(guards={SESSION: guarded.guard}), AROUND)["status"]

    assert (shown()["unconfirmed"], shown()["confirmed"]) == (["guarded"], [])
    guarded.learn(*guarded.hear(guarded.story.observe()))
    assert (shown()["unconfirmed"], shown()["confirmed"]) == ([], ["guarded"])
    assert sections(DeskView(), Stack(guards={SESSION: trading().guard}), AROUND)["status"]["unconfirmed"] == []


def test_what_the_venue_was_seen_to_hold_is_a_line_of_the_feed() -> None:
    story = Story()
    (line,) = found(told(story.observe(["a"], BTCUSDT="0.5")).feed, Wanted(), 1)
    assert line.text == "the venue shows 1 open orders and 0.5 BTCUSDT"


def test_one_halted_session_among_others_can_be_resumed() -> None:
    free = trading().guard._replace(halt=None)
    both = Stack(guards={SESSION: free, "other": free._replace(halt=halted("pause"))})
    assert sections(DeskView(), both, AROUND)["status"]["can_resume"]
    assert not sections(DeskView(), Stack(guards={SESSION: free}), AROUND)["status"]["can_resume"]
