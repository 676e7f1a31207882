"""How every core is driven, live, in backtest and in replay alike."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.schemas.envelope import Event

S = TypeVar("S")


def react(
    evolve: Callable[[S, Event], S],
    decide: Callable[[S, Event], Sequence[Event]],
    state: S,
    event: Event,
) -> tuple[S, Sequence[Event]]:
    """Evolve on `event`, decide on the result, evolve on what was decided. Answers the state and the new facts."""
    state = evolve(state, event)
    told = decide(state, event)
    for fact in told:
        state = evolve(state, fact)
    return state, told
