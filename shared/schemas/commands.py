"""What operators ask for on the CONTROL stream. A kill never fails to parse."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.schemas.subjects import parse_command_subject

CommandName = Literal["kill", "pause", "resume", "flatten", "rebalance", "report"]


class Request(BaseModel):
    """The payload of a command that needs a reason and an operator, and a second factor where one is set up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    operator: Annotated[str, Field(min_length=1, max_length=100)]
    totp: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was stored: `sequence` is its number in CONTROL, `stored_at` the server's clock."""

    name: str
    session_id: str | None
    payload: bytes
    sequence: int
    stored_at: datetime

    @classmethod
    def read(cls, subject: str, payload: bytes, sequence: int, stored_at: datetime) -> "Command":
        """The command behind a message of the CONTROL stream."""
        name, session_id = parse_command_subject(subject)
        return cls(name, session_id, payload, sequence, stored_at)

    def reason(self, otherwise: str = "no reason given") -> str:
        """The reason in words, whatever the payload is: a JSON object's `reason`, else its text, else `otherwise`."""
        text = self.payload.decode("utf-8", errors="replace").strip()
        try:
            parsed = json.loads(text)
        except ValueError:
            return text[:500] or otherwise
        if isinstance(parsed, dict):
            parsed = parsed.get("reason")
        return str(parsed)[:500] if parsed else otherwise

    def request(self) -> Request | str:
        """The validated payload, or the reason why it is none."""
        try:
            return Request.model_validate_json(self.payload or b"{}")
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'payload'}: {e['msg']}" for e in error.errors())
            return f'{problems}; send {{"reason": "…", "operator": "…", "totp": "123456"}}'
