"""What can be learnt of a venue before anything is risked there: its offer, a key's rights, an account's standing."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.schemas.values import OrderType


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol as the venue offers it now. `status` is the venue's own word, `order_types` are those it takes.

    `has_lists` tells whether it takes two orders of which one cancels the other.
    """

    symbol: str
    base: str
    quote: str
    trading: bool
    status: str
    order_types: frozenset[OrderType]
    has_lists: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What a key may do, named in the venue's words; None is what the venue does not tell, `untold` says why.

    `removals` are the rights by which funds can leave the account, `beyond` those that spot trading has no use for.
    `bound` tells whether the key works from named addresses only.
    """

    trades: bool | None = None
    removals: tuple[str, ...] | None = None
    beyond: tuple[str, ...] = ()
    bound: bool | None = None
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it may be used now: `blocks` says in the venue's words why it may not trade, if it may not.

    `free` are the units of each asset that orders may use, zero left out.
    """

    blocks: tuple[str, ...]
    free: Mapping[str, Decimal]
    rights: Rights
