"""Orders at a venue that answers in its own time: sent once, asked for until their fate is known.

Nothing here waits for the venue on the session's behalf: what it says, and that it can't be understood, comes to the
session as words, whenever it comes.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import structlog

from shared.domain.approval import ApprovedOrder
from shared.runtime import clock
from shared.schemas.market import Candle
from shared.schemas.orders import Holding, Ticket, VenueAccount
from shared.venues.live import Account
from shared.venues.port import Report
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Absent, Doubtful, Shown, VenueSaid, Word

ABSENT_ANSWERS = 3
"""So many answers in a row must not know an order before it counts as never arrived: reads lag."""
CHECK_SECONDS = 60.0
"""How often every order in flight is looked at, whatever the stream says."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_log = structlog.get_logger("venue")


class Dealing:
    """One session's orders at `account`.

    `before` is what the account held of each symbol's asset when the session began, which is none of its business.
    `in_flight` answers the orders that may be at the venue, by name, `obstacle` why one must not be sent (any more).
    """

    def __init__(
        self,
        account: Account,
        before: Mapping[str, Decimal],
        in_flight: Callable[[], Mapping[str, Ticket]],
        obstacle: Callable[[ApprovedOrder], str | None],
        hear: Callable[[VenueSaid], None],
    ) -> None:
        self._account = account
        self._before = before
        self._in_flight = in_flight
        self._obstacle = obstacle
        self._hear = hear
        self._work: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue()

    @property
    def clock(self) -> datetime:
        """The market's time is that of the clock on the wall."""
        return clock.now()

    def advance(self, candles: Sequence[Candle]) -> Sequence[Report]:
        """A slice has closed; what the venue has to report comes by itself."""
        return ()

    async def submit(self, order: ApprovedOrder) -> Sequence[Report]:
        """Send the order; what becomes of it is heard later."""
        self._work.put_nowait(partial(self._send, order))
        return ()

    async def cancel(self, client_order_id: str, reason: str) -> Sequence[Report]:
        """Take the order back; what becomes of it is heard later."""
        ticket = self._in_flight().get(client_order_id)
        if ticket is not None:
            _log.info("cancelling", order=client_order_id, reason=reason)
            self._work.put_nowait(partial(self._take_back, ticket))
        return ()

    async def order(self, client_order_id: str) -> Doubtful:
        """An order of which it is not known whether it was sent: found out in the background, never sent again."""
        self.resolve(self._in_flight()[client_order_id])
        return Doubtful(client_order_id, "the runner stopped before it had the venue's answer")

    def resolve(self, ticket: Ticket) -> None:
        """Find out what became of an order in doubt."""
        self._work.put_nowait(partial(self._resolve, ticket))

    async def account(self) -> VenueAccount:
        """What the venue shows of the session's symbols; asked until it answers."""
        while True:
            try:
                names = await self._account.open_orders(tuple(self._before))
                held = await self._account.holdings(tuple(self._before))
            except VenueError as error:
                await self._pause(error, _FIRST_PAUSE * 4)
                continue
            gained = {symbol: held[symbol] - before for symbol, before in self._before.items()}
            return VenueAccount(
                open_orders=tuple(name for name in names if name in self._in_flight()),
                holdings=tuple(Holding(symbol=symbol, qty=qty) for symbol, qty in gained.items() if qty > 0),
            )

    async def keep(self) -> None:
        """Carry out what was asked for and hear the venue, without end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._check())
            while True:
                work = await self._work.get()
                group.create_task(work())

    async def _send(self, order: ApprovedOrder) -> None:
        ticket, pause = order.ticket, _FIRST_PAUSE
        while True:
            if (reason := self._obstacle(order)) is not None:
                self._say(_refused(ticket, reason))
                return
            try:
                self._say(*await self._account.send(ticket))
                return
            except VenueError as error:
                if error.fate is Fate.UNKNOWN:
                    self._say(Doubtful(ticket.client_order_id, str(error)))
                    return await self._resolve(ticket)
                if error.fate is not Fate.RETRY:
                    self._say(_refused(ticket, str(error)))
                    return
                pause = await self._pause(error, pause)

    async def _resolve(self, ticket: Ticket) -> None:
        """Ask for the order until the venue shows it, or has shown for certain that it never arrived."""
        name, sent, unknown, pause = ticket.client_order_id, clock.monotonic(), 0, _FIRST_PAUSE
        while name in self._in_flight():
            pause = await self._pause(None, pause)
            try:
                self._say(*await self._account.look(ticket))
                return
            except VenueError as error:
                unknown = unknown + 1 if error.fate is Fate.ABSENT else 0
                if unknown >= ABSENT_ANSWERS and clock.monotonic() - sent >= self._account.proof_seconds:
                    self._say(Absent(name, f"{unknown} answers in a row did not know it"))
                    return

    async def _take_back(self, ticket: Ticket) -> None:
        """Cancel until the venue shows the order's end: a cancel may be repeated, an order may not."""
        pause = _FIRST_PAUSE
        while ticket.client_order_id in self._in_flight():
            try:
                self._say(*await self._account.cancel(ticket))
                return
            except VenueError as error:
                if error.fate in (Fate.ABSENT, Fate.REFUSED):
                    await self._look(ticket)
                pause = await self._pause(error, pause)

    async def _follow(self) -> None:
        while True:
            try:
                await self._account.follow(self._heard, self._look_at_all)
            except VenueError as error:
                _log.warning("the account's stream is lost", reason=str(error))
                await self._pause(error, _FIRST_PAUSE * 2)

    def _heard(self, words: Sequence[Word]) -> None:
        self._say(*words)
        for word in words:
            ticket = self._in_flight().get(word.client_order_id)
            if ticket is not None and isinstance(word, Shown) and word.standing != "working" and word.filled_qty:
                self._work.put_nowait(partial(self._look_again, ticket))

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._look_at_all()

    def _look_at_all(self) -> None:
        """Hear by REST what the stream may have left out."""
        for ticket in self._in_flight().values():
            self._work.put_nowait(partial(self._look, ticket))

    async def _look_again(self, ticket: Ticket) -> None:
        """An order has ended, and fills of it may be missing."""
        await asyncio.sleep(_FIRST_PAUSE)
        if ticket.client_order_id in self._in_flight():
            await self._look(ticket)

    async def _look(self, ticket: Ticket) -> None:
        try:
            self._say(*await self._account.look(ticket))
        except VenueError as error:
            _log.warning("an order could not be looked at", order=ticket.client_order_id, reason=str(error))

    async def _pause(self, error: VenueError | None, seconds: float) -> float:
        """Wait, as long as the venue asks for if it does; answers how long to wait the next time."""
        if error is not None:
            _log.warning("the venue did not do it, trying again", reason=str(error))
        await asyncio.sleep(error.retry_after if error and error.retry_after else seconds)
        return min(seconds * 2, _LONGEST_PAUSE)

    def _say(self, *words: Word) -> None:
        self._hear(VenueSaid(words))


def _refused(ticket: Ticket, reason: str) -> Shown:
    return Shown(ticket.client_order_id, None, "rejected", Decimal(0), reason)
