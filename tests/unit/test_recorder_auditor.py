"""When heads are told, and that nothing is vouched for that is not what came from the bus."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.recorder.announcements import Announcer
from services.recorder.auditor import ENDED_SECONDS, RETRY_SECONDS, RUNNING_SECONDS, Auditor
from services.recorder.core.ledger import Ledger, batch_of
from services.recorder.core.verification import Verdict, read_record, verify
from services.recorder.position import read_position
from services.recorder.session_files import SessionFiles
from shared.runtime import clock
from shared.runtime.delivery import Delivery
from shared.runtime.errors import RetryableError
from shared.schemas.audit import AuditHead
from shared.schemas.codec import encode, subject_of
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import ErrorRaised
from tests.audit_story import key, trusting
from tests.recorder_story import SESSION, Story

STORY = Story().whole(40)
LONG = Story().whole(1200)


@dataclass
class Stream:
    """A bus that stores each fact once, by its id."""

    stored: list[Event] = field(default_factory=list)
    connected: bool = True
    away: bool = False

    async def append(self, events: Sequence[Event], atomic: bool = True) -> int:
        if self.away:
            raise RetryableError("no answer")
        self.stored += [event for event in events if event.id not in {known.id for known in self.stored}]
        return len(self.stored)

    async def latest(self, stream: str, subjects: Sequence[str]) -> list[Delivery]:
        heads = [event for event in self.stored if subject_of(event) in subjects]
        return [Delivery(subject_of(event), encode(event), 0, 0) for event in heads[-1:]]


class Life:
    """One life of a recorder on a stream and a folder: what is stored is recorded from the position on."""

    def __init__(self, stream: Stream, root: Path, name: str = "recorder") -> None:
        self.stream = stream
        self.files = SessionFiles(root)
        self.ledger = Ledger()
        for number, event in enumerate(stream.stored[: self.files.sequence], start=1):
            self.ledger.open(event.session_id)
            self.ledger.enter(number, b"", event)
        announcer = Announcer(stream)  # type: ignore[arg-type]
        self.auditor = Auditor(stream, self.files.chains, announcer, *key(name))  # type: ignore[arg-type]

    def record(self, size: int = 1000) -> None:
        """Write what is stored and not written yet, in batches."""
        while (after := self.files.sequence) < len(self.stream.stored):
            entries = []
            for number, event in enumerate(self.stream.stored[after : after + size], start=after + 1):
                self.ledger.open(event.session_id)
                entries.append(self.ledger.enter(number, encode(event), event))
            batch = batch_of(self.ledger, [entry for entry in entries if entry], after, after + len(entries))
            self.files.write(batch)
            for session_id, summary in batch.summaries.items():
                self.auditor.note(session_id, summary.ended_at is not None)

    def heads(self) -> list[tuple[int, int]]:
        """From behind which event to which each stored head vouches."""
        details = [event.details for event in self.stream.stored if isinstance(event, AuditHead)]
        return [(told.since, told.count) for told in details]

    def verdict(self) -> Verdict:
        """What the recorded session proves."""
        with (self.files.root / SESSION / "events.jsonl").open("rb") as lines:
            return verify(read_record(lines), SESSION, trusting("recorder"))


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(clock, "monotonic", watch)
    return watch


@pytest.fixture
def life(tmp_path: Path, watch: Watch) -> Life:
    return Life(Stream(), tmp_path)


async def test_a_running_session_gets_a_head_once_its_first_event_has_waited_long_enough(
    life: Life, watch: Watch
) -> None:
    life.stream.stored += STORY[:30]
    life.record()
    watch.seconds += RUNNING_SECONDS - 1
    await life.auditor.settle()
    assert life.heads() == []
    watch.seconds += 1
    await life.auditor.settle()
    assert life.heads() == [(0, 30)]


async def test_a_head_alone_calls_for_no_further_head(life: Life, watch: Watch) -> None:
    life.stream.stored += STORY[:30]
    for _ in range(3):
        life.record()
        watch.seconds += RUNNING_SECONDS
        await life.auditor.settle()
    assert life.heads() == [(0, 30)]
    assert not life.auditor.awaits(SESSION)
    life.stream.stored.append(STORY[30])
    life.record()
    await life.auditor.settle(all_of_them=True)
    assert life.heads() == [(0, 30), (30, 32)]


async def test_many_events_get_heads_at_once_of_bounded_size(life: Life) -> None:
    life.stream.stored += LONG[:2500]
    life.record()
    await life.auditor.settle()
    assert life.heads() == [(0, 1000), (1000, 2000), (2000, 2500)]
    assert max(len(encode(event)) for event in life.stream.stored if isinstance(event, AuditHead)) < 18_000


async def test_an_ended_session_is_closed_after_a_moment_of_silence(life: Life, watch: Watch) -> None:
    life.stream.stored += STORY
    life.record()
    assert "no audit_head" in life.verdict().findings[0].text
    watch.seconds += ENDED_SECONDS
    await life.auditor.settle()
    life.record()
    assert (life.verdict().findings, life.verdict().remarks, life.verdict().covered) == ([], [], len(STORY))


async def test_a_recorder_killed_before_it_recorded_its_head_tells_no_other(tmp_path: Path, watch: Watch) -> None:
    stream = Stream(STORY[:30])
    first = Life(stream, tmp_path)
    first.record()
    await first.auditor.settle(all_of_them=True)
    second = Life(stream, tmp_path)
    stream.stored += STORY[30:]
    second.record(size=7)
    await second.auditor.settle(all_of_them=True)
    second.record()
    assert second.heads() == [(0, 30), (30, len(STORY) + 1)]
    assert second.verdict().findings == []


async def test_the_chain_goes_on_over_lives_without_reading_what_was_told(tmp_path: Path, watch: Watch) -> None:
    stream = Stream(STORY[:30])
    first = Life(stream, tmp_path)
    first.record()
    await first.auditor.settle(all_of_them=True)
    first.record()
    kept = read_position(tmp_path)
    assert kept is not None
    assert (kept.chains[SESSION].count, kept.chains[SESSION].told.count) == (31, 30)
    path = tmp_path / SESSION / "events.jsonl"
    assert kept.chains[SESSION].told.offset == sum(len(encode(event)) + 1 for event in STORY[:30])
    assert kept.chains == Life(stream, tmp_path).files.chains.known
    assert path.stat().st_size == kept.sizes[f"{SESSION}/events.jsonl"]


@pytest.mark.parametrize("lose", ["the folder", "the chain"])
async def test_a_chain_that_is_not_at_hand_is_made_anew_without_telling_again(
    tmp_path: Path, watch: Watch, lose: str
) -> None:
    stream = Stream(STORY[:30])
    life = Life(stream, tmp_path / "one")
    life.record()
    await life.auditor.settle(all_of_them=True)
    life.record()
    if lose == "the folder":
        life = Life(stream, tmp_path / "two")
    else:
        life.files.release(SESSION, ended=True)
    stream.stored += STORY[30:]
    life.record(size=11)
    await life.auditor.settle(all_of_them=True)
    life.record()
    assert life.heads() == [(0, 30), (30, len(STORY) + 1)]
    assert life.verdict().findings == []


async def test_heads_by_another_key_are_not_taken_for_its_own(tmp_path: Path, watch: Watch) -> None:
    stream = Stream(STORY[:30])
    stranger = Life(stream, tmp_path / "one", "stranger")
    stranger.record()
    await stranger.auditor.settle(all_of_them=True)
    life = Life(stream, tmp_path / "two")
    life.record()
    await life.auditor.settle(all_of_them=True)
    life.record()
    assert life.heads() == [(0, 30), (0, 31)]
    assert len({event.id for event in stream.stored}) == 32
    assert life.verdict().covered == 31


async def test_without_the_bus_a_head_stays_due(life: Life, watch: Watch) -> None:
    life.stream.stored += STORY[:30]
    life.record()
    life.stream.connected = False
    await life.auditor.settle(all_of_them=True)
    life.stream.connected, life.stream.away = True, True
    await life.auditor.settle(all_of_them=True)
    assert life.heads() == []
    life.stream.away = False
    watch.seconds += RETRY_SECONDS
    await life.auditor.settle()
    assert life.heads() == [(0, 30)]


async def test_a_file_altered_before_its_head_was_told_is_not_vouched_for(life: Life, watch: Watch) -> None:
    life.stream.stored += STORY[:30]
    life.record()
    path = life.files.root / SESSION / "events.jsonl"
    path.write_bytes(path.read_bytes().replace(b"100", b"900", 1))
    for _ in range(2):
        await life.auditor.settle(all_of_them=True)
        life.record()
    assert life.heads() == []
    [error] = [event for event in life.stream.stored if isinstance(event, ErrorRaised)]
    assert "was altered after it was written" in error.error
    assert f"rebuild {SESSION}" in error.error


async def test_a_file_that_is_gone_is_told_as_altered(life: Life) -> None:
    life.stream.stored += STORY[:30]
    life.record()
    (life.files.root / SESSION / "events.jsonl").unlink()
    await life.auditor.settle(all_of_them=True)
    assert isinstance(life.stream.stored[-1], ErrorRaised)
    assert "No such file" in life.stream.stored[-1].error
