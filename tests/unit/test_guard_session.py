"""One session under guard, from its first word to its end."""

from datetime import timedelta
from functools import partial

import pytest

from services.risk.core.book import REMEMBERED
from services.risk.core.guard import decide, evolve, initial
from shared.domain.decider import react
from shared.schemas.guard import Halt, KillConfirmed, Resumption, TradingHalted, TradingResumed
from shared.schemas.orders import OrderApproved
from tests.guard_story import SESSION, Guarded, Story, at_a_real_venue, config, exit_ticket, ticket, trading, unsigned


def halted(guarded: Guarded, kind: str) -> None:
    halt = Halt.model_validate({"kind": kind, "reason": "stop"})
    guarded.learn(guarded.story.tell(TradingHalted, "risk", details=halt))


def test_trading_starts_halted_and_the_guards_first_word_enables_it() -> None:
    guarded = Guarded(Story(config()))
    assert guarded.refuses(ticket("early")) == "halted"
    (word,) = guarded.hear(guarded.story.start())
    assert (word.type, word.details.operator) == ("trading_resumed", "guard")
    assert guarded.refuses(ticket("later")) is None


def test_a_session_with_real_money_waits_for_a_person() -> None:
    guarded = Guarded(Story(at_a_real_venue(), mode="live"))
    (word,) = guarded.hear(guarded.story.start())
    assert (word.type, word.details.kind) == ("trading_halted", "pause")
    guarded.hear(guarded.story.close("100"))
    assert guarded.refuses(ticket("a")) == "paused"
    guarded.learn(guarded.story.tell(TradingResumed, "risk", details=Resumption(reason="go", operator="anna")))
    assert guarded.refuses(ticket("b")) is None
    assert guarded.hear(guarded.story.start()) == []


def test_a_session_that_starts_while_the_stack_is_killed_stays_halted() -> None:
    story = Story(config())
    guard = initial(SESSION, Halt(kind="kill", reason="fire", scope="stack"))
    guard, (word,) = react(evolve, partial(decide, seal=unsigned), guard, story.start())
    assert (word.type, word.details.reason) == ("trading_halted", "fire")
    assert guard.halt == word.details


def test_a_runner_that_starts_again_hears_nothing_new() -> None:
    guarded = trading()
    assert guarded.hear(guarded.story.start()) == []


@pytest.mark.parametrize(("kind", "rule"), [("kill", "killed"), ("pause", "paused"), ("limit", "halted")])
def test_a_halt_refuses_new_risk_under_its_own_name_but_lets_positions_shrink(kind: str, rule: str) -> None:
    guarded = trading()
    guarded.buy(ticket("a"))
    halted(guarded, kind)
    assert guarded.refuses(ticket("b")) == rule
    assert guarded.refuses(exit_ticket()) is None


def test_a_kill_beats_a_pause_whichever_comes_first() -> None:
    guarded = trading()
    halted(guarded, "kill")
    halted(guarded, "pause")
    assert guarded.refuses(ticket("b")) == "killed"


def test_an_approval_names_the_exact_order_and_expires_by_market_time() -> None:
    guarded = trading(approval_ttl="7s")
    order = ticket()
    intent = guarded.story.intend(order)
    (approval,) = guarded.hear(intent)
    assert isinstance(approval, OrderApproved)
    assert approval.order == order
    assert approval.details.intent_id == intent.id
    assert approval.details.expires_at == intent.market_time + timedelta(seconds=7)
    assert (approval.causation_id, approval.correlation_id) == (intent.id, intent.correlation_id)


def test_an_intent_told_twice_gets_one_verdict() -> None:
    guarded = trading(max_open_exposure="0.01")
    assert guarded.refuses(ticket("a")) is None
    assert guarded.hear(guarded.story.intend(ticket("a"))) == []
    assert guarded.refuses(ticket("b")) == "max_open_exposure"
    assert guarded.hear(guarded.story.intend(ticket("b"))) == []


def test_another_order_under_a_used_name_is_refused_and_the_first_stands() -> None:
    guarded = trading()
    assert guarded.refuses(ticket("a")) is None
    assert guarded.refuses(ticket("a", qty="2")) == "duplicate_order"
    assert guarded.hear(guarded.story.intend(ticket("a"))) == []


def test_a_fill_told_twice_counts_once() -> None:
    guarded = trading()
    order = ticket("a")
    assert guarded.refuses(order) is None
    fill = guarded.story.fill(order)
    guarded.hear(fill)
    cash = guarded.guard.portfolio.cash
    guarded.hear(fill)
    assert guarded.guard.portfolio.cash == cash


def test_what_is_remembered_of_ended_orders_is_bounded() -> None:
    guarded = trading()
    for number in range(REMEMBERED + 10):
        guarded.buy(ticket(f"a{number}", qty="0.01"))
    assert (len(guarded.guard.book.working), len(guarded.guard.book.ended)) == (0, REMEMBERED)


def test_an_order_whose_fate_is_unknown_goes_on_counting() -> None:
    guarded = trading(max_open_orders=1)
    assert guarded.refuses(ticket("a")) is None
    guarded.hear(guarded.story.accept(ticket("a")))
    assert guarded.refuses(ticket("b")) == "max_open_orders"


@pytest.mark.parametrize(
    ("on_stop", "orders", "holdings", "status"),
    [
        ("flatten", (), {}, "success"),
        ("flatten", ("a",), {}, "failed"),
        ("flatten", (), {"BTCUSDT": "1"}, "failed"),
        ("flatten", (), {"OTHERCOIN": "1", "BTCUSDT": "0.000001"}, "success"),
        ("keep", (), {"BTCUSDT": "1"}, "success"),
    ],
)
def test_confirms_a_kill_by_what_the_venue_shows(
    on_stop: str, orders: tuple[str, ...], holdings: dict[str, str], status: str
) -> None:
    story = Story(config(on_stop=on_stop))
    guarded = Guarded(story)
    guarded.hear(story.start())
    assert guarded.hear(story.observe()) == []
    halted(guarded, "kill")
    (confirmation,) = guarded.hear(story.observe(orders, **holdings))
    assert isinstance(confirmation, KillConfirmed)
    assert confirmation.status == status
