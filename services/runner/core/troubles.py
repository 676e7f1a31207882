"""What goes wrong between us and the venue, and what is done about it, as facts."""

from services.runner.core.inputs import CallFailed, CallSucceeded, LinkLost, LinkRestored, VenueTrouble
from services.runner.core.telling import Telling
from shared.schemas.lifecycle import (
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
            details = ErrorDetails(where=call, api=True)
            telling.tell(
                ErrorRaised, level="warning", error=reason, message=f"{call} failed: {reason}", details=details
            )
            if wait is not None:
                _tell_attempt(telling, call, attempt, "started", f"tried again after {wait:.1f} s")
        case CallSucceeded(call, attempt):
            _tell_attempt(telling, call, attempt, "success", "tried again")
        case LinkLost(peer, reason):
            telling.tell(
                ConnectionLost, error=reason, message=f"{peer} is lost: {reason}", details=Connection(peer=peer)
            )
        case LinkRestored(peer):
            telling.tell(ConnectionRestored, message=f"{peer} is back", details=Connection(peer=peer))


def _tell_error(telling: Telling, call: str, reason: str) -> None:
    note, details = f"{call} failed: {reason}", ErrorDetails(where=call, api=True)
    telling.tell(ErrorRaised, level="warning", error=reason, message=note, details=details)


def _tell_attempt(telling: Telling, call: str, attempt: int, status: str, rule: str) -> None:
    repair = Repair(rule=rule, source=call, count=attempt)
    telling.tell(AutocorrectAttempt, status=status, details=repair, message=f"{call}: {rule} (attempt {attempt})")
