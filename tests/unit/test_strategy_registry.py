"""Strategies are found by their files, and a session's parameters fit them or are refused by name."""

from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from services.runner import strategies
from services.runner.strategies.port import StrategyError
from services.runner.strategies.registry import PortfolioStrategy, SymbolStrategy, available, load
from shared.schemas.session import StrategyEntry

GIVEN = ("bollinger", "ema_crossover", "golden_cross", "rebalance", "rsi_reversion")


@pytest.fixture
def users_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(strategies, "__path__", [*strategies.__path__, str(tmp_path)])
    return tmp_path


def entry(name: str, **params: Any) -> StrategyEntry:
    return StrategyEntry(name=name, params=params)


def test_finds_every_strategy_of_the_house_and_nothing_else() -> None:
    assert available() == GIVEN


@pytest.mark.parametrize("name", [name for name in GIVEN if name != "rebalance"])
def test_a_strategy_of_one_symbol_loads_with_its_defaults(name: str) -> None:
    loaded = load(entry(name))
    assert isinstance(loaded, SymbolStrategy)
    assert (loaded.name, loaded.label, loaded.kind) == (name, name, "symbol")
    assert loaded.warmup > 0


def test_a_strategy_of_the_portfolio_loads_with_its_weights() -> None:
    loaded = load(entry("rebalance", weights={"BTCUSDT": "0.5", "ETHUSDT": Decimal("0.25")}))
    assert isinstance(loaded, PortfolioStrategy)
    assert (loaded.kind, loaded.warmup, loaded.start) == ("portfolio", 0, (False,))


def test_a_label_names_one_of_several_settings_of_a_strategy() -> None:
    assert load(StrategyEntry(name="ema_crossover", label="quick", params={"fast": 3, "slow": 9})).label == "quick"


def test_numbers_may_come_as_decimals_or_as_text() -> None:
    loaded = load(entry("bollinger", length="30", deviations=Decimal("2.5")))
    assert loaded.params.model_dump() == {"length": 30, "deviations": 2.5}


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("ema_crossover", {"fast": "abc"}, r"strategy 'ema_crossover': params\.fast: .*integer.*'abc'"),
        ("ema_crossover", {"fats": 3}, r"params\.fats: unknown; it takes fast, slow"),
        ("ema_crossover", {"fast": 30}, r"params: fast \(30\) must be below slow \(26\)"),
        ("ema_crossover", {"fast": Decimal("1.5")}, r"params\.fast: .*integer"),
        ("ema_crossover", {"fast": True}, r"params\.fast: .*true or false"),
        ("bollinger", {"deviations": "nan"}, r"params\.deviations: .*finite"),
        ("rebalance", {}, r"params\.weights: Field required"),
        ("rebalance", {"weights": {"A": "much"}}, r"params\.weights\.A: .*decimal.*'much'"),
    ],
)
def test_refuses_parameters_that_do_not_fit_by_their_name(name: str, params: dict[str, Any], said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        load(entry(name, **params))


def test_refuses_a_name_that_is_no_strategy_and_lists_those_that_are() -> None:
    with pytest.raises(StrategyError, match=r"no strategy 'macd'; there are bollinger, ema_crossover, golden_cross"):
        load(entry("macd"))


@pytest.mark.parametrize("name", ["port", "registry", "indicators", "../port", ""])
def test_what_is_no_strategy_cannot_be_loaded(name: str) -> None:
    with pytest.raises(StrategyError, match="there is no strategy"):
        load(entry(name))


def test_a_users_file_is_a_strategy_at_once(users_files: Path) -> None:
    (users_files / "buy_and_hold.py").write_text(
        dedent(
            """
            from services.runner.strategies.port import StrategyParams, long

            class Params(StrategyParams):
                after: int = 1

            def warmup(params):
                return params.after - 1

            def initial(params):
                return 0

            def step(params, seen, bar):
                return seen + 1, long("hold") if seen + 1 == params.after else None
            """
        )
    )
    assert "buy_and_hold" in available()
    loaded = load(entry("buy_and_hold", after=3))
    assert (loaded.warmup, loaded.start) == (2, 0)


def test_a_users_file_that_lacks_a_part_is_told_which(users_files: Path) -> None:
    (users_files / "half_done.py").write_text("from services.runner.strategies.port import StrategyParams as Params\n")
    with pytest.raises(StrategyError, match=r"'half_done' lacks warmup, initial, step \(or weigh\)"):
        load(entry("half_done"))


def test_a_users_file_that_cannot_be_read_leaves_the_others_usable(users_files: Path) -> None:
    (users_files / "broken.py").write_text("def step(:\n")
    with pytest.raises(StrategyError, match="'broken' cannot be imported: SyntaxError"):
        load(entry("broken"))
    assert load(entry("ema_crossover")).warmup == 25
