"""What the guard counts and measures."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from services.risk.core.stack import Stack
from shared.schemas.envelope import Event
from shared.schemas.orders import OrderApproved, OrderRefused

HALTED = Gauge("leitstand_trading_halted", "Whether new risk is refused (1) in the stack or in a running session.")
APPROVALS = Counter("leitstand_approvals", "Orders that the guard approved.")
REFUSALS = Counter("leitstand_refusals", "Orders that the guard refused, by the rule that they broke.", ["rule"])
DECISION = Histogram(
    "leitstand_decision_seconds",
    "From a fact in hand to the guard's answer stored.",
    buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)


def count(facts: Sequence[Event]) -> None:
    """Count the verdicts among `facts`."""
    for fact in facts:
        if isinstance(fact, OrderApproved):
            APPROVALS.inc()
        elif isinstance(fact, OrderRefused):
            REFUSALS.labels(fact.details.rule).inc()


def show(stack: Stack) -> None:
    """Show whether trading stands still anywhere."""
    HALTED.set(1 if stack.halt is not None or stack.halted_sessions() else 0)
