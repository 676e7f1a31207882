"""What came of a command, in words, as JSON, and as an exit status."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.schemas.codec import encode
from shared.schemas.envelope import Event
from shared.schemas.guard import CommandRefused

EXIT_STATUS = {"done": 0, "refused": 1, "unanswered": 3}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Command number `sequence` is stored; `facts` are what the guard told about it so far."""

    command: str
    sequence: int
    facts: Sequence[Event]

    @property
    def verdict(self) -> Literal["done", "refused", "unanswered"]:
        """Whether the guard carried the command out, refused it, or has not been heard."""
        if not self.facts:
            return "unanswered"
        return "refused" if isinstance(self.facts[0], CommandRefused) else "done"

    @property
    def exit_status(self) -> int:
        """0 when it was carried out, 1 when it was refused, 3 when no guard answered."""
        return EXIT_STATUS[self.verdict]

    def as_json(self) -> str:
        """One JSON object."""
        facts = [json.loads(encode(fact)) for fact in self.facts]
        return json.dumps({"command": self.command, "sequence": self.sequence, "outcome": self.verdict, "facts": facts})

    def as_text(self) -> str:
        """A line on what happened, and one for each fact."""
        stored = f"{self.command}: stored as number {self.sequence} in CONTROL"
        if not self.facts:
            return f"{stored}\nno guard answered; the {self.command} is stored and takes effect when it is up"
        lines = [f"  {fact.session_id}  {fact.type}: {fact.message}" for fact in self.facts]
        head = "the guard refused it; nothing has changed" if self.verdict == "refused" else "the guard carried it out"
        return "\n".join((stored, f"{head}:", *lines))
