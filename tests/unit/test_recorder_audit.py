"""The hash chain: what is signed, and what a record proves or betrays."""

import json
from hashlib import sha256

import pytest

from services.recorder.core.audit import PIECE, audit_bytes, begun, extended, pieces
from services.recorder.core.verification import Verdict, read_record, verify
from shared.runtime.keys import verifier
from shared.schemas.audit import AuditHead
from shared.schemas.codec import decode_line, encode
from tests.audit_story import key, recorded, signed, trusting
from tests.golden import sample
from tests.recorder_story import SESSION, Story

STORY = Story().whole(40)
LINES = recorded(STORY, every=25, late=3)


def verdict_on(lines: list[bytes], session_id: str | None = SESSION, *keys: str) -> Verdict:
    return verify(read_record(lines), session_id, trusting(*keys or ("recorder",)))


def findings(lines: list[bytes], *keys: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.text) for finding in verdict_on(lines, SESSION, *keys).findings]


def without(lines: list[bytes], *numbers: int) -> list[bytes]:
    return [line for number, line in enumerate(lines, start=1) if number not in numbers]


def changed(line: bytes) -> bytes:
    return line.replace(b',"level":', b', "level":')


def head_lines(lines: list[bytes]) -> list[int]:
    return [number for number, line in enumerate(lines, start=1) if b'"type":"audit_head"' in line]


def test_the_chain_is_made_as_the_documents_say() -> None:
    head = sha256(f"leitstand-chain-1\n{SESSION}\n".encode()).digest()
    for line in (b"one", b"two"):
        head = sha256(head + sha256(line).digest()).digest()
    chain = extended(begun(SESSION), [(b"one", False), (b"two", True)])
    assert (chain.head, chain.count, chain.substance) == (head, 2, 1)


def test_the_signature_of_the_golden_sample_holds_over_what_the_documents_say() -> None:
    event = sample("audit_head.v1")
    told = event["details"]
    parts = [
        "leitstand-audit-1",
        event["session_id"],
        event["timestamp"],
        told["count"],
        told["last_id"],
        told["head"],
        told["since"],
    ]
    text = "".join(f"{part}\n" for part in [*parts, told["digests"]])
    assert verifier(told["signer"])(text.encode(), told["signature"])


def test_evidence_comes_in_pieces_that_follow_one_another() -> None:
    lines = [f"line {number}\n".encode() for number in range(2 * PIECE + 5)]
    made = list(pieces(begun(SESSION).told, 0, len(lines), lines))
    assert [(piece.since, piece.mark.count) for piece in made] == [(0, 1000), (1000, 2000), (2000, 2005)]
    assert b"".join(piece.digests for piece in made) == b"".join(sha256(line[:-1]).digest()[:8] for line in lines)
    assert made[-1].mark.head == extended(begun(SESSION), [(line[:-1], False) for line in lines]).head
    again = list(pieces(made[0].mark, 1500, 2005, lines[1000:]))
    assert [(piece.since, piece.mark) for piece in again] == [(1500, made[-1].mark)]


def test_too_few_lines_make_no_whole_piece() -> None:
    assert list(pieces(begun(SESSION).told, 0, 3, [b"1\n", b"2\n"])) == []


def test_an_untouched_session_is_proven_to_its_end() -> None:
    verdict = verdict_on(LINES)
    assert (verdict.findings, verdict.remarks) == ([], [])
    assert verdict.covered == len(LINES) - 1
    assert verdict.heads == len(head_lines(LINES)) > 4


def test_the_session_of_an_exported_file_is_known_by_its_heads() -> None:
    assert verdict_on(LINES, None).session_id == SESSION
    assert verdict_on(LINES, None).findings == []


def test_another_sessions_record_in_the_folder_is_named() -> None:
    other = verdict_on(LINES, "11111111-2222-4333-8444-555555555555")
    assert f"audit_head of another session, {SESSION}" in other.findings[1].text
    assert other.covered == 0


@pytest.mark.parametrize("number", [1, 2, 25, 26, len(LINES) - 1])
def test_a_changed_event_is_named_by_its_line(number: int) -> None:
    lines = [*LINES]
    lines[number - 1] = changed(lines[number - 1])
    assert findings(lines)[0] == (number, "was changed")


def test_a_removed_event_is_named_by_where_the_gap_is() -> None:
    assert findings(without(LINES, 30)) == [(30, "follows upon a gap: the event recorded as number 30 was removed")]
    assert findings(without(LINES, 30, 31, 32)) == [
        (30, "follows upon a gap: the events recorded as numbers 30 to 32 were removed")
    ]


def test_an_inserted_event_is_named() -> None:
    foreign = encode(Story(session_id=SESSION, seed=9).whole(1)[0]).replace(b"demo", b"omed") + b"\n"
    assert findings([*LINES[:40], foreign, *LINES[40:]]) == [(41, "was inserted")]


@pytest.mark.parametrize("copied", [head_lines(LINES)[0], head_lines(LINES)[-2], len(LINES)])
@pytest.mark.parametrize("behind", [len(LINES) - 1, len(LINES)])
def test_a_copy_of_a_head_is_named_where_no_head_covers_it(copied: int, behind: int) -> None:
    before_itself = behind < copied
    lines = [*LINES[:behind], LINES[copied - 1], *LINES[behind:]]
    assert findings(lines) == [(behind + 1 + before_itself, "was inserted")]


