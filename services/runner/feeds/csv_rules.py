"""What a series of candles must be, beyond rows that are each valid: repaired by a stated rule, or refused."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter, sub

from services.runner.feeds.csv_clean import CleanRows
from services.runner.feeds.port import FeedError
from services.runner.feeds.series import Row, Series
from shared.schemas.lifecycle import Repair

DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = timedelta(0)


def spelled(length: timedelta) -> str:
    """A length of time in the largest unit that divides it: 90s, 5m, 1h, 1d."""
    seconds = length // timedelta(seconds=1)
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"


def steps(series: Series) -> Sequence[timedelta]:
    """The time from each row to the next."""
    times = [row.time for row in series.rows]
    return list(map(sub, times[1:], times))


def in_order(series: Series) -> tuple[Series, Sequence[Repair]]:
    """Rows sorted by time, exact repetitions dropped; FeedError when two rows tell different things of one time."""
    if isinstance(series.rows, CleanRows) or min(steps(series), default=DAY) > _ZERO:
        return series, ()
    ordered, sorting = _sorted(series)
    unique, dropping = _without_repetitions(ordered)
    return unique, (*sorting, *dropping)


def _sorted(series: Series) -> tuple[Series, Sequence[Repair]]:
    late = [row for before, row in pairwise(series.rows) if row.time < before.time]
    if not late:
        return series, ()
    repair = Repair(rule="unsorted rows sorted by time", source=series.source, line=late[0].line, count=len(late))
    return series.with_rows(sorted(series.rows, key=attrgetter("time"))), (repair,)


def _without_repetitions(series: Series) -> tuple[Series, Sequence[Repair]]:
    kept, dropped = [series.rows[0]], []
    for row in series.rows[1:]:
        if row.time != kept[-1].time:
            kept.append(row)
            continue
        _require_same(series, kept[-1], row)
        dropped.append(row)
    if not dropped:
        return series, ()
    repair = Repair(rule="repeated rows dropped", source=series.source, line=dropped[0].line, count=len(dropped))
    return series.with_rows(kept), (repair,)


def _require_same(series: Series, first: Row, again: Row) -> None:
    if first._replace(line=again.line) != again:
        raise FeedError(
            f"{series.at(again)}: {again.time.isoformat()} was told on line {first.line} already, with other values"
        )


def timeframe(series: Series) -> timedelta:
    """The length of a bar: the most frequent step, the shortest of equals; FeedError when there is none to trade on."""
    if isinstance(series.rows, CleanRows):
        return series.rows.step
    counted = Counter(steps(series))
    if not counted:
        raise FeedError(f"{series.at(series.rows[0])}: a single candle does not tell its timeframe; two are the least")
    step = min(counted, key=lambda length: (-counted[length], length))
    if step % timedelta(seconds=1):
        raise FeedError(f"{series.at(series.rows[1])}: bars of {step} are no timeframe; it must be whole seconds")
    return step


def require_grid(series: Series, step: timedelta) -> None:
    """FeedError on the first row that breaks the grid of bars.

    Bars shorter than a day stand on multiples of their length from each other. Longer ones follow calendars (weekends,
    summer time, months) and must merely not overlap by more than a tenth.
    """
    if isinstance(series.rows, CleanRows):
        return
    broken = _first_overlapping(series, step) if step >= DAY else _first_off_grid(series, step)
    if broken:
        raise FeedError(f"{series.at(broken)}: {broken.time.isoformat()} is off the grid of {spelled(step)} bars")


def _first_off_grid(series: Series, step: timedelta) -> Row | None:
    if not any(length % step for length in Counter(steps(series))):
        return None
    phases = [(row.time - _EPOCH) % step for row in series.rows]
    usual = Counter(phases).most_common(1)[0][0]
    return next(row for row, phase in zip(series.rows, phases, strict=True) if phase != usual)


def _first_overlapping(series: Series, step: timedelta) -> Row | None:
    return next((row for row, length in zip(series.rows[1:], steps(series), strict=True) if length < step * 0.9), None)


def gaps(series: Series, step: timedelta) -> Sequence[Repair]:
    """What is missing between rows: nothing is filled in, a symbol without a candle is absent from that slice."""
    if isinstance(series.rows, CleanRows):
        return ()
    found = [(length, row) for row, length in zip(series.rows[1:], steps(series), strict=True) if length >= 2 * step]
    if not found:
        return ()
    longest, after = max(found, key=lambda gap: gap[0])
    missing = sum(length // step - 1 for length, _ in found)
    told = f"{missing} bars of {spelled(step)} missing; longest step {spelled(longest)}, up to line {after.line}"
    first = found[0][1].line
    return (Repair(rule="gaps kept, not filled", source=series.source, line=first, count=len(found), before=told),)


def flat_bars(series: Series) -> Sequence[Repair]:
    """Bars whose high is their low: kept, for a market may stand still."""
    flat = series.rows.flat_lines() if isinstance(series.rows, CleanRows) else _flat_lines(series)
    if not flat:
        return ()
    return (Repair(rule="flat bars kept", source=series.source, line=flat[0], count=len(flat)),)


def _flat_lines(series: Series) -> list[int]:
    return [row.line for row in series.rows if row.high == row.low]
