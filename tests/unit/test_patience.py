"""Waiting for an event: whether it came, and never deaf to a cancellation."""

import asyncio

import pytest

from shared.runtime.patience import ended_within, set_within


async def test_an_event_that_comes_in_time_is_told() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    assert await set_within(event, 60)


async def test_patience_ends() -> None:
    assert not await set_within(asyncio.Event(), 0.01)


async def test_a_negative_patience_only_looks() -> None:
    event = asyncio.Event()
    assert not await set_within(event, -1)
    event.set()
    assert await set_within(event, -1)


async def test_a_cancellation_that_comes_together_with_the_event_is_not_lost() -> None:
    event = asyncio.Event()

    async def work() -> None:
        while True:
            await set_within(event, 60)
            await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(60):
            await task


async def test_everything_else_gets_a_turn_however_often_one_asks_for_what_has_come() -> None:
    event, happened = asyncio.Event(), asyncio.Event()
    event.set()
    asyncio.get_running_loop().call_soon(happened.set)
    for _ in range(3):
        await set_within(event, 60)
    assert happened.is_set()


async def test_work_that_ends_in_time_gives_its_answer_or_its_error() -> None:
    async def fails() -> None:
        raise ValueError("as it is")

    assert await ended_within(asyncio.sleep(0, "done"), 60) == "done"
    with pytest.raises(ValueError, match="as it is"):
        await ended_within(fails(), 60)


async def test_work_that_loses_its_first_cancellation_is_ended_all_the_same() -> None:
    cancelled: list[None] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(None)
                if len(cancelled) == 2:
                    raise

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await ended_within(stubborn(), 0.01)
    assert len(cancelled) == 2
