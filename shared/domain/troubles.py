"""What went wrong between a session and its venue, and how often it was mended."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted
from shared.schemas.lifecycle import AutocorrectAttempt, ConnectionLost, ConnectionRestored, ErrorRaised
from shared.schemas.orders import AccountReconciled, OrderReconciled, OrderRejected, OrderUnknown

IN_DOUBT = "order in doubt"


class Trouble(NamedTuple):
    """How often something went wrong, and how often it was mended."""

    times: int = 0
    mended: int = 0


Troubles = Mapping[str, Trouble]
NONE: Troubles = MappingProxyType({})


def evolve(troubles: Troubles, event: Event) -> Troubles:
    """The troubles after a fact of the session; nearly every fact leaves them as they are."""
    kind = type(event)
    return _noted(troubles, event) if kind in _TOLD else troubles


def as_document(troubles: Troubles) -> list[dict[str, Any]]:
    """The troubles as the summary tells them, the most frequent first."""
    ordered = sorted(troubles.items(), key=lambda item: (-item[1].times, item[0]))
    return [{"what": what, "count": trouble.times, "mended": trouble.mended} for what, trouble in ordered]


def _noted(troubles: Troubles, event: Event) -> Troubles:
    match event:
        case ErrorRaised() if event.details.api:
            return _more(troubles, f"{event.details.where} failed", 1, 0)
        case AutocorrectAttempt() if event.status == "success" and f"{event.details.source} failed" in troubles:
            return _more(troubles, f"{event.details.source} failed", 0, 1)
        case ConnectionLost():
            return _more(troubles, f"{event.details.peer} was lost", 1, 0)
        case ConnectionRestored():
            return _more(troubles, f"{event.details.peer} was lost", 0, 1)
        case OrderUnknown():
            return _more(troubles, IN_DOUBT, 1, 0)
        case OrderReconciled():
            return _more(troubles, IN_DOUBT, 0, 1)
        case OrderRejected():
            return _more(troubles, "order rejected by the venue", 1, 0)
        case AccountReconciled() if event.details.confirmed:
            return _more(troubles, "the venue's books differed from ours", 1, 0)
        case TradingHalted():
            return _more(troubles, f"trading halted ({event.details.kind})", 1, 0)
    return troubles


def _more(troubles: Troubles, what: str, count: int, mended: int) -> Troubles:
    known = troubles.get(what, Trouble())
    return {**troubles, what: Trouble(known.times + count, known.mended + mended)}


_TOLD = frozenset(
    {
        ErrorRaised,
        AutocorrectAttempt,
        ConnectionLost,
        ConnectionRestored,
        OrderUnknown,
        OrderReconciled,
        OrderRejected,
        AccountReconciled,
        TradingHalted,
    }
)
