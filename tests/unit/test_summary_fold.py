import json
from decimal import Decimal

import pytest

from shared.domain.exact_json import spelled
from shared.domain.summary import Summary, as_document, evolve, initial, percent, step
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import FileWritten, Heartbeat, HeartbeatMetrics, ReportReady
from shared.schemas.values import Side, iso
from tests.recorder_story import SESSION, WALL, Story

CONTRACT_FIELDS = {
    "session_id", "session_start", "session_end", "status", "phases_completed", "phases_total", "initial_capital",
    "current_equity", "totals", "roi", "max_drawdown", "runtime_secs", "last_updated", "mode", "strategies", "symbols",
    "fees",
}  # fmt: skip


def folded(events: list[Event]) -> Summary:
    summary = initial(SESSION)
    for event in events:
        summary = evolve(summary, event)
    return summary


def test_a_session_without_a_start_has_no_document() -> None:
    with pytest.raises(ValueError, match="no runner_start"):
        as_document(initial(SESSION))


def test_a_started_session_is_running_with_its_capital() -> None:
    document = as_document(folded(list(Story().begin())[:1]))
    assert (document["status"], document["current_equity"], document["session_end"]) == (
        "running",
        Decimal(10_000),
        None,
    )
    assert document["totals"] == {"trades": 0, "wins": 0, "losses": 0}


def test_the_document_has_every_field_of_the_contract() -> None:
    assert set(as_document(folded(Story().whole(10)))) >= CONTRACT_FIELDS


def test_only_a_session_with_a_shadow_tells_what_its_shadow_came_to() -> None:
    without, with_one = (as_document(folded(Story(shadow=shadow).whole(10))) for shadow in (None, "bollinger"))
    assert "shadow" not in without
    assert with_one.pop("shadow") == {
        "strategies": ["bollinger"],
        "current_equity": Decimal(10_007),
        "totals": {"trades": 0, "wins": 0, "losses": 0},
        "roi": Decimal("0.07"),
        "max_drawdown": Decimal(0),
        "fees": Decimal(0),
    }
    assert (with_one["current_equity"], with_one["totals"]) == (without["current_equity"], without["totals"])


@pytest.mark.parametrize("status", ["success", "failed", "killed"])
def test_the_end_decides_the_status(status: str) -> None:
    story = Story()
    assert as_document(folded([*story.begin(), *story.end(status)]))["status"] == status


def test_phases_count_once_they_have_succeeded() -> None:
    story = Story()
    assert as_document(folded(list(story.begin())))["phases_completed"] == 2
    assert as_document(folded(Story().whole(3)))["phases_completed"] == 3


def test_a_round_trip_counts_as_one_trade_and_tells_its_result_after_fees() -> None:
    story = Story()
    summary, trips = initial(SESSION), []
    for event in (
        *story.begin(),
        *story.bar(Decimal(100)),
        *story.order(Side.BUY, Decimal(2), 1),
        *story.bar(Decimal(110)),
        *story.order(Side.SELL, Decimal(2), 2),
        *story.bar(Decimal(110)),
    ):
        summary, trip = step(summary, event)
        trips += [trip] if trip else []
    document = as_document(summary)
    assert [trip.pnl for trip in trips] == [Decimal("19.58")]
    assert document["totals"] == {"trades": 1, "wins": 1, "losses": 0}
    assert document["current_equity"] == Decimal("10019.58")
    assert document["roi"] == Decimal("0.1958")
    assert document["fees"] == Decimal("0.42")


def test_drawdown_is_in_per_cent_of_the_peak() -> None:
    story = Story()
    events = [
        *story.begin(),
        *story.bar(Decimal(100)),
        *story.order(Side.BUY, Decimal(50), 1),
        *story.bar(Decimal(100)),
        *story.bar(Decimal(80)),
        *story.bar(Decimal(90)),
    ]
    peak, low = Decimal(10_000), Decimal(10_000) - 5 - 1000
    assert as_document(folded(events))["max_drawdown"] == percent((peak - low) / peak)


def test_runtime_goes_by_the_wall_clock_and_stops_at_the_end() -> None:
    story = Story()
    events = [*story.begin(), *story.end()]
    late = story.tell(ReportReady, "recorder", details=FileWritten(path="sessions/x/report.html"))
    document = as_document(folded([*events, late]))
    assert document["runtime_secs"] == Decimal(len(events) - 1) / 1000
    assert document["last_updated"] == iso(late.timestamp)
    assert document["session_start"] == iso(events[0].timestamp) > iso(WALL)


def test_no_fold_reads_a_heartbeat() -> None:
    story = Story()
    before = folded(list(story.begin()))
    beat = HeartbeatMetrics(uptime_seconds=1.0, events_published=1, events_consumed=1)
    assert evolve(before, story.tell(Heartbeat, metrics=beat)) == before


@pytest.mark.parametrize(
    ("share", "expected"),
    [("0.01", "1"), ("0", "0"), ("-0.123456789012", "-12.3456789"), ("1", "100"), ("0.00000000004", "0")],
)
def test_per_cents_are_plain_and_to_the_eighth_digit(share: str, expected: str) -> None:
    assert spelled(percent(Decimal(share))) == expected


def test_money_is_written_as_exact_number_literals() -> None:
    document = {"a": Decimal("0.10000000000000000001"), "b": Decimal("1E+3"), "c": [1, "x\n"], "d": None, "e": {}}
    text = spelled(document)
    assert '"a": 0.10000000000000000001' in text
    assert json.loads(text) == {"a": 0.1, "b": 1000, "c": [1, "x\n"], "d": None, "e": {}}


def test_what_json_cannot_hold_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        spelled({"a": object()})
