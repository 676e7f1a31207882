"""What the venue refuses, and how it says so."""

from typing import Any

LEGAL_ID = r"^[a-zA-Z0-9-_]{1,36}$"
LEGAL_NUMBER = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
LEGAL_WHOLE = r"^[0-9]{1,20}$"


class Refusal(Exception):
    """An error answer: the HTTP status, the venue's code and its message. `data` is what some errors add."""

    def __init__(
        self,
        code: int,
        msg: str,
        status: int = 400,
        headers: dict[str, str] | None = None,
        data: Any = None,
    ) -> None:
        super().__init__(f"{status} {code} {msg}")
        self.code = code
        self.msg = msg
        self.status = status
        self.headers = headers or {}
        self.data = data

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        told: dict[str, Any] = {"code": self.code, "msg": self.msg}
        return told if self.data is None else {**told, "data": self.data}


class NotFound(Exception):
    """There is nothing at that path; the venue says so in HTML."""


def missing(name: str) -> Refusal:
    """A mandatory parameter is absent or empty."""
    return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def not_wanted(name: str) -> Refusal:
    """A parameter that this kind of order does not take."""
    return Refusal(-1106, f"Parameter '{name}' sent when not required.")


def illegal(name: str, legal: str) -> Refusal:
    """A parameter that does not match its pattern."""
    return Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def filter_failure(name: str) -> Refusal:
    """A filter of the symbol forbids the order."""
    return Refusal(-1013, f"Filter failure: {name}")


def rejected(msg: str) -> Refusal:
    """The matching engine does not take the order."""
    return Refusal(-2010, msg)


def not_cancelled(msg: str = "Unknown order sent.") -> Refusal:
    """The matching engine does not cancel."""
    return Refusal(-2011, msg)


NO_SUCH_ORDER = (-2013, "Order does not exist.")
INSUFFICIENT = "Account has insufficient balance for requested action."
