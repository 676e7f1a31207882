"""Whether a session that was left unfinished may go on."""

from decimal import Decimal

import pytest

from services.runner import sessions
from services.runner.core.lifecycle import Opened, open_session
from services.runner.core.plan import plan
from services.runner.core.state import initial
from services.runner.feeds.port import FeedDescription
from shared.schemas.identity import Cause
from shared.schemas.lifecycle import RunnerStart
from shared.schemas.session import Instrument, SessionConfig
from shared.schemas.values import STACK, Mode
from tests.rehearsal import session
from tests.venues.paper_orders import START


def started(config: SessionConfig, mode: Mode) -> RunnerStart:
    feed = FeedDescription("test", config.symbols, config.timeframe, None, ())
    cause = Cause(STACK, STACK, START, START, STACK)
    _, facts = open_session(initial(plan(STACK, config)), cause, Opened(mode, feed, START))
    assert isinstance(facts[0], RunnerStart)
    return facts[0]


def with_rules(config: SessionConfig, tick: str) -> SessionConfig:
    return config.model_copy(update={"instruments": {"BTCUSDT": Instrument(tick_size=Decimal(tick))}})


def test_a_session_goes_on_with_the_settings_it_began_with() -> None:
    assert sessions.continues(started(session(), "dry_run"), session(), "dry_run")
    assert not sessions.continues(started(session(), "dry_run"), session(initial_capital=7), "dry_run")


@pytest.mark.parametrize(("began", "now"), [("dry_run", "testnet"), ("testnet", "dry_run"), ("testnet", "live")])
def test_what_was_traded_in_one_mode_is_never_taken_for_positions_in_another(began: Mode, now: Mode) -> None:
    config = session(feed="binance", venue="binance")
    assert not sessions.continues(started(config, began), config, now)


def test_a_live_session_keeps_the_venues_rules_that_it_began_with() -> None:
    live = session(feed="binance", venue="binance")
    assert sessions.continues(started(with_rules(live, "0.01"), "testnet"), with_rules(live, "0.1"), "testnet")
    recorded = session()
    assert not sessions.continues(
        started(with_rules(recorded, "0.01"), "dry_run"), with_rules(recorded, "0.1"), "dry_run"
    )
