"""What a report says of a session, gathered while it is skimmed."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from services.runner.skimming.life import Life
from services.runner.skimming.telling import told_of
from shared.domain.portfolio import Portfolio
from shared.domain.report import Gathering, Material
from shared.schemas.envelope import Event
from shared.schemas.market import ShadowMarked


class Tally:
    """An audience that hands facts on to `tell`. Without it, facts of orders that live in one go are not even made."""

    def __init__(self, tell: Callable[[Event], None] | None) -> None:
        self._tell = tell
        self._gathering = Gathering()

    def watch(self, fact: Event) -> None:
        """Count a fact and hand it on, unless it is a mark."""
        self._gathering.take(fact)
        if self._tell is not None and not isinstance(fact, ShadowMarked):
            self._tell(fact)

    def live(self, life: Life, decided_at: datetime, filled_at: datetime) -> None:
        """Count an order: by its facts where they are wanted, else by what it did to the account."""
        if self._tell is None:
            self._gathering.jump(life.after.state.portfolio, life.trip)
            return
        for fact in told_of(life, decided_at, filled_at):
            self.watch(fact)

    def mark(self, at: datetime, equity: Decimal) -> None:
        """Add a point to the curve."""
        self._gathering.mark(at, equity)

    def material(self, account: Portfolio) -> Material:
        """What a report is made of, `account` being the one at the session's end."""
        self._gathering.jump(account, None)
        return self._gathering.material()
