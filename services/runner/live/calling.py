"""Calls to a venue that are made again where that helps: patiently, and never in step with other clients."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    stop_never,
    wait_exponential_jitter,
)
from tenacity.wait import wait_base

from services.runner.core.inputs import CallFailed, CallSucceeded, VenueTrouble
from shared.venues.measuring import RETRIES
from shared.venues.trouble import Fate, VenueError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the second attempt, and before any later one; the pauses between double."""
T = TypeVar("T")


class _Pause(wait_base):
    """As long as the venue asks for, unless less is `left`; where it asks for nothing, ever longer, never the same."""

    def __init__(self, longest: float, left: Callable[[], float]) -> None:
        self._left = left
        self._growing = wait_exponential_jitter(multiplier=FIRST_PAUSE, max=longest, jitter=FIRST_PAUSE / 2)

    def __call__(self, state: RetryCallState) -> float:
        error = _error_of(state)
        if error is not None and error.retry_after is not None:
            return max(min(error.retry_after, self._left()), FIRST_PAUSE)
        return self._growing(state)


class Calls:
    """Makes calls to a venue; each that fails, and each further attempt, goes to `tell`."""

    def __init__(self, tell: Callable[[VenueTrouble], None]) -> None:
        self._tell = tell

    async def once(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """The answer to a call that is not made again. VenueError as the call raises it."""
        try:
            return await call()
        except VenueError as error:
            self._tell(CallFailed(name, str(error), 1, None))
            raise

    async def until(
        self,
        name: str,
        call: Callable[[], Awaitable[T]],
        again: Callable[[VenueError], bool],
        longest: float | None = None,
        within: float | None = None,
        left: Callable[[], float] = lambda: math.inf,
    ) -> T:
        """The answer to a call that is made as long as `again` holds of its error; the last error is raised.

        `longest` is the longest pause in seconds, but for one that the venue asks for; `within` bounds the whole. Once
        nothing is `left` of the seconds in which the call makes sense, even a pause that the venue asks for ends, for
        `call` to say so.
        """
        try:
            return await call()
        except VenueError as error:
            first: VenueError | None = error
        attempts = 0

        async def attempt() -> T:
            nonlocal attempts, first
            attempts += 1
            if first is not None:
                known, first = first, None
                raise known
            return await call()

        def failed(state: RetryCallState) -> None:
            error, wait = _error_of(state), state.next_action.sleep if state.next_action else None
            if error is not None:
                RETRIES.labels(error.venue, error.fate).inc()
            self._tell(CallFailed(name, str(error), attempts, wait))

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, VenueError) and again(error)),
            wait=_Pause(longest or LONGEST_PAUSE, left),
            before_sleep=failed,
            stop=stop_never if within is None else stop_after_delay(within),
            reraise=True,
        )
        try:
            answer: T = await retrying(attempt)
        except VenueError as error:
            self._tell(CallFailed(name, str(error), attempts, None))
            raise
        self._tell(CallSucceeded(name, attempts))
        return answer


def may_help(error: VenueError) -> bool:
    """Whether nothing happened and asking again may help."""
    return error.fate is Fate.RETRY


def may_answer(error: VenueError) -> bool:
    """The same of a question, which may be asked again whatever became of it."""
    return error.fate in (Fate.RETRY, Fate.UNKNOWN)


def _error_of(state: RetryCallState) -> VenueError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, VenueError) else None
