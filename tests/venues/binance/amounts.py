"""Numbers, times and JSON as the venue writes them."""

import json
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

ATOM = Decimal("0.00000001")
ZERO = Decimal(0)


def text(amount: Decimal) -> str:
    """Eight decimals."""
    return f"{amount.quantize(ATOM, ROUND_DOWN):f}"


def floor(amount: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of `step` that is not above the amount; the amount itself where the step is zero."""
    return amount // step * step if step else amount


def compact(told: Any) -> str:
    """JSON without a blank."""
    return json.dumps(told, separators=(",", ":"))


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return int(instant.timestamp() * 1000)
