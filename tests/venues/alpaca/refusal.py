"""What the venue answers to a request that it does not execute."""

from typing import Any

FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 40310000, 40410000, 42210000
NOT_UNIQUE = MALFORMED = 40010001


class Refusal(Exception):
    """An error answer: HTTP status, the venue's code (None where it gives none), message and further fields."""

    def __init__(self, status: int, code: int | None, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, fields

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        code = {} if self.code is None else {"code": self.code}
        return {**code, "message": self.message, **self.fields}


def forbidden(message: str, **fields: Any) -> Refusal:
    """The account may not do this, now or ever."""
    return Refusal(403, FORBIDDEN, message, **fields)


def unprocessable(message: str, code: int = UNPROCESSABLE) -> Refusal:
    """The request makes no sense, or none in the state that things are in."""
    return Refusal(422, code, message)


def not_found(message: str) -> Refusal:
    """There is no such thing."""
    return Refusal(404, NOT_FOUND, message)
