"""Who listens to a session that is skimmed."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from services.runner.skimming.life import Life
from shared.schemas.envelope import Event


class Audience(Protocol):
    """Hears everything in the order in which it happened."""

    def watch(self, fact: Event) -> None:
        """A fact that is neither a candle nor a mark."""

    def live(self, life: Life, decided_at: datetime, filled_at: datetime) -> None:
        """An order that lived in one go, between the closes of two slices; `telling.told_of` makes its facts."""

    def mark(self, at: datetime, equity: Decimal) -> None:
        """The equity at a close: wherever something happened, and every so often in between."""
