"""A venue's stream is followed to its end, whatever its client does to cancellations."""

import asyncio

import pytest

from services.runner.live.following import followed
from shared.runtime.companions import accompanied
from shared.venues.trouble import Fate, VenueError


class Stubborn:
    """Reads on for ever, and loses the first cancellation, as libraries with `asyncio.wait_for` in them may."""

    def __init__(self) -> None:
        self.lost = False
        self.ended = False

    async def __call__(self) -> None:
        try:
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    if self.lost:
                        raise
                    self.lost = True
        finally:
            self.ended = True


async def test_a_stream_that_is_mute_for_too_long_is_over_even_where_its_client_loses_the_cancellation() -> None:
    stream = Stubborn()
    with pytest.raises(VenueError, match="nothing was heard"):
        await followed(stream(), "a venue", iter((0.01, 0.0)).__next__)
    assert stream.ended


async def test_a_stream_that_its_client_breaks_off_ends_no_more_than_itself() -> None:
    async def broken_off() -> None:
        raise asyncio.CancelledError

    with pytest.raises(VenueError, match="broken off by its client"):
        await followed(broken_off(), "a venue")


async def test_a_cancellation_from_outside_ends_the_stream_and_is_passed_on() -> None:
    stream = Stubborn()
    following = asyncio.ensure_future(followed(stream(), "a venue"))
    await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert stream.ended


async def test_the_failure_of_one_ends_a_companion_that_loses_its_cancellation() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise VenueError("a venue", Fate.RETRY, "it ended")

    stream = Stubborn()
    with pytest.raises(VenueError):
        await accompanied(stream(), fails())
    assert stream.ended


async def test_two_cancellations_from_outside_leave_no_companion_behind() -> None:
    stream, other = Stubborn(), Stubborn()
    both = asyncio.ensure_future(accompanied(stream(), other()))
    for _ in range(2):
        await asyncio.sleep(0.01)
        both.cancel()
    with pytest.raises(asyncio.CancelledError):
        await both
    assert stream.ended
    assert other.ended
