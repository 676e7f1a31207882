"""A snapshot is used when it is beyond doubt, and else passed over."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.runtime import snapshots as module
from shared.runtime.snapshots import Keeper, Snapshot, Snapshots
from shared.schemas.subjects import EVENTS
from tests.guard_story import Story, ticket
from tests.memory_bus import MemoryBus

PACKAGES = ("shared.domain", "shared.schemas")
STATE = {"order": ticket(), "count": 3}


@pytest.fixture
def memory() -> MemoryBus:
    memory, story = MemoryBus(), Story()
    memory.store_events(story.start(), story.close("100"), story.close("101"))
    return memory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshots" / "risk" / "guard.snapshot"


def snapshots(path: Path, memory: MemoryBus, code: str = "shared.domain") -> Snapshots:
    return Snapshots(path, memory.bus, PACKAGES, (code,))


async def test_what_was_kept_is_loaded(path: Path, memory: MemoryBus) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    assert await snapshots(path, memory).load() == Snapshot(2, STATE)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


async def test_there_may_be_none(path: Path, memory: MemoryBus) -> None:
    assert await snapshots(path, memory).load() is None


async def test_one_that_was_made_by_other_code_is_passed_over(
    path: Path, memory: MemoryBus, capsys: pytest.CaptureFixture[str]
) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    assert await snapshots(path, memory, code="shared.schemas").load() is None
    assert "made by other code" in capsys.readouterr().out


async def test_one_of_another_format_is_passed_over(
    path: Path, memory: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    monkeypatch.setattr(module, "FORMAT", 2)
    assert await snapshots(path, memory).load() is None


def flipped(content: bytes) -> bytes:
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


@pytest.mark.parametrize(
    "damage",
    [
        flipped,
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content[:40],
        lambda content: b"",
        lambda content: b"{}\n" + content,
        lambda content: b"\x00" * len(content),
    ],
)
async def test_a_damaged_one_is_passed_over(path: Path, memory: MemoryBus, damage: Callable[[bytes], bytes]) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    path.write_bytes(damage(path.read_bytes()))
    assert await snapshots(path, memory).load() is None


async def test_every_single_damaged_byte_is_noticed_or_does_no_harm(path: Path, memory: MemoryBus) -> None:
    await snapshots(path, memory).keep(Snapshot(2, {"count": 3}))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        assert await snapshots(path, memory).load() in (None, Snapshot(2, {"count": 3}))


async def test_one_that_reaches_beyond_the_stream_is_passed_over(
    path: Path, memory: MemoryBus, capsys: pytest.CaptureFixture[str]
) -> None:
    await snapshots(path, memory).keep(Snapshot(3, STATE))
    del memory.streams[EVENTS][2]
    assert await snapshots(path, memory).load() is None
    assert "number 3" in capsys.readouterr().out


async def test_one_of_another_stream_is_passed_over(path: Path, memory: MemoryBus) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    other, story = MemoryBus(), Story(session_id="11111111-2222-4333-8444-555555555555")
    other.store_events(story.start(), story.close("100"), story.close("101"))
    assert await snapshots(path, other).load() is None


async def test_one_with_other_classes_than_those_of_states_is_passed_over(path: Path, memory: MemoryBus) -> None:
    await Snapshots(path, memory.bus, ("anything",), ("shared.domain",)).keep(Snapshot(2, path))
    assert await snapshots(path, memory).load() is None


async def test_a_state_that_can_not_be_packed_leaves_the_last_snapshot_as_it_was(
    path: Path, memory: MemoryBus, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeper(snapshots(path, memory), since=0)
    await keeper.finish(Snapshot(2, STATE))
    await keeper.finish(Snapshot(3, {"strategy": lambda bar: bar}))
    assert await snapshots(path, memory).load() == Snapshot(2, STATE)
    assert "no snapshot was kept" in capsys.readouterr().out


async def test_a_keeper_waits_for_enough_to_have_happened(
    path: Path, memory: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_EVENTS", 5)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)
    keeper = Keeper(snapshots(path, memory), since=10)
    assert [keeper.due(sequence) for sequence in (11, 14, 15)] == [False, False, True]
    keeper.keep(Snapshot(3, STATE))
    assert not keeper.due(7), "one is still being written"
    await keeper.finish(Snapshot(3, STATE))
    assert [keeper.due(sequence) for sequence in (7, 8)] == [False, True]


async def test_a_keeper_leaves_time_between_snapshots(path: Path, memory: MemoryBus) -> None:
    keeper = Keeper(snapshots(path, memory), since=0)
    keeper.keep(Snapshot(1, STATE))
    await keeper.finish(Snapshot(1, STATE))
    assert not keeper.due(1_000_000)


async def test_the_header_says_what_the_snapshot_stands_for(path: Path, memory: MemoryBus) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    header = json.loads(path.read_bytes().partition(b"\n")[0])
    assert (header["format"], header["sequence"]) == (1, 2)


async def test_what_is_over_leaves_no_file(path: Path, memory: MemoryBus) -> None:
    await snapshots(path, memory).keep(Snapshot(2, STATE))
    snapshots(path, memory).remove()
    snapshots(path, memory).remove()
    assert not path.exists()
