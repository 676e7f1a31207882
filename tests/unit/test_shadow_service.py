"""A session with a shadow on a bus in memory: what is stored, through crashes, is what its backtest tells."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.runner.core.plan import plan
from services.runner.setting_up import Options, configured, with_feed
from services.runner.shadow import backtest_beside
from shared.runtime.errors import SettingsError
from shared.schemas.envelope import Event
from shared.schemas.market import EquityMarked, ShadowMarked
from shared.schemas.subjects import EVENTS
from tests.memory_stage import MemoryStage
from tests.walk_session import write_walk

SHADOW = """
[shadow]
strategies = [{ name = "ema_crossover", params = { fast = 2, slow = 5 } }, { name = "bollinger" }]
[shadow.orders]
entry = "market"
"""


def with_shadow(folder: Path, shadow: str = SHADOW) -> tuple[Path, Path]:
    session, candles = write_walk(folder, 60)
    session.write_text(session.read_text() + shadow)
    return session, candles


def curve(facts: Sequence[Event]) -> list[Any]:
    return [(fact.details.close_time, fact.details.equity) for fact in facts if isinstance(fact, ShadowMarked)]


def account(facts: Sequence[Event]) -> list[Any]:
    return [fact.metrics for fact in facts if isinstance(fact, EquityMarked)]


def backtested(session: Path, candles: Path) -> list[Event]:
    config, feed = with_feed(configured(Options(session, (candles,))), (candles,))
    told: list[Event] = []
    backtest_beside(plan("6f1c2f36-5a5e-5b6e-9d3c-0123456789ab", config), feed, told.append)
    return [fact for fact in told if fact.service == "runner"]


@pytest.mark.parametrize("crashes", [[], [45, 70, 110]])
async def test_a_shadow_on_the_bus_marks_what_the_backtest_marks_wherever_the_runner_crashes(
    tmp_path: Path, crashes: list[int]
) -> None:
    session, candles = with_shadow(tmp_path)
    stage = MemoryStage(tmp_path, session, candles)
    async with stage.guarded():
        for crash in crashes:
            await stage.trade(crash_at=crash)
        await asyncio.wait_for(stage.trade(), 120)
    told, expected = await stage.told("runner"), backtested(session, candles)
    assert curve(told) == curve(expected)
    assert account(told) == account(expected)
    assert len({equity for _, equity in curve(told)}) > 5
    assert curve(told) != [
        (fact.details.close_time, fact.metrics.equity) for fact in told if isinstance(fact, EquityMarked)
    ]
    assert len({fact.id for fact in told}) == len(told)


async def test_a_shadow_with_wrong_parameters_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    wrong = '[shadow]\nstrategies = [{ name = "ema_crossover", params = { slow = 0 } }]\n'
    stage = MemoryStage(tmp_path, *with_shadow(tmp_path, wrong))
    with pytest.raises(SettingsError, match="shadow: "):
        await stage.trade()
    assert stage.memory.streams[EVENTS] == []
