"""What an operator's request to the desk asks the guard for. A stop never fails for what it carries."""

import json
from typing import NamedTuple
from uuid import UUID

STOPS = frozenset({"kill", "pause"})
CRITICAL = frozenset({"resume", "flatten"})
_OPERATOR = "desk"
_UNSAID = "the desk's button"


class Asked(NamedTuple):
    """A command as it goes into CONTROL: for one session, or for everything where `session_id` is None."""

    session_id: str | None
    payload: bytes


def asked(name: str, body: bytes | None) -> Asked | str:
    """The command that `body` asks for, None being one that was too large to be read; or why it asks for none.

    A stop needs no reason, and one that names no session that could exist stops everything.
    """
    fields = _fields(body or b"")
    session = _session(fields.pop("session", None))
    if name in STOPS:
        return Asked(session or None, _payload({"reason": _UNSAID, **fields}))
    if session is None:
        return "session: its id, or nothing for all of them"
    return Asked(session or None, _payload(fields))


def _payload(fields: dict[str, object]) -> bytes:
    return json.dumps({"operator": _OPERATOR, **fields}).encode()


def _fields(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}
    named = ("reason", "totp", "session")
    return {key: found[key] for key in named if found.get(key)} if isinstance(found, dict) else {}


def _session(named: object) -> str | None:
    """The session's id in canonical form, empty where none was named, None where what was named is no id."""
    if named is None:
        return ""
    try:
        return str(UUID(str(named)))
    except ValueError:
        return None
