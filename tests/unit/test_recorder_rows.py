import json
from decimal import Decimal

from services.recorder.core.ledger import Entry, Ledger
from services.recorder.core.order_rows import OrderRow, order_rows
from services.recorder.core.session_rows import session_row
from services.recorder.core.table_rows import COLUMNS, payload, rows_of
from shared.domain.summary import evolve, initial
from shared.runtime import clock
from shared.schemas.codec import encode
from shared.schemas.envelope import Event
from shared.schemas.guard import BackstopEngaged, Halt, Intervention, TradingHalted
from shared.schemas.values import Side
from tests.recorder_story import SESSION, Story


def entries(events: list[Event], start: int = 1) -> list[Entry]:
    return [Entry(place, encode(event), event, None) for place, event in enumerate(events, start=start)]


def order(events: list[Event], start: int = 1) -> OrderRow:
    [row] = order_rows(entries(events, start))
    return row


def test_every_row_fits_the_columns_of_its_table() -> None:
    for entry in entries(Story().whole(20)):
        for table, row in rows_of(entry):
            assert len(row) == len(COLUMNS[table])


def test_only_the_runners_marks_are_the_equity_curve() -> None:
    story = Story()
    mark = list(story.bar(Decimal(100)))[1]
    assert [table for table, _ in rows_of(Entry(1, b"{}", mark, None))] == ["events", "equity"]
    guards = mark.model_copy(update={"service": "risk"})
    assert [table for table, _ in rows_of(Entry(1, b"{}", guards, None))] == ["events"]


def test_a_shadows_marks_are_a_curve_of_their_own() -> None:
    rows = [row for entry in entries(Story(shadow="bollinger").whole(3)) for row in rows_of(entry)]
    curve = [dict(zip(COLUMNS[table], row, strict=True)) for table, row in rows if table == "shadow_equity"]
    assert [cells["equity"] for cells in curve] == [Decimal(10_007)] * 3
    assert [table for table, _ in rows].count("equity") == 3


def test_an_orders_life_becomes_one_row() -> None:
    row = order(list(Story().order(Side.BUY, Decimal(2), 1)))
    assert (row.status, row.filled_qty, row.filled_value, row.qty) == ("filled", Decimal(2), Decimal(200), Decimal(2))
    assert (row.venue_order_id, row.purpose, row.sequence) == ("v-1", "entry", 1)
    assert row.intended_at is not None


def test_an_execution_that_the_guard_and_the_runner_both_tell_is_one_fill() -> None:
    story = Story()
    *begun, filled = story.order(Side.BUY, Decimal(2), 1)
    guards = filled.model_copy(update={"service": "risk", "id": clock.new_id()})
    engaged = story.tell(
        BackstopEngaged, "risk", details=Intervention(reason="no word of the runner", waited_seconds=1)
    )
    told = [*story.begin(), *begun, engaged, guards, filled]
    ledger = Ledger()
    ledger.open(SESSION)
    entered = [ledger.enter(place, encode(event), event) for place, event in enumerate(told, start=1)]
    whole = [entry for entry in entered if entry is not None]
    assert len(whole) == len(told)
    assert [table for entry in whole for table, _ in rows_of(entry)].count("fills") == 1
    assert [(row.filled_qty, row.status) for row in order_rows(whole)] == [(Decimal(2), "filled")]


def test_a_refused_order_names_the_rule() -> None:
    row = order(list(Story().refusal("daily_loss_limit", 1)))
    assert (row.status, row.rule, row.filled_qty) == ("refused", "daily_loss_limit", Decimal(0))


def test_a_later_stretch_of_an_order_tells_only_what_it_adds() -> None:
    life = list(Story().order(Side.SELL, Decimal(2), 1))
    later = order(life[4:], start=50)
    assert (later.status, later.filled_qty, later.type, later.purpose) == ("filled", Decimal(2), None, None)


def test_characters_that_the_database_cannot_hold_are_replaced() -> None:
    reason = "a\x00b \\u0000 \\\x00"
    halt = Story().tell(TradingHalted, "risk", message=reason, details=Halt(kind="kill", reason=reason))
    [(_, row)] = rows_of(Entry(1, encode(halt), halt, None))
    cells = dict(zip(COLUMNS["events"], row, strict=True))
    assert cells["message"] == "a\ufffdb \\u0000 \\\ufffd"
    assert json.loads(str(cells["payload"]))["details"]["reason"] == cells["message"]


def test_ordinary_facts_keep_their_json() -> None:
    line = '{"message":"Größe \\\\u0000 bleibt"}'.encode()
    assert json.loads(payload(line)) == {"message": "Größe \\u0000 bleibt"}


def test_a_session_has_a_row_once_it_has_started() -> None:
    summary = initial(SESSION)
    assert session_row(summary) is None
    for event in Story().whole(20):
        summary = evolve(summary, event)
    row = session_row(summary)
    assert row is not None
    assert (row["name"], row["status"], row["trades"], row["venue"]) == ("demo", "success", 2, "paper")
    assert json.loads(str(row["config"]))["name"] == "demo"
