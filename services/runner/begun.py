"""A slice of which only the first facts were stored when the runner died, and what it still has to tell."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.runner.core.causes import cause_of
from services.runner.core.decide import handle
from services.runner.core.inputs import SliceClosed
from services.runner.core.state import State
from services.runner.course import Step
from services.runner.shadow import Shadow
from shared.runtime.errors import FatalError
from shared.schemas.codec import encode
from shared.schemas.envelope import Event
from shared.schemas.market import CandleClosed, EquityMarked
from shared.schemas.values import iso
from shared.venues.paper import Book, PaperVenue


class Begun(NamedTuple):
    """The session's last slice: how things stood before it, and what is stored of it. It may well be whole."""

    state: State
    book: Book
    clock: datetime
    told: tuple[Event, ...]


class Rest(NamedTuple):
    """What the slice has yet to tell, and the simulated exchange after it."""

    facts: Sequence[Event]
    book: Book
    clock: datetime


def rest_of(begun: Begun, step: Step | None, shadow: Shadow | None) -> Rest:
    """The slice decided again, as at its time, up to what is stored; the shadow follows.

    Where what is stored goes on otherwise, the runner has got beyond the slice, or has heard of a halt while it told
    its orders: then the candles, the fills and the mark before these are all stored, and nothing is left to tell.
    FatalError where they are not: the slice that the feed holds, or the code that decides, has become another.
    """
    if step is None:
        raise _another(begun)
    venue = PaperVenue(begun.book, begun.clock)
    given = SliceClosed(step.candles, venue.advance(step.candles), step.warmup)
    _, facts = handle(begun.state, given, cause_of(begun.state, given, begun.told[0].timestamp))
    whole = (*facts, *(shadow.beside(step, facts) if shadow else ()))
    stored = len(begun.told)
    if [*map(encode, begun.told)] == [*map(encode, whole[:stored])]:
        return Rest(whole[stored:], venue.book, venue.clock)
    if not _is_valued(begun, step):
        raise _another(begun)
    return Rest((), venue.book, venue.clock)


def _is_valued(begun: Begun, step: Step) -> bool:
    """Whether all that a slice must tell is stored: its mark, or, while warming up, its candles."""
    if step.warmup:
        return sum(type(fact) is CandleClosed for fact in begun.told) == len(step.candles)
    return any(type(fact) is EquityMarked for fact in begun.told)


def _another(begun: Begun) -> FatalError:
    at = iso(begun.told[0].market_time)
    return FatalError(
        f"the slice of {at} was cut short, and its feed or this program would tell it otherwise; go on with the same "
        "candles and the program that began it, or give the session up by changing a setting in its file"
    )
