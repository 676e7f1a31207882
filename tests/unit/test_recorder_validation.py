from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from services.recorder.core.validation import Validation
from services.recorder.validate import findings
from shared.schemas.envelope import Event
from shared.schemas.values import Side
from tests.recorder_story import SESSION, Story
from tests.unit.test_recorder_session_files import written


def told(events: Sequence[Event]) -> list[str]:
    checks = Validation(SESSION)
    return [finding for event in events for finding in checks.findings(event)] + list(checks.at_end())


def test_a_whole_session_has_no_findings() -> None:
    assert told(Story().whole(50)) == []


def test_a_session_needs_its_start() -> None:
    story = Story().whole(3)[1:]
    assert "there is no runner_start" in told(story)
    assert "phase_start before runner_start" in told(story)


def test_the_runner_tells_nothing_after_its_end() -> None:
    story = Story()
    events = [*story.begin(), *story.end()]
    assert told([*events, *story.bar(Decimal(100))]) == [
        "candle_closed after runner_end",
        "equity_marked after runner_end",
    ]


def test_facts_of_another_session_and_copies_are_found() -> None:
    story = Story().whole(3)
    stranger = next(Story(session_id="11111111-2222-4333-8444-555555555555").halt("x"))
    assert told([*story[:4], story[3], stranger]) == [
        f"the id {story[3].id} is there twice",
        "belongs to session 11111111-2222-4333-8444-555555555555",
    ]


def test_an_order_is_not_submitted_without_approval() -> None:
    story = Story()
    order = list(story.order(Side.BUY, Decimal(1), 1))
    found = told([*story.begin(), order[0], *order[2:]])
    assert found == [f"order_submitted of {order[0].order.client_order_id} without order_approved"]


def test_a_fill_is_not_larger_than_the_order() -> None:
    story = Story()
    order = list(story.order(Side.BUY, Decimal(1), 1))
    again = order[-1].model_copy(update={"id": order[0].correlation_id})
    assert told([*story.begin(), *order, again]) == [
        f"{order[0].order.client_order_id} is filled beyond what was ordered"
    ]


def test_bars_do_not_go_back_in_time() -> None:
    story = Story()
    begin = list(story.begin())
    early, late = list(story.bar(Decimal(100))), list(story.bar(Decimal(101)))
    assert len(told([*begin, *late, *early])) == 1


def drop_last_trade(folder: Path) -> None:
    path = folder / "trades.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def raise_equity(folder: Path) -> None:
    path = folder / "summary.json"
    path.write_text(path.read_text().replace('"current_equity": ', '"current_equity": 1'))


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (drop_last_trade, "trades.csv is not what the events say"),
        (raise_equity, "summary.json: current_equity is 1"),
        (lambda folder: (folder / "events.jsonl").unlink(), "events.jsonl is missing"),
        (lambda folder: (folder / "summary.json").unlink(), "summary.json: session_id is nothing"),
        (lambda folder: (folder / "summary.json").write_text("{"), "summary.json is damaged"),
        (lambda folder: (folder / "events.jsonl").write_text("[]\n"), "events.jsonl:1: not a JSON object"),
    ],
)
def test_a_damaged_folder_is_found_out(tmp_path: Path, damage: Callable[[Path], None], finding: str) -> None:
    written(tmp_path, Story().whole(30))
    damage(tmp_path / SESSION)
    assert any(finding in told for told in findings(tmp_path / SESSION))
