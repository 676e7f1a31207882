"""The limits that are watched continuously: losses, API errors, slippage of fills, the books."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from shared.schemas.guard import Halt, LimitBreached, Resumption, TradingHalted, TradingResumed
from shared.schemas.market import EquityMarked
from tests.guard_story import Guarded, exit_ticket, ticket, trading

HALT = ["limit_breached", "trading_halted"]


def kinds(guarded: Guarded, price: str, awaits_guard: bool = False) -> list[str]:
    """What the guard tells when the next bar closes at `price`."""
    guarded.hear(guarded.story.close(price))
    return [fact.type for fact in guarded.hear(guarded.story.mark(awaits_guard))]


def holding(**risk: Any) -> Guarded:
    """A session that holds 50 BTCUSDT bought at 100: half of its equity."""
    guarded = trading(**risk)
    guarded.buy(ticket("a", qty="50"))
    assert kinds(guarded, "100") == []
    return guarded


def resume(guarded: Guarded) -> None:
    word = Resumption(reason="seen", operator="anna", control_sequence=7)
    guarded.learn(guarded.story.tell(TradingResumed, "risk", details=word))


def test_halts_once_the_daily_loss_limit_is_hit_and_refuses_new_risk() -> None:
    guarded = holding(daily_loss_limit="0.05")
    assert kinds(guarded, "90.01") == []
    assert kinds(guarded, "90") == HALT
    assert kinds(guarded, "80") == []
    assert guarded.refuses(ticket("b")) == "halted"
    assert guarded.refuses(exit_ticket(qty="50")) is None


def test_the_day_begins_at_midnight_in_its_time_zone() -> None:
    guarded = holding(daily_loss_limit="0.05", day_time_zone="Europe/Berlin")
    assert kinds(guarded, "91") == []
    guarded.story.now = guarded.story.now.replace(hour=22, minute=58)
    assert kinds(guarded, "91") == []
    assert kinds(guarded, "91") == []
    assert kinds(guarded, "86") == [], "23:00 UTC is midnight in Berlin: the loss before it is yesterday's"
    assert kinds(guarded, "81.45") == HALT


def test_the_gap_over_night_counts_to_the_new_day() -> None:
    guarded = holding(daily_loss_limit="0.05")
    guarded.hear(guarded.story.close("90", after=timedelta(hours=34)))
    assert [fact.type for fact in guarded.hear(guarded.story.mark())] == HALT


def test_halts_on_the_drawdown_from_the_peak() -> None:
    guarded = holding(max_drawdown_limit="0.1")
    assert kinds(guarded, "200") == []
    assert kinds(guarded, "170.02") == []
    (breach, halt) = guarded.hear(guarded.story.close("170"), guarded.story.mark())
    assert isinstance(breach, LimitBreached)
    assert (breach.details.limit, breach.details.bound, breach.details.observed) == ("max_drawdown_limit", "0.1", "0.1")
    assert isinstance(halt, TradingHalted)
    assert halt.details.kind == "limit"
    assert "until an operator resumes" in halt.details.reason


def test_after_a_resume_losses_are_measured_anew() -> None:
    guarded = holding(daily_loss_limit="0.05", max_drawdown_limit="0.06")
    assert kinds(guarded, "85") == ["limit_breached", "limit_breached", "trading_halted"]
    resume(guarded)
    assert kinds(guarded, "85") == []
    assert guarded.refuses(ticket("b")) is None
    assert kinds(guarded, "75") == HALT


def test_an_order_between_two_marks_meets_the_loss_limit_too() -> None:
    guarded = holding(daily_loss_limit="0.05")
    guarded.hear(guarded.story.close("80"))
    assert guarded.refuses(ticket("b")) == "daily_loss_limit"


def test_books_that_differ_from_the_runners_halt_trading() -> None:
    guarded = holding()
    mark = guarded.story.mark()
    wrong = mark.metrics.model_copy(update={"equity": mark.metrics.equity + Decimal("0.00000001")})
    told = guarded.hear(mark.model_copy(update={"metrics": wrong}))
    assert [fact.type for fact in told] == HALT
    assert told[0].details.limit == "books"


def test_its_own_mark_comes_last_where_the_runner_waits_for_it() -> None:
    guarded = holding(daily_loss_limit="0.05")
    assert kinds(guarded, "99", awaits_guard=True) == ["equity_marked"]
    assert kinds(guarded, "80", awaits_guard=True) == [*HALT, "equity_marked"]
    own = guarded.hear(guarded.story.mark(awaits_guard=True))[-1]
    assert isinstance(own, EquityMarked)
    assert (own.service, own.details.awaits_guard, own.metrics.equity) == ("risk", False, Decimal(9000))


def test_too_many_api_errors_in_a_row_halt_trading() -> None:
    guarded = trading(max_api_errors=2)
    story = guarded.story
    assert guarded.hear(story.fail(), story.fail(api=False), story.fail()) == []
    assert [fact.type for fact in guarded.hear(story.fail())] == HALT
    assert guarded.hear(story.fail()) == []


def test_an_accepted_order_ends_the_row_of_api_errors() -> None:
    guarded = trading(max_api_errors=2)
    story = guarded.story
    assert guarded.hear(story.fail(), story.fail(), story.accept(ticket()), story.fail(), story.fail()) == []


def test_a_fill_far_from_its_reference_is_told_but_halts_nothing() -> None:
    guarded = trading(max_slippage="0.01")
    order = ticket(qty="2")
    assert guarded.refuses(order) is None
    assert guarded.hear(guarded.story.fill(order, "101", qty="1")) == []
    (breach,) = guarded.hear(guarded.story.fill(order, "101.01", qty="1", leaves_qty=Decimal(0), status="filled"))
    assert (breach.type, breach.level, breach.details.limit) == ("limit_breached", "warning", "max_slippage")
    assert guarded.refuses(ticket("b")) is None


def test_a_breach_while_killed_is_told_without_weakening_the_kill() -> None:
    guarded = holding(daily_loss_limit="0.05")
    guarded.learn(guarded.story.tell(TradingHalted, "risk", details=Halt(kind="kill", reason="stop")))
    assert kinds(guarded, "80") == ["limit_breached"]
    assert guarded.refuses(ticket("b")) == "killed"
