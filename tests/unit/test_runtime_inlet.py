"""What an inlet makes of what the server sends, without a server: nothing missing goes unnoticed."""

from typing import cast

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.runtime.connection import Connection
from shared.runtime.consuming import Inlet
from shared.runtime.delivery import received

STORED_AT = 1_767_605_400_123_456_000


def message(number: int, sequence: int, pending: int = 0, prefix: str = "$JS.ACK") -> Msg:
    reply = f"{prefix}.EVENTS.consumer.1.{sequence}.{number}.{STORED_AT}.{pending}"
    return Msg(cast(Client, None), subject="events.s.runner.error", reply=reply, data=b"{}")


def heartbeat(sent: int) -> Msg:
    headers = {"Status": "100", "Description": "Idle Heartbeat", "Nats-Last-Consumer": str(sent)}
    return Msg(cast(Client, None), subject="inbox", headers=headers)


async def taken(*messages: Msg) -> list[int]:
    """The stream numbers that come out before the inlet ends, as it does at the first doubt."""
    inlet = Inlet(cast(Connection, None))
    for one in messages:
        await inlet.receive(one)
    return [delivery.sequence async for delivery, _ in inlet]


async def test_ends_before_a_hole_in_the_consumers_numbering() -> None:
    assert await taken(message(1, 10), message(2, 15), message(4, 30), message(5, 31)) == [10, 15]


async def test_ends_when_the_first_message_is_missing() -> None:
    assert await taken(message(2, 15), message(3, 16)) == []


async def test_ends_at_a_message_that_comes_twice() -> None:
    assert await taken(message(1, 10), message(1, 10), message(2, 11)) == [10]


async def test_ends_when_a_heartbeat_tells_of_more_than_came() -> None:
    assert await taken(message(1, 10), heartbeat(1), message(2, 12), heartbeat(3), message(3, 14)) == [10, 12]


async def test_reads_number_time_and_what_is_to_come_from_the_reply_subject() -> None:
    delivery, receipt = received(message(3, 12, pending=7))
    assert (delivery.sequence, receipt.number, receipt.pending) == (12, 3, 7)
    assert delivery.stored_at.isoformat() == "2026-01-05T09:30:00.123456+00:00"


async def test_reads_the_reply_subject_of_a_server_with_a_domain_as_well() -> None:
    delivery, receipt = received(message(3, 12, pending=7, prefix="$JS.ACK.hub.account"))
    assert (delivery.sequence, receipt.number, receipt.pending) == (12, 3, 7)
