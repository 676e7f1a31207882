"""Messages in the service's own log."""

import structlog


class LogChannel:
    """Writes one line a message; an urgent one as a warning."""

    name = "log"
    longest = 0

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log

    async def deliver(self, text: str, urgent: bool) -> int:
        """Write the line."""
        write = self._log.warning if urgent else self._log.info
        write("alert", text=text)
        return 1

    async def close(self) -> None:
        """Nothing is held open."""
