"""What a fill costs, and in which asset."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from tests.venues.binance.amounts import ATOM
from tests.venues.binance.orders import Wanted
from tests.venues.binance.symbols import Symbol


@dataclass
class Fees:
    """Shares of the traded value. `in_bnb` pays with BNB at its last price while there is enough of it."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    in_bnb: bool = False

    def of(
        self,
        rules: Symbol,
        wanted: Wanted,
        qty: Decimal,
        price: Decimal,
        maker: bool,
        free_bnb: Decimal,
        last: Mapping[str, Decimal],
    ) -> tuple[str, Decimal]:
        """The commission's asset and amount: of what was received, or BNB."""
        rate = self.maker if maker else self.taker
        bnb = last.get("BNB" + rules.quote)
        if self.in_bnb and bnb and "BNB" not in (rules.base, rules.quote):
            amount = (qty * price * rate / bnb).quantize(ATOM, ROUND_DOWN)
            if amount <= free_bnb:
                return "BNB", amount
        if wanted.buys:
            return rules.base, (qty * rate).quantize(ATOM, ROUND_DOWN)
        return rules.quote, (qty * price * rate).quantize(ATOM, ROUND_DOWN)
