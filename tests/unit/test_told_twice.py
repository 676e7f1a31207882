"""An execution that the guard told for a frozen runner, and the runner once more when it woke, counts once."""

from decimal import Decimal

from services.recorder.core.validation import Validation
from services.runner.core.evolve import evolve
from services.runner.core.order import Order
from services.runner.core.plan import plan
from services.runner.core.pursue import wish_for
from services.runner.core.state import State, initial
from services.runner.core.todo import obstacle
from shared.domain import summary
from shared.schemas.envelope import Event
from shared.schemas.guard import BackstopEngaged, Halt, Intervention, Resumption, TradingHalted, TradingResumed
from shared.schemas.identity import client_order_id, guards_order_id, is_guards_order
from shared.schemas.orders import Fill, OrderFilled
from shared.schemas.values import Side
from tests.guard_story import SESSION, Story, at_a_real_venue, exit_ticket, ticket

KEY = ("ema_crossover", "BTCUSDT")


def told_twice(story: Story, qty: str) -> list[Event]:
    """One execution of an order of 1 BTC, by the guard first."""
    by_runner = story.fill(ticket("a"), qty=qty, trade_id="t1")
    by_guard = story.tell(OrderFilled, "risk", order=by_runner.order)
    return [by_guard, by_runner]


def engaged(story: Story) -> Event:
    return story.tell(BackstopEngaged, "risk", level="error", details=Intervention(reason="hangs", waited_seconds=10.0))


def state_of(story: Story, *events: Event) -> State:
    state = initial(plan(SESSION, story.config))._replace(enabled=True)
    state = state._replace(orders={"a": Order(ticket("a"), "working", "intent", "decision")})
    for event in events:
        state = evolve(state, event)
    return state


def test_in_the_runners_books_be_the_order_filled_in_part_or_whole() -> None:
    for qty in ("0.5", "1"):
        story = Story(at_a_real_venue())
        state = state_of(story, story.close("100"), engaged(story), *told_twice(story, qty))
        assert state.portfolio.held(*KEY) == Decimal(qty)
        assert state.dealt.moved["BTC"] == Decimal(qty)


def test_in_the_summary() -> None:
    story = Story(at_a_real_venue())
    folded = summary.initial(SESSION)
    for event in (story.start(), story.close("100"), engaged(story), *told_twice(story, "1")):
        folded = summary.evolve(folded, event)
    assert folded.portfolio is not None
    assert folded.portfolio.held(*KEY) == Decimal(1)


def test_in_the_validation_of_a_recorded_session() -> None:
    story, checks = Story(at_a_real_venue()), Validation(SESSION)
    events = [story.start(), story.intend(ticket("a")), *told_twice(story, "1")]
    found = [finding for event in events for finding in checks.findings(event)]
    assert not [finding for finding in found if "beyond" in finding]


def test_a_statement_that_shows_the_guards_sale_before_it_was_heard_moves_the_books_once() -> None:
    story = Story(at_a_real_venue())
    fill = story.fill(ticket("a"), trade_id="t1")
    state = state_of(story, story.close("100"), fill)
    seen = state._replace(dealt=state.dealt._replace(trades={**state.dealt.trades, "BTCUSDT:t2": story.now}))
    name = guards_order_id(SESSION, 0)
    sale: Fill = fill.order.model_copy(update={"client_order_id": name, "trade_id": "t2", "side": Side.SELL})
    after = evolve(seen, story.tell(OrderFilled, "risk", order=sale))
    assert after.dealt.moved == seen.dealt.moved


def test_a_runner_that_was_relieved_orders_nothing_until_a_person_lets_it() -> None:
    story = Story(at_a_real_venue())
    halted = story.tell(TradingHalted, "risk", level="error", details=Halt(kind="kill", reason="hangs"))
    held = state_of(story, story.close("100"), story.fill(ticket("a"), trade_id="t1"), halted)
    assert wish_for(held, KEY, at_slice_end=False) is not None
    relieved = evolve(held, engaged(story))
    assert wish_for(relieved, KEY, at_slice_end=False) is None
    exit_order = exit_ticket(purpose="flatten")
    assert obstacle(relieved, exit_order, story.now, story.now) is not None
    word = Resumption(reason="looked at it", operator="anna")
    assert not evolve(relieved, story.tell(TradingResumed, "risk", details=word)).relieved


def test_a_restored_condition_lifts_no_kill() -> None:
    story = Story(at_a_real_venue())
    kill = story.tell(TradingHalted, "risk", level="error", details=Halt(kind="kill", reason="stop"))
    word = Resumption(reason="restored: clock", operator="guard", restored=("clock",))
    state = state_of(story, kill, story.tell(TradingResumed, "risk", details=word))
    assert state.killed


def test_the_guards_names_clash_with_none_of_the_runners() -> None:
    mine = guards_order_id(SESSION, 7)
    assert is_guards_order(SESSION, mine)
    assert not is_guards_order("22222222-2222-5222-8222-222222222222", mine)
    assert not any(is_guards_order(SESSION, client_order_id(SESSION, number)) for number in range(100))
    assert len(mine) <= 36
