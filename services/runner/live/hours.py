"""Keeps an eye on the exchange's hours and tells the session when they turn."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from services.runner.core.inputs import HoursTurned
from shared.schemas.market import TradingHours
from shared.venues.live import Market
from shared.venues.trouble import VenueError

LOOK_SECONDS = 1.0
"""How often the hours are looked at; the calendar behind them is asked for once an hour."""
_AGAIN_SECONDS = 30.0
_log = structlog.get_logger("hours")


class HoursWatch:
    """Tells `hear` how the exchange of `market` stands whenever that is not what was `told` last.

    The exchange counts as closing for so long before its close as `flat_before` says.
    """

    def __init__(
        self,
        market: Market,
        flat_before: timedelta | None,
        told: Callable[[], TradingHours | None],
        hear: Callable[[HoursTurned], None],
    ) -> None:
        self._market = market
        self._flat_before = flat_before or timedelta(0)
        self._known = told()
        self._hear = hear

    async def keep(self) -> None:
        """Look again and again; ends at once where the market never closes."""
        while True:
            try:
                hours = await self._market.trading_hours(self._flat_before)
            except VenueError as error:
                _log.warning("the exchange's hours can't be had, those known hold", reason=str(error))
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            if hours is None:
                return
            if hours != self._known:
                self._known = hours
                self._hear(HoursTurned(hours))
            await asyncio.sleep(LOOK_SECONDS)
