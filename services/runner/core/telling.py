"""Tells facts and evolves on each at once, so that the next one is decided on the state that it made."""

from collections.abc import Sequence
from typing import Any

from services.runner.core.evolve import evolve
from services.runner.core.state import State
from shared.schemas.envelope import Event
from shared.schemas.identity import Cause, Facts


class Telling:
    """The facts that one input leads to, and the state behind them."""

    def __init__(self, state: State, cause: Cause) -> None:
        self.state = state
        self.timestamp = cause.timestamp
        """When the input was received, by the clock on the wall."""
        self._facts = Facts(cause, "runner")

    def tell(self, kind: type[Event], **fields: Any) -> None:
        """Tell a fact of `kind` in the session's phase and evolve on it."""
        phase = fields.pop("phase", self.state.phase)
        self.state = evolve(self.state, self._facts.tell(kind, phase=phase, **fields))

    def tell_of(self, client_order_id: str, kind: type[Event], **fields: Any) -> None:
        """Tell a fact about an order, under the decision that it belongs to."""
        order = self.state.orders.get(client_order_id)
        self.tell(kind, correlation_id=order.correlation_id if order else None, **fields)

    def pass_over(self, count: int) -> None:
        """Leave the names of the next `count` facts unused: those facts are not told."""
        self._facts.pass_over(count)

    @property
    def told(self) -> Sequence[Event]:
        """The facts so far, in order."""
        return self._facts.told
