"""The weight of requests that a venue allows in a minute, and its last part that is kept back."""

from hypothesis import given
from hypothesis import strategies as st

from shared.venues.budget import WINDOW_SECONDS, Budget


def test_a_question_waits_for_the_next_minute_once_only_the_kept_part_is_left_and_a_cancel_does_not() -> None:
    budget = Budget(limit=100)
    budget.spend(90, now=0)
    assert budget.wait(1, urgent=False, now=10) == WINDOW_SECONDS - 10
    assert budget.wait(1, urgent=True, now=10) == 0
    assert budget.wait(1, urgent=False, now=WINDOW_SECONDS) == 0


def test_the_kept_part_ends_too() -> None:
    budget = Budget(limit=100)
    budget.spend(100, now=0)
    assert budget.wait(1, urgent=True, now=1) == WINDOW_SECONDS - 1


def test_the_venues_own_count_holds_for_others_may_ask_from_the_same_address() -> None:
    budget = Budget(limit=100)
    budget.spend(1, now=0)
    budget.told(95, now=1)
    assert budget.wait(1, urgent=False, now=2) > 0
    budget.told(3, now=61)
    assert budget.wait(1, urgent=False, now=62) == 0


def test_a_venue_that_wants_to_hear_nothing_hears_nothing_neither_what_is_urgent() -> None:
    budget = Budget()
    budget.close(120, now=0)
    budget.close(5, now=1)
    assert budget.wait(1, urgent=True, now=100) == 20
    assert budget.wait(1, urgent=True, now=120) == 0


def test_what_can_wait_leaves_a_part_of_each_minute_to_orders() -> None:
    budget = Budget(limit=100)
    budget.spend(30, now=0)
    assert budget.put_off(30, now=1) == 0
    assert budget.put_off(31, now=1) == WINDOW_SECONDS - 1
    assert budget.wait(31, urgent=False, now=1) == 0
    assert budget.put_off(31, now=WINDOW_SECONDS) == 0


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.floats(0, 20)), max_size=60))
def test_within_any_minute_no_more_is_spent_than_the_venue_allows(asked: list[tuple[int, bool, float]]) -> None:
    budget, now = Budget(limit=100), 0.0
    spent: list[tuple[float, int]] = []
    for weight, urgent, later in asked:
        now += later
        if budget.wait(weight, urgent, now) == 0:
            budget.spend(weight, now)
            spent.append((now, weight))
    windows: dict[float, int] = {}
    began = None
    for at, weight in spent:
        if began is None or at >= began + WINDOW_SECONDS:
            began = at
        windows[began] = windows.get(began, 0) + weight
    assert all(total <= 100 for total in windows.values())
