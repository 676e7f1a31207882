"""What a limit answers when it is broken."""

from decimal import Decimal
from typing import NamedTuple

from shared.schemas.values import plain

_DIGITS = Decimal("0.000001")


class Excess(NamedTuple):
    """A broken rule: its key in the session file, its bound and what was seen, written for people."""

    rule: str
    limit: str
    observed: str


def written(number: Decimal) -> str:
    """The number in positional notation with at most six decimals and no trailing zeros."""
    return plain(number.quantize(_DIGITS).normalize())


def share_of(amount: Decimal, equity: Decimal) -> str:
    """`amount` as a share of `equity`, or in words where there is no equity left."""
    if equity <= 0:
        return f"{written(amount)} with no equity left"
    return written(amount / equity)
