"""The balances of an account: what it owns, and what is locked for open orders."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.venues.binance.amounts import ZERO


@dataclass
class Ledger:
    """`total` holds what is owned of each asset, `holds` what is locked and for whom."""

    total: dict[str, Decimal] = field(default_factory=dict)
    holds: dict[Hashable, tuple[str, Decimal]] = field(default_factory=dict)

    def locked(self, asset: str) -> Decimal:
        """What open orders have taken for themselves."""
        return sum((amount for held, amount in self.holds.values() if held == asset), ZERO)

    def free(self, asset: str) -> Decimal:
        """What may be used for new orders."""
        return self.total.get(asset, ZERO) - self.locked(asset)

    def add(self, asset: str, amount: Decimal) -> None:
        """Credit, or debit where the amount is negative."""
        self.total[asset] = self.total.get(asset, ZERO) + amount

    def hold(self, key: Hashable, asset: str, amount: Decimal) -> None:
        """Lock exactly that amount for `key`, instead of what was locked for it."""
        self.holds.pop(key, None)
        if amount > 0:
            self.holds[key] = (asset, amount)
