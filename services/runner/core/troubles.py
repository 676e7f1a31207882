"""What goes wrong between us and the venue, and what is done about it, as facts."""

from services.runner.core.inputs import CallFailed, CallSucceeded, LinkLost, LinkRestored, VenueTrouble
from services.runner.core.telling import Telling
from shared.schemas.lifecycle import (
    TRIED_AGAIN,
    AutocorrectAttempt,
    Connection,
    ConnectionLost,
    ConnectionRestored,
    ErrorDetails,
    ErrorRaised,
    Repair,
)


def tell(telling: Telling, trouble: VenueTrouble) -> None:
    """Tell the trouble: a failed call counts against `max_api_errors`, and each further go at it is told."""
    match trouble:
        case CallFailed(call, reason, attempt, wait):
            _tell_error(telling, call, reason)
            if wait is not None:
                _tell_attempt(telling, call, "started", f"attempt {attempt + 1} in {wait:.1f} s")
        case CallSucceeded(call, attempt):
            _tell_attempt(telling, call, "success", f"attempt {attempt} succeeded")
        case LinkLost(peer, reason):
            note = f"{peer} is lost: {reason}"
            telling.tell(ConnectionLost, error=reason, message=note, details=Connection(peer=peer))
        case LinkRestored(peer):
            telling.tell(ConnectionRestored, message=f"{peer} is back", details=Connection(peer=peer))


def _tell_error(telling: Telling, call: str, reason: str) -> None:
    note, details = f"{call} failed: {reason}", ErrorDetails(where=call, api=True)
    telling.tell(ErrorRaised, level="warning", error=reason, message=note, details=details)


def _tell_attempt(telling: Telling, call: str, status: str, note: str) -> None:
    repair = Repair(rule=TRIED_AGAIN, source=call)
    telling.tell(AutocorrectAttempt, status=status, details=repair, message=f"{call}: {note}")
