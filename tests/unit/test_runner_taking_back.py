"""Which orders a kill takes back the moment it is heard."""

from services.runner.core.order import Order
from services.runner.core.plan import plan
from services.runner.core.state import State, initial
from services.runner.core.todo import taken_back_by
from shared.schemas.commands import Command
from shared.schemas.guard import Halt
from tests.guard_story import SESSION, Story, at_a_real_venue, exit_ticket, ticket

STORY = Story(at_a_real_venue())


def kill(number: int) -> Command:
    return Command("kill", None, b"", number, STORY.now)


def working() -> State:
    """An entry at the venue, one that waits for the guard, and the sale that an operator's flatten led to."""
    orders = {
        "a": Order(ticket("a"), "working", "intent a", "decision"),
        "b": Order(ticket("b"), "intended", "intent b", "decision"),
        "c": Order(exit_ticket("c").model_copy(update={"purpose": "flatten"}), "working", "intent c", "decision"),
    }
    return initial(plan(SESSION, STORY.config))._replace(enabled=True, orders=orders)


def test_all_that_work_at_the_venue_but_those_that_flatten() -> None:
    assert list(taken_back_by(working(), kill(7))) == ["a"]


def test_none_by_a_kill_that_was_resumed_from_since() -> None:
    state = working()._replace(cleared_up_to=7)
    assert not taken_back_by(state, kill(7))
    assert list(taken_back_by(state, kill(8))) == ["a"]


def test_none_by_a_second_kill_for_the_first_is_under_way() -> None:
    state = working()._replace(halt=Halt(kind="kill", reason="fire", scope="stack"))
    assert not taken_back_by(state, kill(8))
