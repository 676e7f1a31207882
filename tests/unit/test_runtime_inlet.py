"""What an inlet makes of what the server sends, without a server: nothing missing goes unnoticed."""

from typing import cast

import pytest

from shared.runtime.connection import Connection
from shared.runtime.delivery import Delivery, received
from shared.runtime.errors import FatalError
from shared.runtime.inlet import Inlet
from shared.runtime.progress import Progress
from shared.runtime.wire import Frame
from shared.schemas.subjects import ALL_COMMANDS, ALL_EVENTS, CONTROL, DEADLETTER, EVENTS

STORED_AT = 1_767_605_400_123_456_000


def message(number: int, sequence: int, pending: int = 0, prefix: str = "$JS.ACK") -> Frame:
    reply = f"{prefix}.EVENTS.consumer.1.{sequence}.{number}.{STORED_AT}.{pending}"
    return Frame("events.s.runner.error", reply, b"", b"{}")


def heartbeat(sent: int) -> Frame:
    return Frame("inbox", "", f"NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: {sent}\r\n\r\n".encode(), b"")


async def taken(*messages: Frame) -> list[int]:
    """The stream numbers that come out before the inlet ends, as it does at the first doubt."""
    inlet = Inlet(cast(Connection, None))
    for one in messages:
        inlet.receive(one)
    return [delivery.sequence for delivery in await inlet.take()]


async def test_ends_before_a_hole_in_the_consumers_numbering() -> None:
    assert await taken(message(1, 10), message(2, 15), message(4, 30), message(5, 31)) == [10, 15]


async def test_ends_when_the_first_message_is_missing() -> None:
    assert await taken(message(2, 15), message(3, 16)) == []


async def test_ends_at_a_message_that_comes_twice() -> None:
    assert await taken(message(1, 10), message(1, 10), message(2, 11)) == [10]


async def test_ends_when_a_heartbeat_tells_of_more_than_came() -> None:
    assert await taken(message(1, 10), heartbeat(1), message(2, 12), heartbeat(3), message(3, 14)) == [10, 12]


async def test_ends_at_what_no_consumer_has_sent() -> None:
    assert await taken(message(1, 10), Frame("inbox", "", b"", b"?"), message(2, 11)) == [10]


async def test_reads_number_time_and_what_is_to_come_from_the_reply_subject() -> None:
    receipt, delivery = received(message(3, 12, pending=7))
    assert (delivery.sequence, receipt.number, receipt.pending) == (12, 3, 7)
    assert delivery.stored_at.isoformat() == "2026-01-05T09:30:00.123456+00:00"


async def test_reads_the_reply_subject_of_a_server_with_a_domain_as_well() -> None:
    receipt, delivery = received(message(3, 12, pending=7, prefix="$JS.ACK.hub.account"))
    assert (delivery.sequence, receipt.number, receipt.pending) == (12, 3, 7)


def numbered(sequence: int) -> Delivery:
    return Delivery("events.s.runner.error", b"{}", sequence, 0)


def read_on(stream: str, subject: str, start: int, *numbers: int) -> Progress:
    progress = Progress(stream, [subject], start)
    for number in numbers:
        progress.take(numbered(number))
    return progress


@pytest.mark.parametrize(("stream", "subject"), [(EVENTS, ALL_EVENTS), (CONTROL, ALL_COMMANDS)])
def test_a_gap_in_a_whole_stream_is_fatal_and_names_both_numbers(stream: str, subject: str) -> None:
    with pytest.raises(FatalError, match=f"{stream}: number 9 was to come next, but 11 came"):
        read_on(stream, subject, 7, 7, 8, 11)


def test_a_gap_at_the_start_is_fatal_too() -> None:
    with pytest.raises(FatalError, match="number 7 was to come next, but 8 came"):
        read_on(EVENTS, ALL_EVENTS, 7, 8)


def test_an_end_that_comes_too_early_is_fatal() -> None:
    read_on(EVENTS, ALL_EVENTS, 7, 7, 8).end_at(8)
    with pytest.raises(FatalError, match="nothing comes from number 9 to 12"):
        read_on(EVENTS, ALL_EVENTS, 7, 7, 8).end_at(12)


@pytest.mark.parametrize("sequence", [7, 8])
def test_a_number_that_comes_again_is_fatal_whatever_is_read(sequence: int) -> None:
    for subject in (ALL_EVENTS, "events.s.runner.>"):
        with pytest.raises(FatalError, match=f"but {sequence} came"):
            read_on(EVENTS, subject, 7, 7, 8, sequence)


def test_who_reads_only_some_subjects_is_given_only_some_numbers() -> None:
    assert read_on(EVENTS, "events.s.runner.>", 7, 9, 40).next == 41
    assert read_on(DEADLETTER, "deadletter.>", 1, 9, 40).next == 41
    read_on(EVENTS, "events.s.runner.>", 7, 9).end_at(40)
