"""Looks after the venue, the account and its key while a session trades, and tells what has changed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from services.runner.core.inputs import Check, HealthChanged
from services.runner.preflight import account as of_account
from services.runner.preflight import asking
from services.runner.preflight import market as of_market
from services.runner.preflight.finding import Finding, as_check
from shared.venues.live import Account, Market
from shared.venues.trouble import Fate, VenueError

EVERY_SECONDS = 60.0
SECOND_LOOK_SECONDS = 5.0
"""One unanswered call is no outage: the venue counts as lost when it does not answer the second time either."""


class HealthWatch:
    """Asks as any caller would, every minute; `known` is what the preflight found, `hear` is told of changes."""

    def __init__(
        self, market: Market, account: Account | None, known: Sequence[Finding], hear: Callable[[HealthChanged], None]
    ) -> None:
        self._market = market
        self._account = account
        self._known = {finding.name: finding for finding in known}
        self._hear = hear
        self._reached = True

    async def keep(self) -> None:
        """Look again and again, without end; as late as the venue asks for where it does."""
        wait = EVERY_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = max(EVERY_SECONDS, await self.look())

    async def look(self) -> float:
        """Look once, and tell what has changed; answers the seconds that the venue asks to stay away for."""
        try:
            found = await self._found_in_two()
        except VenueError as error:
            if self._reached:
                self._reached = False
                self._hear(HealthChanged(self._market.name, lost=str(error)))
            return error.retry_after or 0.0
        changed = changes(self._known, found)
        if changed or not self._reached:
            self._hear(HealthChanged(self._market.name, restored=not self._reached, checks=changed))
        self._reached = True
        self._known |= {finding.name: finding for finding in found}
        return 0.0

    async def _found_in_two(self) -> Sequence[Finding]:
        try:
            return await self._found()
        except VenueError as error:
            if error.retry_after:
                raise
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        return await self._found()

    async def _found(self) -> Sequence[Finding]:
        clock = of_market.clock(await asking.look_at_clock(self._market))
        if self._account is None:
            return (clock,)
        try:
            standing = await self._account.standing()
        except VenueError as error:
            if error.fate is not Fate.FATAL:
                raise
            return clock, of_market.untold("account", error)
        return clock, *of_account.rights(standing.rights), of_account.status(standing)


def changes(known: Mapping[str, Finding], found: Sequence[Finding]) -> tuple[Check, ...]:
    """The checks that came out otherwise than before; figures that vary with each look are no change."""
    return tuple(as_check(finding) for finding in found if _differs(known.get(finding.name), finding))


def _differs(before: Finding | None, now: Finding) -> bool:
    if before is None:
        return now.verdict != "pass"
    return before.verdict != now.verdict
