"""Request weight by IP address, orders by account, and the ban for those who do not listen."""

from dataclasses import dataclass, field
from typing import Any

from tests.venues.binance.refusal import Refusal

MINUTE = 60_000
TEN_SECONDS = 10_000
DAY = 86_400_000
BAN_SECONDS = 120


def too_much_weight(limit: int, retry_after: int) -> Refusal:
    """429."""
    told = f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
    told += " Please use WebSocket Streams for live updates to avoid polling the API."
    return Refusal(-1003, told, 429, {"Retry-After": str(retry_after)})


def banned(until: int, retry_after: int) -> Refusal:
    """418; `until` is in milliseconds since 1970."""
    told = f"Way too much request weight used; IP banned until {until}."
    told += " Please use WebSocket Streams for live updates to avoid bans."
    return Refusal(-1003, told, 418, {"Retry-After": str(retry_after)})


@dataclass
class WeightLimit:
    """All requests come from one address. Who goes on `patience` times after a 429 is banned."""

    limit: int = 6000
    patience: int = 3
    used: int = 0
    banned_until: int = 0
    _minute: int = -1
    _ignored: int = 0

    def spend(self, weight: int, now: int) -> None:
        """Take the weight from the minute's budget, or refuse."""
        if now < self.banned_until:
            raise banned(self.banned_until, _seconds(self.banned_until - now))
        if now // MINUTE != self._minute:
            self._minute, self.used, self._ignored = now // MINUTE, 0, 0
        self.used += weight
        if self.used <= self.limit:
            return
        self._ignored += 1
        if self._ignored > self.patience:
            self.banned_until = now + BAN_SECONDS * 1000
            raise banned(self.banned_until, BAN_SECONDS)
        raise too_much_weight(self.limit, _seconds(MINUTE - now % MINUTE))

    def headers(self) -> dict[str, str]:
        """What every answer says of it."""
        return {"X-MBX-USED-WEIGHT": str(self.used), "X-MBX-USED-WEIGHT-1M": str(self.used)}


@dataclass
class OrderLimit:
    """How many orders an account may place in ten seconds and in a day."""

    in_ten_seconds: int = 100
    in_a_day: int = 200_000
    _counted: dict[tuple[int, int], int] = field(default_factory=dict)

    def count(self, orders: int, now: int) -> dict[str, str]:
        """Count orders, or refuse them; the headers for the answer."""
        ten, day = (TEN_SECONDS, now // TEN_SECONDS), (DAY, now // DAY)
        for window, limit, name in ((ten, self.in_ten_seconds, "10 SECOND"), (day, self.in_a_day, "1 DAY")):
            if self._counted.get(window, 0) + orders > limit:
                msg = f"Too many new orders; current limit is {limit} orders per {name}."
                raise Refusal(-1015, msg, 429)
        for window in (ten, day):
            self._counted[window] = self._counted.get(window, 0) + orders
        return {
            "X-MBX-ORDER-COUNT-10S": str(self._counted[ten]),
            "X-MBX-ORDER-COUNT-1D": str(self._counted[day]),
        }

    def told(self, now: int) -> list[dict[str, Any]]:
        """How many orders have been counted."""
        rows = ((TEN_SECONDS, "SECOND", 10, self.in_ten_seconds), (DAY, "DAY", 1, self.in_a_day))
        return [
            {
                "rateLimitType": "ORDERS",
                "interval": interval,
                "intervalNum": number,
                "limit": limit,
                "count": self._counted.get((length, now // length), 0),
            }
            for length, interval, number, limit in rows
        ]


def _seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // 1000))
