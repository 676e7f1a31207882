"""Orders at a venue that answers in its own time: sent once, asked for until their fate is known.

Nothing here waits for the venue on the session's behalf: what it says, and that it can't be understood, comes to the
session as words, whenever it comes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import structlog

from services.runner.core.inputs import LinkLost, LinkRestored, VenueTrouble
from services.runner.live import calling
from services.runner.live.calling import Calls, may_help
from services.runner.live.following import followed
from shared.domain.approval import ApprovedOrder
from shared.runtime import clock
from shared.schemas.market import Candle
from shared.schemas.orders import Holding, Ticket, VenueAccount
from shared.venues.live import Account
from shared.venues.measuring import STREAM_UP
from shared.venues.port import Report
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Absent, Doubtful, Shown, VenueSaid, Word, WorkedStill

Obstacle = Callable[[], Awaitable[str | None]]
"""Why an order must not be sent (any more), asked before every attempt."""
Work = Callable[[], Coroutine[Any, Any, None]]
ABSENT_ANSWERS = 3
"""So many answers in a row must not know an order before it counts as never arrived: reads lag."""
CANCEL_PAUSE = 5.0
"""Seconds between two attempts at a cancel, at most, where the venue does not ask for more."""
CHECK_SECONDS = 60.0
"""How often every order in flight is looked at, whatever the stream says."""
_log = structlog.get_logger("venue")


class Dealing:
    """One session's orders at `account`.

    `before` is what the account held of each symbol's asset when the session began, which is none of its business.
    `in_flight` answers the orders that may be at the venue, by name; `watched` begins to watch for what may come in the
    way of one that is to be sent.
    """

    def __init__(
        self,
        account: Account,
        before: Mapping[str, Decimal],
        in_flight: Callable[[], Mapping[str, Ticket]],
        watched: Callable[[ApprovedOrder], Obstacle],
        tell: Callable[[VenueSaid | VenueTrouble], None],
    ) -> None:
        self._account = account
        self._before = before
        self._in_flight = in_flight
        self._watched = watched
        self.reconnected: Callable[[], None] = lambda: None
        """Called whenever the account's stream is there, for what was missed meanwhile."""
        self._tell = tell
        self._calls = Calls(tell)
        self._waiting: list[Work] = []
        self._leaving: set[str] = set()
        self._group: asyncio.TaskGroup | None = None

    @property
    def clock(self) -> datetime:
        """The market's time is that of the clock on the wall."""
        return clock.now()

    def advance(self, candles: Sequence[Candle]) -> Sequence[Report]:
        """A slice has closed; what the venue has to report comes by itself."""
        return ()

    async def submit(self, order: ApprovedOrder) -> Sequence[Report]:
        """Send the order; what becomes of it is heard later."""
        self._do(partial(self._send, order, self._watched(order)))
        return ()

    async def cancel(self, client_order_id: str, reason: str) -> Sequence[Report]:
        """Take the order back; what becomes of it is heard later."""
        self.take_back(client_order_id, reason)
        await asyncio.sleep(0)  # it is on its way before the next one is looked at
        return ()

    def take_back(self, client_order_id: str, reason: str) -> None:
        """Take the order back, unless that was done, without waiting for anything."""
        in_flight = self._in_flight()
        self._leaving.intersection_update(in_flight)
        ticket = in_flight.get(client_order_id)
        if ticket is None or client_order_id in self._leaving:
            return
        self._leaving.add(client_order_id)
        self._do(partial(self._take_back, ticket, reason))

    async def order(self, client_order_id: str) -> Doubtful:
        """An order of which it is not known whether it was sent: found out in the background, never sent again."""
        self.resolve(self._in_flight()[client_order_id])
        return Doubtful(client_order_id, "the runner stopped before it had the venue's answer")

    def resolve(self, ticket: Ticket) -> None:
        """Find out what became of an order in doubt."""
        self._do(partial(self._resolve, ticket))

    def look(self, ticket: Ticket) -> None:
        """Ask for an order that the venue has listed as open and that we have no more: the list may be older."""
        self._do(partial(self._look_for_the_gone, ticket))

    async def account(self) -> VenueAccount:
        """What the venue shows of the session's symbols; asked until it answers."""
        return await self._calls.until("read the account", self._account_shown, lambda error: True)

    async def _account_shown(self) -> VenueAccount:
        names = await self._account.open_orders(tuple(self._before))
        held = await self._account.holdings(tuple(self._before))
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
            group.create_task(self.carry_out())

    async def carry_out(self) -> None:
        """Carry out what was asked for, without end; nothing waits for what was asked for before."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for work in self._waiting:
                group.create_task(work())
            await asyncio.Event().wait()

    def _do(self, work: Work) -> None:
        if self._group is None:
            self._waiting.append(work)
        else:
            self._group.create_task(work())

    async def _send(self, order: ApprovedOrder, obstacle: Obstacle) -> None:
        ticket = order.ticket

        async def attempt() -> Sequence[Word]:
            if (reason := await obstacle()) is not None:
                return (_refused(ticket, reason, never_sent=True),)
            return await self._account.send(ticket)

        def left() -> float:
            return (order.expires_at - clock.now()).total_seconds()

        try:
            self._say(*await self._calls.until(f"send {ticket.symbol}", attempt, may_help, left=left))
        except VenueError as error:
            if error.fate is not Fate.UNKNOWN:
                by_venue = error.fate is Fate.REFUSED and error.code is not None  # what we refuse ourselves has no code
                self._say(_refused(ticket, str(error), never_sent=not by_venue))
                return
            self._say(Doubtful(ticket.client_order_id, str(error)))
            await self._resolve(ticket)

    async def _resolve(self, ticket: Ticket) -> None:
        """Ask for the order until the venue shows it, or has shown for certain that it never arrived."""
        sent, unknown = clock.monotonic(), 0

        def unproven(error: VenueError) -> bool:
            nonlocal unknown
            unknown = unknown + 1 if error.fate is Fate.ABSENT else 0
            return unknown < ABSENT_ANSWERS or clock.monotonic() - sent < self._account.proof_seconds

        await asyncio.sleep(calling.FIRST_PAUSE)
        try:
            self._say(*await self._calls.until(f"find {ticket.symbol}", partial(self._shown, ticket), unproven))
        except VenueError:
            self._say(Absent(ticket.client_order_id, f"{unknown} answers in a row did not know it"))

    async def _take_back(self, ticket: Ticket, reason: str) -> None:
        """Cancel until the venue shows the order's end: a cancel may be repeated, an order may not."""

        async def attempt() -> Sequence[Word]:
            if ticket.client_order_id not in self._in_flight():
                return ()
            try:
                return await self._account.cancel(ticket)
            except VenueError as error:
                if error.fate in (Fate.ABSENT, Fate.REFUSED):
                    await self._look(ticket)
                raise

        self._say(*await self._calls.until(f"cancel {ticket.symbol}", attempt, lambda error: True, CANCEL_PAUSE))
        _log.info("taken back", order=ticket.client_order_id, reason=reason)

    async def _shown(self, ticket: Ticket) -> Sequence[Word]:
        """The order as the venue shows it; nothing where its fate is known by now."""
        return await self._account.look(ticket) if ticket.client_order_id in self._in_flight() else ()

    async def _follow(self) -> None:
        peer, lost = f"the account's stream of {self._account.name}", False

        def ready() -> None:
            nonlocal lost
            if lost:
                self._tell(LinkRestored(peer))
            lost = False
            STREAM_UP.labels(self._account.name, "account").set(1)
            self._look_at_all()
            self.reconnected()

        pause = calling.FIRST_PAUSE
        while True:
            began = clock.monotonic()
            try:
                await followed(self._account.follow(self._heard, ready), self._account.name)
            except VenueError as error:
                if not lost:
                    self._tell(LinkLost(peer, str(error)))
                lost = True
                STREAM_UP.labels(self._account.name, "account").set(0)
            lasted = clock.monotonic() - began > calling.LONGEST_PAUSE
            pause = calling.FIRST_PAUSE if lasted else min(2 * pause, calling.LONGEST_PAUSE)
            await asyncio.sleep(pause)

    def _heard(self, words: Sequence[Word]) -> None:
        self._say(*words)
        for word in words:
            ticket = self._in_flight().get(word.client_order_id)
            if ticket is not None and isinstance(word, Shown) and word.standing != "working" and word.filled_qty:
                self._do(partial(self._look_again, ticket))

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._look_at_all()

    def _look_at_all(self) -> None:
        """Hear by REST what the stream may have left out."""
        in_flight = self._in_flight()
        self._leaving.intersection_update(in_flight)
        for ticket in in_flight.values():
            self._do(partial(self._look, ticket))

    async def _look_again(self, ticket: Ticket) -> None:
        """An order has ended, and fills of it may be missing."""
        await asyncio.sleep(calling.FIRST_PAUSE)
        if ticket.client_order_id in self._in_flight():
            await self._look(ticket)

    async def _look(self, ticket: Ticket) -> None:
        with suppress(VenueError):  # told as a failed call; the next look is not far
            self._say(*await self._calls.once(f"look at {ticket.symbol}", partial(self._account.look, ticket)))

    async def _look_for_the_gone(self, ticket: Ticket) -> None:
        with suppress(VenueError):
            words = await self._calls.once(f"look at {ticket.symbol}", partial(self._account.look, ticket))
            shown = [word for word in words if isinstance(word, Shown)]
            if shown and shown[-1].standing == "working":
                self._say(WorkedStill(ticket.client_order_id, shown[-1].venue_order_id), *words)

    def _say(self, *words: Word) -> None:
        if words:
            self._tell(VenueSaid(words))


def _refused(ticket: Ticket, reason: str, *, never_sent: bool) -> Shown:
    return Shown(ticket.client_order_id, None, "rejected", Decimal(0), reason, never_sent)