def test_events_that_changed_places_are_named() -> None:
    lines = [*LINES]
    lines[10], lines[30] = lines[30], lines[10]
    assert findings(lines) == [
        (11, "is out of order: it was recorded as number 31; the event recorded as number 11 stands in line 31")
    ]


def test_a_removed_head_is_named_like_any_event() -> None:
    second = head_lines(LINES)[1]
    assert findings(without(LINES, second))[0][0] == second
    assert "was removed" in findings(without(LINES, second))[0][1]


def test_a_head_whose_time_was_changed_has_a_forged_signature() -> None:
    found = findings([*LINES[:-1], LINES[-1].replace(b'"timestamp":"2026', b'"timestamp":"2025')])
    assert [text.partition(":")[0] for _, text in found][-1] == "is an audit_head with a forged signature"


def test_a_covered_head_with_another_word_outside_its_signature_is_named_as_changed() -> None:
    first = head_lines(LINES)[0]
    lines = [*LINES]
    lines[first - 1] = lines[first - 1].replace(b"vouched for", b"touched for")
    assert findings(lines) == [(first, "was changed")]


def test_a_session_that_ended_needs_its_closing_head() -> None:
    [(line, text)] = findings(LINES[:-1])
    assert "has no closing audit_head" in text
    assert line == verdict_on(LINES[:-1]).covered + 1


def test_a_session_whose_end_is_cut_off_is_as_one_that_runs_and_that_is_said() -> None:
    verdict = verdict_on(LINES[:60])
    assert verdict.findings == []
    assert verdict.covered == 50
    assert verdict.remarks == [
        "there is no runner_end: the session still runs, or its end was cut off",
        "9 events after line 50 are covered by no audit_head yet",
    ]


def test_an_event_behind_the_closing_head_is_proven_by_nothing() -> None:
    [(line, text)] = findings([*LINES, changed(encode(STORY[3])) + b"\n"])
    assert line == len(LINES) + 1
    assert "closing audit_head, which does not cover it" in text


def test_a_record_without_a_trusted_head_proves_nothing() -> None:
    assert findings([encode(event) + b"\n" for event in STORY]) == [
        (0, "no audit_head with a trusted signature is in it, so nothing is proven")
    ]


def test_a_record_without_a_head_proves_nothing_whatever_is_told_twice_in_it() -> None:
    lines = [encode(event) + b"\n" for event in STORY]
    assert findings([*lines, lines[3]]) == findings(lines)


def test_a_wrong_key_is_named() -> None:
    found = findings(LINES, "somebody")
    assert found[0] == (0, "no audit_head with a trusted signature is in it, so nothing is proven")
    assert found[1] == (
        head_lines(LINES)[0], f"is an audit_head signed by {key('recorder')[0]}, a key that is not trusted here"
    )  # fmt: skip


def test_a_chain_made_anew_by_a_forger_is_not_trusted() -> None:
    lines = [*LINES[:-1]]
    lines[1] = changed(lines[1])
    forged = [*without(lines, *head_lines(lines))]
    forged.append(signed(forged, 0, "forger"))
    assert findings(forged)[0][1] == "no audit_head with a trusted signature is in it, so nothing is proven"
    assert findings(forged)[1] == (
        len(forged),
        f"is an audit_head signed by {key('forger')[0]}, a key that is not trusted here",
    )


def test_a_forged_signature_is_named_and_the_lines_that_lost_their_evidence_are_told() -> None:
    first = head_lines(LINES)[0]
    lines = [*LINES]
    tree = json.loads(lines[first - 1])
    tree["details"]["count"] -= 1
    lines[first - 1] = json.dumps(tree, separators=(",", ":")).encode() + b"\n"
    found = findings(lines)
    assert found[0] == (
        first, "is an audit_head with a forged signature: what it says is not what the recorder signed"
    )  # fmt: skip
    assert found[1] == (
        first,
        "was changed (lines 1 to 25 have lost their evidence, so the first change may be there)",
    )


def test_two_signed_histories_are_told_from_tampering() -> None:
    lines = [encode(event) + b"\n" for event in STORY[:20]]
    other = [*lines[:5], changed(lines[5]), *lines[6:]]
    both = [*lines, signed(other, 0), signed(lines, 0)]
    assert "contradicts another" in findings(both)[0][1]


def test_heads_of_an_earlier_key_are_not_needed_where_a_later_one_covers_them() -> None:
    lines = [encode(event) + b"\n" for event in STORY]
    half = [*lines[:20], signed(lines[:20], 0, "old"), *lines[20:]]
    whole = [*half, signed(half, 20)]
    verdict = verdict_on(whole)
    assert verdict.findings == []
    assert len(verdict.remarks) == 1
    assert verdict_on(whole, SESSION, "recorder", "old").remarks == []


def test_a_line_that_is_being_written_is_not_counted() -> None:
    verdict = verdict_on([*LINES[:60], b'{"type":"cand'])
    assert verdict.findings == []
    assert verdict.remarks[0] == "the last line is incomplete and was not looked at"


def test_a_head_is_told_once_for_a_place_and_signer() -> None:
    one, again, other = (
        decode_line(signed(LINES[:30], since, name)) for since, name in ((0, "recorder"), (9, "recorder"), (0, "x"))
    )
    assert isinstance(one, AuditHead)
    assert one.id == again.id != other.id
    assert verifier(key("recorder")[0])(audit_bytes(SESSION, one.timestamp, one.details), one.details.signature)
