"""Any single change, removal, insertion or swap in a record is found, and named at the right line."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from services.recorder.core.difference import Finding
from services.recorder.core.verification import Verdict, read_record, verify
from tests.audit_story import recorded, trusting
from tests.recorder_story import SESSION, Story

STORY = Story().whole(30)
TRUSTED = trusting("recorder")
RECORDS = {
    (every, late): recorded(STORY, every, late)
    for every, late in ((4, 0), (3, 1), (7, 0), (20, 5), (33, 40), (1000, 0))
}
record = st.sampled_from(sorted(RECORDS))
Kind = tuple[int, int]


def verdict_on(lines: list[bytes]) -> Verdict:
    return verify(read_record(lines), SESSION, TRUSTED)


def first(lines: list[bytes]) -> Finding:
    """What is named first, of the findings that tell what was done to a line."""
    return next(finding for finding in verdict_on(lines).findings if "forged signature" not in finding.text)


def covered_line(data: st.DataObject, lines: list[bytes]) -> int:
    """The number of a line that a head covers."""
    return data.draw(st.integers(1, len(lines) - 1), label="line")


def end_of(lines: list[bytes]) -> int:
    return next(number for number, line in enumerate(lines, start=1) if b'"type":"runner_end"' in line)


def test_untouched_records_are_proven_but_for_the_closing_head_itself() -> None:
    assert [(verdict_on(lines).findings, verdict_on(lines).covered) for lines in RECORDS.values()] == [
        ([], len(lines) - 1) for lines in RECORDS.values()
    ]


@given(record, st.data())
def test_a_changed_line_is_named(kind: Kind, data: st.DataObject) -> None:
    lines = RECORDS[kind]
    number = covered_line(data, lines)
    line = lines[number - 1]
    place, bit = data.draw(st.integers(0, len(line) - 2)), data.draw(st.integers(0, 7))
    other = bytes([*line[:place], line[place] ^ (1 << bit), *line[place + 1 :]])
    tampered = [*lines[: number - 1], *other.splitlines(keepends=True), *lines[number:]]
    if len(tampered) == len(lines):
        assert first(tampered).line == number
        assert "was changed" in first(tampered).text or "a key that is not trusted" in first(tampered).text
    else:
        assert verdict_on(tampered).findings[0].line == number


@given(record, st.data())
def test_a_removed_line_is_named(kind: Kind, data: st.DataObject) -> None:
    lines = RECORDS[kind]
    number = covered_line(data, lines)
    found = first(lines[: number - 1] + lines[number:])
    assert (found.line, f"recorded as number {number} was removed" in found.text) == (number, True)


@given(record, st.data(), st.binary(max_size=30))
def test_an_inserted_line_is_named(kind: Kind, data: st.DataObject, content: bytes) -> None:
    lines = RECORDS[kind]
    number = covered_line(data, lines)
    foreign = content.replace(b"\n", b" ") + b"\n"
    assert first([*lines[: number - 1], foreign, *lines[number - 1 :]]) == (number, "was inserted")


@given(record, st.data())
def test_a_copy_of_a_line_is_named_as_inserted(kind: Kind, data: st.DataObject) -> None:
    lines = RECORDS[kind]
    number, original = covered_line(data, lines), covered_line(data, lines)
    tampered = [*lines[: number - 1], lines[original - 1], *lines[number - 1 :]]
    assert first(tampered) == (number + (number == original), "was inserted")


def swapped(lines: list[bytes], one: int, other: int) -> list[bytes]:
    lines = [*lines]
    lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]
    return lines


def moved(lines: list[bytes], one: int, other: int) -> list[bytes]:
    rest = lines[: one - 1] + lines[one:]
    return [*rest[: other - 1], lines[one - 1], *rest[other - 1 :]]


@given(record, st.data(), st.sampled_from([swapped, moved]))
def test_lines_in_another_order_are_named(
    kind: Kind, data: st.DataObject, reorder: Callable[[list[bytes], int, int], list[bytes]]
) -> None:
    lines = RECORDS[kind]
    one = data.draw(st.integers(1, len(lines) - 2), label="one")
    other = data.draw(st.integers(one + 1, len(lines) - 1), label="other")
    found = first(reorder(lines, one, other))
    assert (found.line, "is out of order" in found.text) == (one, True)


@given(record, st.data())
def test_an_end_that_is_cut_off_is_missed(kind: Kind, data: st.DataObject) -> None:
    lines = RECORDS[kind]
    verdict = verdict_on(lines[: data.draw(st.integers(1, end_of(lines)), label="left")])
    told = [*(finding.text for finding in verdict.findings), *verdict.remarks]
    assert any(word in text for text in told for word in ("no closing", "nothing is proven", "no runner_end"))
