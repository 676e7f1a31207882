"""What operators ask for on the CONTROL stream. A kill never fails to parse."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.schemas.subjects import parse_command_subject

CommandName = Literal["kill", "pause", "resume", "flatten", "limit", "rebalance", "report"]


def printable(text: str, length: int = 500) -> str:
    """The text as one line that every reader can store: no control characters and no halves of characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * length]).split())[:length]


Line = Annotated[str, BeforeValidator(lambda text: printable(text) if isinstance(text, str) else text)]


class Request(BaseModel):
    """The payload of a command that needs a reason and an operator, and a second factor where one is set up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Annotated[Line, Field(min_length=1, max_length=500)]
    operator: Annotated[Line, Field(min_length=1, max_length=100)]
    totp: str | None = None


class LimitRequest(Request):
    """A limit of the session file is to be `value`, written as it is there."""

    limit: Annotated[Line, Field(min_length=1, max_length=100)]
    value: Annotated[Line, Field(min_length=1, max_length=200)]


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
        text = self.payload.decode("utf-8", errors="replace")
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return printable(text) or otherwise
        if isinstance(parsed, dict):
            parsed = parsed.get("reason")
        return printable(str(parsed)) if parsed and printable(str(parsed)) else otherwise

    def request(self) -> Request | str:
        """The validated payload, or the reason why it is none."""
        kind = LimitRequest if self.name.lower() == "limit" else Request
        try:
            return kind.model_validate_json(self.payload or b"{}")
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'payload'}: {e['msg']}" for e in error.errors())
            wanted = ', "limit": "max_open_orders", "value": "5"' if kind is LimitRequest else ""
            return f'{problems}; send {{"reason": "…", "operator": "…", "totp": "123456"{wanted}}}'
