"""What is told of a venue's, an account's and a key's health: before trading, and when it changes."""

from collections.abc import Sequence

from services.runner.core.inputs import Check, HealthChanged
from services.runner.core.telling import Telling
from shared.schemas.lifecycle import Checkpoint, CheckpointDetails, Connection, ConnectionLost, ConnectionRestored


def tell_health(telling: Telling, given: HealthChanged) -> None:
    """Tell what has changed."""
    peer = Connection(peer=given.peer)
    if given.lost is not None:
        telling.tell(ConnectionLost, error=given.lost, details=peer, message=f"{given.peer} does not answer")
    if given.restored:
        telling.tell(ConnectionRestored, details=peer, message=f"{given.peer} answers again")
    tell_checks(telling, given.checks)


def tell_checks(telling: Telling, checks: Sequence[Check]) -> None:
    """Tell each check with what was seen."""
    for check in checks:
        seen = CheckpointDetails(name=check.name, observed=check.observed)
        telling.tell(Checkpoint, status=check.status, level=check.level, details=seen)
