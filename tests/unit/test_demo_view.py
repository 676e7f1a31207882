from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from deploy.embedded import view as views
from deploy.embedded.display import Scene, line, signed
from deploy.embedded.view import View
from shared.schemas.guard import Halt, Resumption, TradingHalted, TradingResumed
from shared.schemas.identity import Cause, Facts, derived_id
from shared.schemas.lifecycle import PhaseStart, RunnerStart, SessionStart
from shared.schemas.session import SessionConfig
from shared.schemas.values import Service

SESSION = "11111111-1111-4111-8111-111111111111"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CONFIG = SessionConfig.model_validate(
    {
        "name": "seen",
        "symbols": ["BTCUSDT"],
        "timeframe": "1m",
        "initial_capital": "10000",
        "feed": {"kind": "simulated", "start": NOON},
        "strategies": [{"name": "ema_crossover"}],
    }
)
KILL = Halt(kind="kill", reason="fat finger")


Told = tuple[Service, Any, dict[str, Any]]


def seen(*told: Told) -> View:
    view = views.initial(SESSION)
    for number, (service, kind, fields) in enumerate(told):
        name = derived_id(SESSION, "cause", number)
        facts = Facts(Cause(name, SESSION, NOON, NOON, name), service)
        view = views.evolve(view, facts.tell(kind, **fields))
    return view


START: Told = (
    "runner",
    RunnerStart,
    {
        "details": SessionStart(
            mode="dry_run", config=CONFIG, config_digest=CONFIG.digest(), core_digest="c", market_start=NOON
        )
    },
)
TRADING: Told = ("runner", PhaseStart, {"phase": "api_phase"})


def test_a_session_in_its_last_phase_is_running() -> None:
    assert seen(START, TRADING).status == "running"


def test_a_kill_is_shown_until_trading_is_resumed() -> None:
    killed: tuple[Told, ...] = (START, TRADING, ("risk", TradingHalted, {"details": KILL}))
    assert seen(*killed).status == "KILLED"
    resumed: Told = ("risk", TradingResumed, {"details": Resumption(reason="checked", operator="ann")})
    assert seen(*killed, resumed).status == "running"


def test_the_plain_line_tells_equity_status_and_services_that_are_not_well() -> None:
    text = line(Scene(seen(START, TRADING), {"runner": "ready", "risk": "restarting"}))
    assert "equity 10,000.00 USDT" in text
    assert "running" in text
    assert "risk restarting" in text
    assert "runner" not in text


def test_before_the_first_fact_the_line_tells_how_the_services_are() -> None:
    assert line(Scene(None, {"risk": "running"})) == "starting: risk running"


def test_gain_and_loss_differ_by_more_than_colour() -> None:
    assert signed(Decimal("12.3")) == "▲ +12.30"
    assert signed(Decimal("-1234.5")) == "▼ -1,234.50"
    assert signed(Decimal(0)) == "■ +0.00"
