"""Holds the venue's books against ours: at the start, after every reconnect, and every few minutes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from services.runner.core.dealt import OVERLAP
from services.runner.core.inputs import Examined, VenueTrouble
from services.runner.core.reconcile import is_ours
from services.runner.core.state import State
from services.runner.live.calling import Calls
from shared.runtime import clock
from shared.runtime.patience import set_within
from shared.schemas.orders import Ticket
from shared.venues.live import Account
from shared.venues.statement import Statement
from shared.venues.words import VenueSaid

EVERY_SECONDS = 180.0
AGAIN_SECONDS = 5.0
"""How soon a difference is looked at again: single reads lag."""


class Reconciling:
    """Asks `account` for statements of `symbols` and hands them to the session at `tell`, executions first.

    `state` answers the session as it stands; `look` has an order asked for that the venue shows open and we do not.
    """

    def __init__(
        self,
        account: Account,
        symbols: Sequence[str],
        state: Callable[[], State],
        look: Callable[[Ticket], None],
        tell: Callable[[VenueSaid | VenueTrouble], None],
    ) -> None:
        self._account = account
        self._symbols = symbols
        self._state = state
        self._look = look
        self._tell = tell
        self._calls = Calls(tell)
        self._wanted = asyncio.Event()
        self._wanted.set()

    def want(self) -> None:
        """Ask for a statement soon: the connection was away."""
        self._wanted.set()

    async def keep(self) -> None:
        """Reconcile, without end."""
        while True:
            differs = bool(self._state().dealt.suspected)
            await set_within(self._wanted, AGAIN_SECONDS if differs else EVERY_SECONDS)
            self._wanted.clear()
            self._hand_over(await self._calls.until("read a statement", self._statement, lambda error: True))

    async def _statement(self) -> Statement:
        return await self._account.statement(self._symbols, self._since())

    def _since(self) -> datetime:
        """What was executed before the session began is none of its business."""
        state = self._state()
        began = state.market_start or clock.now()
        agreed = state.dealt.agreed_at
        return max(agreed - OVERLAP, began) if agreed else began

    def _hand_over(self, statement: Statement) -> None:
        state = self._state()
        ours = [each.word for each in statement.executions if is_ours(state, each.word.client_order_id)]
        if ours:
            self._tell(VenueSaid(tuple(ours)))
        for listed in statement.open_orders:
            gone = state.dealt.ended.get(listed.client_order_id)
            if gone is not None:
                self._look(gone.ticket)
        self._tell(Examined(statement))
