"""What the guard does at the venue for a runner that can't: the session's own orders and units, each once."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from services.risk.core import backstop, executions
from services.risk.core.backstop import Cancel, Find, Sell
from shared.schemas.envelope import Event
from shared.schemas.guard import Halt, TradingHalted
from shared.schemas.identity import guards_order_id
from shared.schemas.orders import OrderCancelled, OrderFilled, OrderRefused, OrderRejected, Ticket, VenueAccount
from shared.schemas.values import Mode, OrderType, Side
from shared.venues.words import Executed, Shown
from tests.guard_story import SESSION, Guarded, Story, at_a_real_venue, exit_ticket, ticket

PROOF = timedelta(seconds=10)
LATE = timedelta(minutes=1)
STOP = exit_ticket("stop", type=OrderType.STOP, stop_price="90", purpose="stop")


def killed(mode: Mode = "testnet", **before: str) -> Guarded:
    """A session killed at a real venue, with 1 BTC at 100 and its stop, and a guard that has come in."""
    units = {symbol: Decimal(qty) for symbol, qty in before.items()}
    guarded = Guarded(Story(at_a_real_venue(), mode=mode, before=units))
    guarded.hear(guarded.story.start(), guarded.story.close("100"))
    guarded.buy(ticket("a"))
    guarded.judge(STOP)
    guarded.hear(guarded.story.tell(TradingHalted, "risk", level="error", details=Halt(kind="kill", reason="hangs")))
    return guarded


def engaged(**before: str) -> Guarded:
    guarded = killed("testnet", **before)
    told = backstop.engaged(guarded.guard, LATE, guarded.story.now)
    guarded.learn(*told)
    return guarded


def seen(guarded: Guarded, *names: str, **held: str) -> VenueAccount:
    return backstop.shown(guarded.guard, names, {symbol: Decimal(qty) for symbol, qty in held.items()})


def sales(guarded: Guarded, account: VenueAccount, after: timedelta = LATE) -> Sequence[Ticket]:
    return [sell.ticket for sell in backstop.to_sell(guarded.guard, account, guarded.story.now + after, PROOF)]


def executed(name: str, number: str, qty: str) -> Executed:
    return Executed(name, number, Decimal(qty), Decimal(100), Decimal(0), "USDT", "taker")


def heard(guarded: Guarded, name: str, *words: Executed | Shown) -> Sequence[Event]:
    facts = executions.heard(guarded.guard, name, words, guarded.story.now)
    guarded.learn(*facts)
    return facts


def without_its_stop(**before: str) -> Guarded:
    guarded = engaged(**before)
    heard(guarded, "stop", Shown("stop", "1", "cancelled", Decimal(0)))
    return guarded


def test_a_kill_is_waited_for_as_long_as_the_session_says_and_in_a_dry_run_for_ever() -> None:
    assert not backstop.is_due(killed().guard, timedelta(seconds=9))
    assert backstop.is_due(killed().guard, timedelta(seconds=10))
    assert not backstop.is_due(killed(mode="dry_run").guard, LATE)


def test_a_confirmed_kill_is_not_waited_for() -> None:
    guarded = killed()
    guarded.hear(guarded.story.observe())
    assert not backstop.is_due(guarded.guard, LATE)


def test_the_guard_comes_in_once_and_then_approves_nothing_not_even_an_exit() -> None:
    guarded = engaged()
    assert backstop.engaged(guarded.guard, LATE, guarded.story.now) == ()
    verdict = guarded.judge(exit_ticket("late"))
    assert isinstance(verdict, OrderRefused)
    assert verdict.details.rule == "backstop"


def test_only_the_sessions_own_orders_are_cancelled() -> None:
    guarded = engaged()
    account = seen(guarded, "stop", "by-hand", "lt-of-another-session")
    assert backstop.to_settle(guarded.guard, account) == [Cancel(STOP)]


def test_an_order_that_is_not_listed_is_asked_for() -> None:
    guarded = engaged()
    assert backstop.to_settle(guarded.guard, seen(guarded)) == [Find(STOP)]


def test_what_the_session_holds_is_sold_under_a_name_of_the_guards_own() -> None:
    guarded = without_its_stop(BTCUSDT="3")
    (sale,) = sales(guarded, seen(guarded, BTCUSDT="4"))
    assert (sale.client_order_id, sale.side, sale.qty) == (guards_order_id(SESSION, 0), Side.SELL, Decimal(1))
    assert sale.reduce_only


def test_neither_what_was_held_before_nor_what_others_bought_is_sold() -> None:
    guarded = without_its_stop(BTCUSDT="3")
    assert [each.qty for each in sales(guarded, seen(guarded, BTCUSDT="9"))] == [Decimal(1)]
    assert sales(guarded, seen(guarded, BTCUSDT="3")) == []


def test_units_that_the_stop_sold_unheard_are_not_sold_again() -> None:
    guarded = engaged()
    heard(guarded, "stop", executed("stop", "t1", "0.4"), Shown("stop", "1", "cancelled", Decimal("0.4")))
    assert [each.qty for each in sales(guarded, seen(guarded, BTCUSDT="1"))] == [Decimal("0.6")]


def test_nothing_is_sold_while_an_approved_order_may_still_arrive() -> None:
    guarded = engaged()
    account = seen(guarded, BTCUSDT="1")
    assert sales(guarded, account, timedelta(seconds=19)) == []
    assert sales(guarded, account, timedelta(seconds=21)) != []


def test_nothing_is_sold_twice_while_an_own_order_is_in_doubt() -> None:
    guarded = without_its_stop()
    account = seen(guarded, BTCUSDT="1")
    (sale,) = sales(guarded, account)
    guarded.learn(*backstop.submitted(guarded.guard, Sell(sale), guarded.story.now))
    assert sales(guarded, account) == []
    assert backstop.to_settle(guarded.guard, account) == [Find(sale)]
    gone = executions.absent(guarded.guard, sale.client_order_id, "never arrived", guarded.story.now)
    guarded.learn(*gone)
    assert isinstance(gone[0], OrderRejected)
    (again,) = sales(guarded, account)
    assert again.client_order_id == guards_order_id(SESSION, 1)


def test_an_own_order_at_rest_is_left_to_fill() -> None:
    guarded = without_its_stop()
    (sale,) = sales(guarded, seen(guarded, BTCUSDT="1"))
    guarded.learn(*backstop.submitted(guarded.guard, Sell(sale), guarded.story.now))
    account = seen(guarded, sale.client_order_id, BTCUSDT="1")
    assert backstop.to_settle(guarded.guard, account) == []
    assert sales(guarded, account) == []


def test_a_kill_is_not_confirmed_before_the_guards_own_sale_is_told_though_the_venue_shows_nothing_more() -> None:
    guarded = without_its_stop()
    (sale,) = sales(guarded, seen(guarded, BTCUSDT="1"))
    guarded.learn(*backstop.submitted(guarded.guard, Sell(sale), guarded.story.now))
    (told,) = backstop.observed(guarded.guard, seen(guarded), guarded.story.now)
    assert told.status == "failed"
    heard(guarded, sale.client_order_id, executed(sale.client_order_id, "t1", "1"))
    (told,) = backstop.observed(guarded.guard, seen(guarded), guarded.story.now)
    assert told.status == "success"


def test_a_fill_is_told_once_and_an_end_not_before_its_fills() -> None:
    guarded = engaged()
    (fill,) = heard(guarded, "stop", executed("stop", "t1", "0.4"))
    assert isinstance(fill, OrderFilled)
    assert heard(guarded, "stop", executed("stop", "t1", "0.4"), Shown("stop", "1", "cancelled", Decimal("0.5"))) == ()
    told = heard(guarded, "stop", executed("stop", "t2", "0.1"), Shown("stop", "1", "cancelled", Decimal("0.5")))
    assert [type(fact) for fact in told] == [OrderFilled, OrderCancelled]


def test_a_session_that_keeps_its_positions_is_only_cancelled() -> None:
    guarded = without_its_stop()
    assert guarded.guard.config is not None
    kept = guarded.guard.config.model_copy(update={"on_kill": "keep"})
    account = seen(guarded, BTCUSDT="1")
    assert backstop.to_sell(guarded.guard._replace(config=kept), account, guarded.story.now + LATE, PROOF) == ()
