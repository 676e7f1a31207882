"""What the continuously watched limits look at."""

from decimal import Decimal
from typing import NamedTuple


class Standing(NamedTuple):
    """The account against its marks. `day_base` is the equity at the day's start, `peak` the highest so far.

    An operator's resume sets both to the equity at that moment. `api_errors` counts failed venue calls in a row.
    """

    equity: Decimal
    day_base: Decimal
    peak: Decimal
    api_errors: int
