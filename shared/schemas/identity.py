"""Identities derived from causes, so that deciding again gives the same fact the same name."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from hashlib import sha1
from typing import Any, NamedTuple, TypeVar

from shared.schemas.envelope import Event
from shared.schemas.trusted import trusted
from shared.schemas.values import Service

E = TypeVar("E", bound=Event)


def derived_id(cause_id: str, label: str, index: int = 0) -> str:
    """The id of the `index`-th fact `label` that follows from the fact `cause_id` (RFC 9562 version 5)."""
    digits = _digest(cause_id, f"{label}:{index}")
    fourth = f"{_VARIANT[digits[16]]}{digits[17:20]}"
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{fourth}-{digits[20:32]}"


ORDER_PREFIX = "lt-"
"""How each of our names for an order at a venue begins."""


def client_order_id(session_id: str, number: int) -> str:
    """The name of a session's `number`-th order at the venue: 35 characters, fit for Binance and Alpaca."""
    digits = _digest(session_id, f"order:{number}")
    return f"{ORDER_PREFIX}{digits[:12]}5{digits[13:16]}{_VARIANT[digits[16]]}{digits[17:32]}"


_LEGS = ("s", "p")
"""What follows a list's name in those of its orders: of the stop, and of the one that takes the profit."""


def leg_ids(name: str) -> tuple[str, str]:
    """The names at the venue of the two orders of the list called `name`: the stop's and the take-profit's."""
    stop, profit = (f"{name}{leg}" for leg in _LEGS)
    return stop, profit


def order_of_leg(name: str) -> str:
    """The name of the order that the venue's order `name` belongs to: the list's where it is one of a list of ours."""
    return name[:-1] if name.startswith(ORDER_PREFIX) and name.endswith(_LEGS) else name


def guards_order_id(session_id: str, number: int) -> str:
    """The name of the `number`-th order that the guard itself places for a session: no order of the runner's has it."""
    return f"{_guards_prefix(session_id)}{number}"


def is_guards_order(session_id: str, name: str) -> bool:
    """Whether the guard placed the order of that name for the session."""
    return name.startswith(_guards_prefix(session_id))


def _guards_prefix(session_id: str) -> str:
    return f"{ORDER_PREFIX}g-{_digest(session_id, 'guard')[:22]}-"


def _digest(namespace: str, name: str) -> str:
    """What `uuid.uuid5` makes its UUID of: going without the objects on the way there costs a quarter."""
    return sha1(_bytes(namespace) + name.encode(), usedforsecurity=False).hexdigest()


def identity_bytes(identity: str) -> bytes:
    """The 16 bytes that a UUID's text stands for."""
    return bytes.fromhex(identity.replace("-", ""))


_bytes = lru_cache(maxsize=64)(identity_bytes)


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


@cache
def _type_of(kind: type[Event]) -> str:
    name: str = kind.model_fields["type"].default
    return name


class Cause(NamedTuple):
    """What a decision follows from. Time and identity enter a core here and nowhere else.

    `timestamp` is the wall clock's reading when the input was received, `market_time` the market's.
    """

    id: str
    session_id: str
    timestamp: datetime
    market_time: datetime
    correlation_id: str

    @classmethod
    def of(cls, event: Event, timestamp: datetime | None = None) -> "Cause":
        """`event` as a cause, received at `timestamp` (by default, when it was decided)."""
        return cls(event.id, event.session_id, timestamp or event.timestamp, event.market_time, event.correlation_id)


class Facts:
    """Collects the facts that one cause leads to and numbers them in order."""

    def __init__(self, cause: Cause, service: Service) -> None:
        self._cause = cause
        self._service = service
        self._told: list[Event] = []
        self._passed_over = 0

    def tell(self, kind: type[E], *, correlation_id: str | None = None, **fields: Any) -> E:
        """Add a fact of `kind` and return it; `fields` are those of the event beyond its envelope."""
        cause = self._cause
        fields["timestamp"] = cause.timestamp
        fields["market_time"] = cause.market_time
        fields["session_id"] = cause.session_id
        number = len(self._told) + self._passed_over
        fields["id"] = derived_id(cause.id, f"{self._service}.{_type_of(kind)}", number)
        fields["correlation_id"] = correlation_id or cause.correlation_id
        fields["causation_id"] = cause.id
        fields["service"] = self._service
        event = trusted(kind, fields)
        self._told.append(event)
        return event

    def pass_over(self, count: int) -> None:
        """Number the facts to come as if `count` others had been told before them."""
        self._passed_over += count

    @property
    def told(self) -> Sequence[Event]:
        """The facts so far, in the order they were told."""
        return tuple(self._told)
