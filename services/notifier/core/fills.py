"""Fills are summed up: at most one message a minute and session, however many executions there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from services.notifier.core.wording import amount, count, fee, past
from shared.schemas.orders import Fill
from shared.schemas.values import Side

QUIET = timedelta(minutes=1)
"""By the wall clock, between two messages about a session's fills."""
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Sum:
    """Executions of one symbol and side: quantity, value in the quote currency, fees by asset."""

    qty: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    fills: int = 0

    def plus(self, fill: Fill) -> "Sum":
        """The sum with one more execution."""
        fees = {**self.fees, fill.fee_asset: self.fees.get(fill.fee_asset, Decimal(0)) + fill.fee}
        return Sum(self.qty + fill.qty, self.value + fill.qty * fill.price, fees, self.fills + 1)


@dataclass(frozen=True, slots=True)
class Tally:
    """A session's fills that were not told yet. `since` is when the first of them came, `told_at` the last message."""

    sums: Mapping[tuple[str, Side], Sum] = field(default_factory=dict)
    since: datetime | None = None
    told_at: datetime | None = None

    def plus(self, fill: Fill, timestamp: datetime) -> "Tally":
        """The tally with one more execution at `timestamp`."""
        key = fill.symbol, fill.side
        return Tally({**self.sums, key: self.sums.get(key, Sum()).plus(fill)}, self.since or timestamp, self.told_at)

    def told(self, timestamp: datetime) -> "Tally":
        """The tally after its message."""
        return Tally(told_at=timestamp)

    def due(self, timestamp: datetime, order_filled: bool) -> bool:
        """Whether to tell now: an order filled whole at once, a part of one later, and neither within the quiet."""
        if self.since is None or (self.told_at is not None and timestamp - self.told_at < QUIET):
            return False
        return order_filled or timestamp - self.since >= QUIET


def summed_up(tally: Tally, quote: str) -> str:
    """What was bought and sold, in words."""
    lines = list(_lines(tally, quote))
    more = [f"and {count(len(lines) - _LISTED, 'more position')}"] if len(lines) > _LISTED else []
    return "; ".join([*lines[:_LISTED], *more])


def _lines(tally: Tally, quote: str) -> Iterator[str]:
    for (symbol, side), total in tally.sums.items():
        average = f"{amount(total.value / total.qty)} {quote}" if total.qty else quote
        several = f" on average in {count(total.fills, 'fill')}" if total.fills > 1 else ""
        fees = " and ".join(fee(value, asset) for asset, value in total.fees.items())
        yield f"{past(side)} {amount(total.qty)} {symbol} at {average}{several}, fee {fees}"
