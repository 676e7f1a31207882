"""What the control desk tells of the venue's interface, folded from facts."""

from datetime import timedelta
from typing import Any

from services.risk.core.stack import Stack
from services.risk.desk.core.page import Surroundings, sections
from services.risk.desk.core.view import DeskView, evolve
from shared.schemas.envelope import Event
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.orders import AccountReconciled, OrderSubmitted, Reconciliation
from shared.schemas.values import Mode
from tests.guard_story import MONDAY, Story, ticket


def shown(*facts: Event) -> Any:
    view = DeskView()
    for number, fact in enumerate(facts, 1):
        view = evolve(view, number, fact)
    return sections(view, Stack(), Surroundings(MONDAY, MONDAY, asks_code=False))["venue"]


def started(story: Story, mode: Mode) -> RunnerStart:
    start = story.start()
    return start.model_copy(update={"details": start.details.model_copy(update={"mode": mode})})


def answered(mode: Mode) -> Any:
    story = Story()
    sent = story.tell(OrderSubmitted, order=ticket("a"))
    accepted = story.accept(ticket("a")).model_copy(update={"timestamp": sent.timestamp + timedelta(milliseconds=87)})
    return shown(started(story, mode), sent, accepted)["latency_ms"]


def test_the_time_from_an_order_to_the_venues_first_word_is_told() -> None:
    assert answered("testnet") == 87


def test_a_simulated_venue_has_no_latency_on_the_wall_clock() -> None:
    assert answered("dry_run") is None


def test_a_second_word_on_an_order_is_no_second_measurement() -> None:
    story = Story()
    sent, first = story.tell(OrderSubmitted, order=ticket("a")), story.accept(ticket("a"))
    late = story.accept(ticket("a")).model_copy(update={"timestamp": sent.timestamp + timedelta(hours=1)})
    first = first.model_copy(update={"timestamp": sent.timestamp + timedelta(milliseconds=5)})
    assert shown(started(story, "testnet"), sent, first, late)["latency_ms"] == 5


def test_the_last_comparison_of_the_books_counts() -> None:
    story = Story()
    words = [
        story.tell(AccountReconciled, status=status, details=Reconciliation(at=MONDAY)) for status in ("pass", "fail")
    ]
    assert shown(words[0])["books"]["agree"] is True
    assert shown(*words)["books"]["agree"] is False
    assert shown()["books"] is None
