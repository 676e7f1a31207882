"""A session's orders at a venue's test server, and every word that was heard of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

from services.runner.core.inputs import VenueTrouble
from services.runner.live.dealing import Dealing
from shared.domain.approval import ApprovedOrder
from shared.runtime import clock
from shared.schemas.orders import Ticket
from shared.venues.live import Account
from shared.venues.words import VenueSaid, Word

PATIENCE_SECONDS = 60


class Desk:
    """Orders go to `account`, which held `before`; `placed` counts those that the venue has ever seen."""

    def __init__(self, account: Account, before: Mapping[str, Decimal], placed: Callable[[], int]) -> None:
        self.words: list[Word] = []
        self.troubles: list[VenueTrouble] = []
        self.in_flight: dict[str, Ticket] = {}
        self.obstacle: str | None = None
        self._came = asyncio.Event()
        self._placed = placed
        self.dealing = Dealing(account, before, lambda: self.in_flight, lambda order: self._in_the_way, self._hear)

    async def _in_the_way(self) -> str | None:
        return self.obstacle

    def _hear(self, said: VenueSaid | VenueTrouble) -> None:
        if isinstance(said, VenueSaid):
            self.words += said.words
        else:
            self.troubles.append(said)
        self._came.set()

    async def send(self, order: Ticket, valid: timedelta = timedelta(minutes=5)) -> None:
        self.in_flight[order.client_order_id] = order
        await self.dealing.submit(ApprovedOrder(order, clock.now() + valid, "approval"))

    async def until(self, kind: type[Word], standing: str | None = None) -> Word:
        """The first word of that kind, and of that standing."""
        while True:
            for word in self.words:
                if isinstance(word, kind) and standing in (None, getattr(word, "standing", None)):
                    return word
            self._came.clear()
            await asyncio.wait_for(self._came.wait(), PATIENCE_SECONDS)

    @property
    def placed(self) -> int:
        """How many orders the venue has ever seen."""
        return self._placed()


@asynccontextmanager
async def dealing_at(desk: Desk) -> AsyncIterator[None]:
    """The desk's orders are carried out; nothing that happens may end that."""
    keeping = asyncio.ensure_future(desk.dealing.keep())
    try:
        yield
        assert not keeping.done(), keeping.exception()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
