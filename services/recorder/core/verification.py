"""What a session's record proves: the chain made anew and held against the heads that the recorder signed."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from services.recorder.core.audit import AUDIT_HEAD, anchor_of, audit_bytes, digest, linked
from services.recorder.core.difference import INSERTED, Finding, compared, first_difference
from shared.domain.approval import Verify
from shared.schemas.audit import AuditHead
from shared.schemas.codec import UndecodableError, decode_line
from shared.schemas.lifecycle import RunnerEnd
from shared.schemas.values import STACK

_READ_CLOSELY = (AUDIT_HEAD.encode(), RunnerEnd.model_fields["type"].default.encode())


@dataclass(slots=True)
class Record:
    """A session's events as their digests, and what matters here of their content, by line from 1 on."""

    digests: list[bytes] = field(default_factory=list)
    heads: dict[int, AuditHead] = field(default_factory=dict)
    end: int | None = None
    """The line of the `runner_end`, None when there is none."""
    torn: bool = False
    """Whether the last line has no end; it is not counted."""

    def add(self, line: bytes) -> None:
        """Take in the next line, with its end."""
        if not line.endswith(b"\n"):
            self.torn = True
            return
        content = line.removesuffix(b"\n")
        self.digests.append(digest(content))
        if any(word in content for word in _READ_CLOSELY):
            self._note(content)

    def _note(self, content: bytes) -> None:
        try:
            event = decode_line(content)
        except UndecodableError:
            return
        if isinstance(event, AuditHead):
            self.heads[len(self.digests)] = event
        elif isinstance(event, RunnerEnd):
            self.end = len(self.digests)


def read_record(lines: Iterable[bytes]) -> Record:
    """The record that consists of `lines`, each with its end."""
    record = Record()
    for line in lines:
        record.add(line)
    return record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a record proves. It stands when there are no findings; `covered` lines are then proven."""

    session_id: str | None
    lines: int
    heads: int
    covered: int
    findings: Sequence[Finding]
    remarks: Sequence[str]


def verify(record: Record, session_id: str | None, trusted: Mapping[str, Verify]) -> Verdict:
    """Hold `record` against the heads in it that a `trusted` key signed; keys are public NKEYs.

    `session_id` is whose record it should be; None takes the word of the first head.
    """
    doubts = {line: doubt for line, head in record.heads.items() if (doubt := _doubt(head, trusted))}
    genuine = {line: head for line, head in record.heads.items() if line not in doubts}
    about = session_id or next((head.session_id for head in genuine.values()), None)
    heads = {line: head for line, head in genuine.items() if head.session_id == about}
    covered, altered = _held_against(record, heads)
    copied = list(_copied(record, covered)) if heads and not altered else []
    sound = altered[0].line - 1 if altered else covered
    findings = [
        *altered,
        *copied,
        *(_strange(line, head) for line, head in genuine.items() if line not in heads),
        *(Finding(line, doubt) for line, doubt in doubts.items() if line > sound),
        *([] if altered or copied else _unproven(record, heads, covered)),
    ]
    remarks = [f"line {line} {doubt}; it is not counted" for line, doubt in doubts.items() if line <= sound]
    remarks += _about_the_end(record, heads, covered) if about != STACK else []
    return Verdict(about, len(record.digests), len(heads), covered, sorted(findings), remarks)


def _doubt(head: AuditHead, trusted: Mapping[str, Verify]) -> str | None:
    details = head.details
    check = trusted.get(details.signer)
    if check is None:
        return f"is an audit_head signed by {details.signer}, a key that is not trusted here"
    if not check(audit_bytes(head.session_id, head.timestamp, details), details.signature):
        return "is an audit_head with a forged signature: what it says is not what the recorder signed"
    return None


def _strange(line: int, head: AuditHead) -> Finding:
    return Finding(line, f"is the audit_head of another session, {head.session_id}")


def _held_against(record: Record, heads: Mapping[int, AuditHead]) -> tuple[int, list[Finding]]:
    """How many events are proven, and what was done to the others first."""
    if not heads:
        return 0, []
    session_id = next(iter(heads.values())).session_id
    values = _chain_values(session_id, record.digests, {head.details.count for head in heads.values()})
    holds = {line: values.get(head.details.count) == head.details.head for line, head in heads.items()}
    intact = max((head.details.count for line, head in heads.items() if holds[line]), default=0)
    broken = {line: head.details.count for line, head in heads.items() if not holds[line]}
    if not broken:
        return intact, []
    contradicted = [line for line, count in broken.items() if count <= intact]
    if contradicted:
        text = "is an audit_head that contradicts another: the recorder's key signed two different records"
        return 0, [Finding(contradicted[0], text)]
    return intact, [first_difference(compared(record.digests, heads), intact, min(broken.values()))]


def _chain_values(session_id: str, digests: Iterable[bytes], wanted: Container[int]) -> dict[int, str]:
    """The chain's head behind each number of events that is `wanted`, in hex."""
    head, values = anchor_of(session_id), {}
    for count, line_digest in enumerate(digests, start=1):
        head = linked(head, line_digest)
        if count in wanted:
            values[count] = head.hex()
    return values


def _loose(record: Record, heads: Container[int], covered: int) -> list[int]:
    """The lines that no head covers, but for the heads themselves, which carry their own signature."""
    return [line for line in range(covered + 1, len(record.digests) + 1) if line not in heads]


def _copied(record: Record, covered: int) -> Iterator[Finding]:
    """The lines that no head covers and that stand in the record before: a head's own signature survives copying."""
    tail = record.digests[covered:]
    known = set(tail).intersection(islice(record.digests, covered))
    for line, each in enumerate(tail, start=covered + 1):
        if each in known:
            yield Finding(line, INSERTED)
        known.add(each)


def _unproven(record: Record, heads: Mapping[int, AuditHead], covered: int) -> Iterator[Finding]:
    loose = _loose(record, heads, covered)
    if not heads:
        yield Finding(0, "no audit_head with a trusted signature is in it, so nothing is proven")
    elif record.end is not None and record.end > covered:
        yield Finding(loose[0], "and what follows is proven by nothing: the session has no closing audit_head")
    elif record.end is not None and loose:
        yield Finding(loose[0], _LATE)


_LATE = (
    "stands behind the session's closing audit_head, which does not cover it: it was inserted, or it was told so late "
    "that the recorder has yet to sign it"
)


def _about_the_end(record: Record, heads: Mapping[int, AuditHead], covered: int) -> Iterator[str]:
    if record.torn:
        yield "the last line is incomplete and was not looked at"
    if record.end is None:
        yield "there is no runner_end: the session still runs, or its end was cut off"
        if loose := _loose(record, heads, covered):
            yield f"{len(loose):,} events after line {covered:,} are covered by no audit_head yet"
