import asyncio

from nats.aio.client import Client

from shared.runtime.connection import Connection
from shared.runtime.errors import RetryableError


async def test_while_the_loss_of_the_connection_is_not_told_yet_those_who_restore_it_get_their_turn() -> None:
    connection = Connection(Client())
    connection._is_up()
    assert not connection.connected
    restoring = asyncio.create_task(asyncio.sleep(0))

    async def ask() -> str:
        if not restoring.done():
            raise RetryableError("the bus can't be reached")
        return "answered"

    assert await connection.persist(ask, budget=3) == "answered"


async def test_what_was_not_written_when_the_connection_was_lost_is_not_sent_first_once_it_is_back() -> None:
    connection = Connection(Client())
    connection._is_up()
    connection.client._status = Client.CONNECTED
    await connection.client._send_command(b"PUB events.late 0\r\n\r\n")
    assert connection.client.pending_data_size > 0
    await connection._on_lost()
    assert (connection.client.pending_data_size, connection.client._pending) == (0, [])
