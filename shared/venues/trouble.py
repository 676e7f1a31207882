"""What a call to a venue that went wrong means for the one who made it."""

from enum import StrEnum


class Fate(StrEnum):
    """What a failed call leaves behind.

    `RETRY`: nothing happened, and asking again may help. `REFUSED`: nothing happened, and asking again won't help.
    `UNKNOWN`: it may have happened. `ABSENT`: what was asked for is not there, as far as this answer goes.
    `FATAL`: no call will work before a person mends something.
    """

    RETRY = "retry"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    FATAL = "fatal"


class VenueError(Exception):
    """A call to a venue failed. `code` is the venue's own, `retry_after` the seconds that it asks to stay away for."""

    def __init__(
        self, venue: str, fate: Fate, reason: str, code: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{venue}{f' ({code})' if code is not None else ''}: {reason}")
        self.venue = venue
        self.fate = fate
        self.reason = reason
        self.code = code
        self.retry_after = retry_after
