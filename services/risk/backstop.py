"""The backstop: where a runner does not confirm a kill, the guard cancels and flattens at the venue by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from importlib import import_module

import structlog

from services.risk.core import backstop, executions
from services.risk.core.backstop import Cancel, Find, Sell
from services.risk.core.state import Guard
from services.risk.service import GuardService
from shared.runtime import clock
from shared.runtime.errors import LeitstandError
from shared.runtime.settings import Settings
from shared.schemas.envelope import Event
from shared.schemas.identity import is_guards_order
from shared.schemas.orders import Ticket, VenueAccount
from shared.venues.connecting import CONNECTORS
from shared.venues.live import Account
from shared.venues.trouble import Fate, VenueError
from shared.venues.words import Word

LOOK_SECONDS = 0.25
"""How often kills without confirmation are looked for."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before the second attempt at a venue, and before any later one; the pauses between double."""
LONGEST_WAIT = 300.0
"""For as long as a venue asks to stay away, an exchange that is closed until it opens, but for no longer at a time."""
ASK_PAUSE = 0.5
ABSENT_ANSWERS = 3
"""So many answers in a row must not know an own order before it counts as never arrived: reads lag."""
_log = structlog.get_logger("backstop")


class Backstop:
    """Watches the sessions of `service` and acts at their venues with the keys in `settings`."""

    def __init__(self, service: GuardService, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._unconfirmed: dict[str, float] = {}

    async def keep(self) -> None:
        """Come in wherever a kill stays unconfirmed for too long, without end."""
        acting: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                self._note_kills()
                for name in self._unconfirmed:
                    if self._due(name) and (name not in acting or acting[name].done()):
                        acting[name] = group.create_task(self._stop(name))
                await asyncio.sleep(LOOK_SECONDS)

    def _note_kills(self) -> None:
        now, guards = clock.monotonic(), self._service.stack.guards.values()
        found = [guard.session_id for guard in guards if backstop.is_unconfirmed(guard)]
        self._unconfirmed = {name: self._unconfirmed.get(name, now) for name in found}

    def _waited(self, session_id: str) -> timedelta:
        """For how long the session's kill has been seen without a confirmation; no clock on the wall is asked."""
        now = clock.monotonic()
        return timedelta(seconds=now - self._unconfirmed.get(session_id, now))

    async def _stop(self, session_id: str) -> None:
        """Act, look and tell until the venue shows the kill's effect, or a person has let trading go on."""
        waited = self._waited(session_id)
        await self._service.tell_of(session_id, lambda guard: backstop.engaged(guard, waited, clock.now()))
        pause, asked = FIRST_PAUSE, 0.0
        account: Account | None = None
        try:
            while (guard := self._due(session_id)) is not None:
                asked = 0.0
                try:
                    account = account or await self._reached(guard)
                    await _Attempt(self._service, account, session_id).make()
                except VenueError as error:
                    asked = min(error.retry_after or 0.0, LONGEST_WAIT)
                    await self._failed(session_id, str(error))
                except LeitstandError:
                    raise
                except Exception as error:
                    _log.exception("the backstop failed", session=session_id)
                    await self._failed(session_id, f"{type(error).__name__}: {error}")
                if self._due(session_id) is not None:
                    await asyncio.sleep(max(pause, asked))
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            if account is not None:
                await account.close()

    def _due(self, session_id: str) -> Guard | None:
        guard = self._service.stack.guards.get(session_id)
        return guard if guard is not None and backstop.is_due(guard, self._waited(session_id)) else None

    async def _failed(self, session_id: str, reason: str) -> None:
        call = "bring the session to a stop at the venue"
        await self._service.tell_of(session_id, lambda guard: backstop.failed(guard, call, reason, clock.now()))

    async def _reached(self, guard: Guard) -> Account:
        """The session's account. VenueError where the guard's own settings don't lead to it."""
        assert guard.config is not None
        venue, wanted, own = guard.config.venue, guard.venue.mode, self._settings.mode
        if wanted != own:
            reason = f"the session trades in {wanted} mode, the guard's settings say {own}; give both the same"
            raise VenueError(venue, Fate.FATAL, reason)
        connector = CONNECTORS[venue]
        keys = connector.keys(self._settings)
        if keys is not None and not keys.present:
            raise VenueError(venue, Fate.FATAL, f"the guard has no key; set {' and '.join(keys.names)} for it, too")
        # Importing a venue's client takes up to two seconds, in which other sessions want their verdicts.
        await asyncio.to_thread(import_module, f"shared.venues.{venue}")
        account = connector.account(self._settings)
        try:
            await account.open()
        except BaseException:
            await account.close()
            raise
        return account


class _Attempt:
    """One go at stopping a session at its venue."""

    def __init__(self, service: GuardService, account: Account, session_id: str) -> None:
        self._service = service
        self._account = account
        self._session_id = session_id

    async def make(self) -> None:
        """Cancel, find out, sell, and tell what the venue shows then. VenueError where it can't be read."""
        account = await self._shown()
        for _ in range(2):
            for step in backstop.to_settle(self._guard, account):
                await self._carry_out(step)
            account = await self._shown()
        proof = timedelta(seconds=self._account.proof_seconds)
        sells = backstop.to_sell(self._guard, account, clock.now(), proof)
        for sell in sells:
            await self._carry_out(sell)
        account = await self._shown() if sells else account
        await self._tell(lambda guard: backstop.observed(guard, account, clock.now()))

    @property
    def _guard(self) -> Guard:
        return self._service.stack.guards[self._session_id]

    async def _shown(self) -> VenueAccount:
        config = self._guard.config
        assert config is not None
        names = await self._account.open_orders(config.symbols)
        held = await self._account.holdings(config.symbols)
        return backstop.shown(self._guard, names, held)

    async def _carry_out(self, step: backstop.Step) -> None:
        _log.warning("the guard acts", step=type(step).__name__, order=step.ticket.client_order_id)
        match step:
            case Cancel(ticket):
                await self._asked(ticket, self._account.cancel)
            case Find(ticket):
                await self._find(ticket)
            case Sell(ticket):
                await self._tell(lambda guard: backstop.submitted(guard, step, clock.now()))
                await self._send(ticket)

    async def _find(self, ticket: Ticket) -> None:
        """What became of an order; of an own one until that is certain."""
        if is_guards_order(self._session_id, ticket.client_order_id):
            await self._resolve(ticket)
        else:
            await self._asked(ticket, self._account.look)

    async def _asked(self, ticket: Ticket, call: Callable[[Ticket], Awaitable[Sequence[Word]]]) -> None:
        try:
            words = await call(ticket)
        except VenueError as error:
            if error.fate is not Fate.ABSENT:
                raise
            return
        await self._hear(ticket, words)

    async def _send(self, ticket: Ticket) -> None:
        """Send an own order, once; where the answer tells only that it has arrived, it is looked at."""
        try:
            words = await self._account.send(ticket)
        except VenueError as error:
            if error.fate is Fate.UNKNOWN:
                await self._resolve(ticket)
                return
            reason = str(error)
            await self._tell(lambda guard: executions.absent(guard, ticket.client_order_id, reason, clock.now()))
            raise
        await self._hear(ticket, words)
        if ticket.client_order_id in self._guard.book.working:
            await self._asked(ticket, self._account.look)

    async def _resolve(self, ticket: Ticket) -> None:
        """Ask for an own order until the venue shows it, or has shown for certain that it never arrived."""
        began, unknown = clock.monotonic(), 0
        while unknown < ABSENT_ANSWERS or clock.monotonic() - began < self._account.proof_seconds:
            try:
                await self._hear(ticket, await self._account.look(ticket))
                return
            except VenueError as error:
                unknown = unknown + 1 if error.fate is Fate.ABSENT else 0
                if error.fate is Fate.FATAL:
                    raise
            await asyncio.sleep(ASK_PAUSE)
        reason = f"{unknown} answers in a row did not know it"
        await self._tell(lambda guard: executions.absent(guard, ticket.client_order_id, reason, clock.now()))

    async def _hear(self, ticket: Ticket, words: Sequence[Word]) -> None:
        await self._tell(lambda guard: executions.heard(guard, ticket.client_order_id, words, clock.now()))

    async def _tell(self, decide: Callable[[Guard], Sequence[Event]]) -> None:
        await self._service.tell_of(self._session_id, decide)
