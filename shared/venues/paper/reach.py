"""Where a candle's path first lets an order be filled: one walk decides orders of every type.

A market order fills at the point where it goes live. A stop triggers at the first price at or beyond its trigger, at
the open where the market has gapped over it, and fills there like a market order. A limit order fills at its limit or
better: at the point where it goes live or the bar opens when the price is there already, else where the path touches
the limit. A stop-limit order triggers, then is a limit order for the rest of the path and for later bars. Of a list,
the order that the path reaches first ends the other.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from shared.schemas.market import Candle
from shared.schemas.values import TimeInForce
from shared.venues.paper.book import Stage, Working
from shared.venues.paper.path import BEYOND, Path, Point, first_reaching, path_of, point_at, position_at

IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


class Touch(NamedTuple):
    """The point at which an order can be filled. `slips`: it takes any price there. `takes`: it is a take-profit."""

    at: Point
    liquidity: Literal["maker", "taker"]
    slips: bool
    takes: bool = False


def walk(working: Working, candle: Candle, time_zone: str) -> tuple[Working, Touch | None]:
    """The order after the candle has passed it, and where on its path the order can be filled, if anywhere."""
    in_range = _in_range(working, candle)
    if not in_range and _settled(working):
        return working, None
    live_from = max(working.active_at, candle.open_time)
    if live_from >= candle.close_time:
        return working, None
    working = _with_day(working, live_from, time_zone)
    if _expired(working, live_from) or not in_range:
        return _met(working), None
    return _walked(working, path_of(candle), position_at(candle, live_from), _end(working, candle))


def _walked(working: Working, path: Path, start: Decimal, until: Decimal) -> tuple[Working, Touch | None]:
    here: Point | None = point_at(path, start)
    if here is not None and working.trigger is not None:
        taken = _taken(working, path, here, until)
        here = first_reaching(path, here, working.trigger, working.direction, until)
        if taken is not None and (here is None or taken.position < here.position):
            return working, Touch(taken, "maker", slips=False, takes=True)
        working = working._replace(stage=Stage.ARRIVING) if here else working
    if here is None:
        return working, None
    return _met(working), _touch(working, path, here, until)


def _taken(working: Working, path: Path, here: Point, until: Decimal) -> Point | None:
    if working.target is None:
        return None
    return first_reaching(path, here, working.target, -working.direction, until)


def _touch(working: Working, path: Path, here: Point, until: Decimal) -> Touch | None:
    if working.limit is None:
        return Touch(here, "taker", slips=True)
    point = first_reaching(path, here, working.limit, -working.direction, until)
    if point is None or (point is not here and working.ticket.time_in_force in IMMEDIATE):
        return None
    arrives_marketable = point is here and working.stage is Stage.ARRIVING
    return Touch(point, "taker" if arrives_marketable else "maker", slips=False)


def _in_range(working: Working, candle: Candle) -> bool:
    """Whether the candle's range holds a price that the order waits for: spares the walk of most bars."""
    level, direction, target = working.trigger, working.direction, working.target
    if target is not None and (candle.low <= target if direction > 0 else candle.high >= target):
        return True
    if level is None:
        level, direction = working.limit, -direction
    if level is None:
        return True
    return candle.high >= level if direction > 0 else candle.low <= level


def _settled(working: Working) -> bool:
    """Whether a bar out of range changes nothing about the order."""
    day_unknown = working.expires_at is None and working.ticket.time_in_force is TimeInForce.DAY
    return working.stage is not Stage.ARRIVING and not day_unknown


def _met(working: Working) -> Working:
    return working._replace(stage=Stage.RESTING) if working.stage is Stage.ARRIVING else working


def _with_day(working: Working, live_from: datetime, time_zone: str) -> Working:
    if working.ticket.time_in_force is not TimeInForce.DAY or working.expires_at is not None:
        return working
    return working._replace(expires_at=_midnight_after(live_from, ZoneInfo(time_zone)))


def _midnight_after(instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + timedelta(days=1)
    return midnight.astimezone(instant.tzinfo)


def _expired(working: Working, instant: datetime) -> bool:
    return working.expires_at is not None and working.expires_at <= instant


def _end(working: Working, candle: Candle) -> Decimal:
    expires_at = working.expires_at
    return BEYOND if expires_at is None or expires_at >= candle.close_time else position_at(candle, expires_at)
