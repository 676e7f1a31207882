"""What a channel is."""

from typing import Protocol


class UndeliverableError(Exception):
    """The channel gave up on a text; the message says why, without secrets. `attempts` is how often it tried."""

    def __init__(self, reason: str, attempts: int = 1) -> None:
        super().__init__(reason)
        self.attempts = attempts


class Channel(Protocol):
    """One way to reach people."""

    name: str
    longest: int
    """How many characters of several messages fit into one delivery; 0 keeps messages apart."""

    async def deliver(self, text: str, urgent: bool) -> int:
        """Send the text and answer the number of attempts; UndeliverableError when it is given up.

        An `urgent` text is rather sent twice than not at all.
        """

    async def close(self) -> None:
        """Let go of connections."""
