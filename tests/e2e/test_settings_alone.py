"""A session file goes from a dry run on the venue's own market to its testnet by settings alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.schemas.lifecycle import RunnerStart
from tests.trials import alpaca, binance
from tests.trials.venue_trial import VenueTrial

MINUTES = 12
DRY: Mapping[type[VenueTrial], Mapping[str, str]] = {
    binance.Trial: {"DRY_RUN": "true", "BINANCE_TESTNET_API_KEY": "", "BINANCE_TESTNET_SECRET_KEY": ""},
    alpaca.Trial: {"DRY_RUN": "true"},
}
"""Binance tells everybody of its market; Alpaca tells those only who have a key."""


async def traded(trial: VenueTrial) -> tuple[str, bool, int]:
    """The mode that the session began in, whether anything was filled, and how many orders the venue has seen."""
    await trial.run()
    record = trial.stack.record
    (start,) = (fact for fact in record.facts if isinstance(fact, RunnerStart))
    return start.details.mode, bool(record.fills), len(trial.books().orders)


@pytest.mark.parametrize("at", [binance.Trial, alpaca.Trial])
async def test_the_same_file_trades_on_paper_and_then_at_the_venue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: type[VenueTrial]
) -> None:
    (tmp_path / "dry").mkdir()
    (tmp_path / "real").mkdir()
    dry, real = at(tmp_path / "dry", MINUTES), at(tmp_path / "real", MINUTES)
    with monkeypatch.context() as patch:
        usual = dry.settings
        patch.setattr(dry, "settings", lambda: {**usual(), **DRY[at]})
        assert await traded(dry) == ("dry_run", True, 0)
    mode, filled, placed = await traded(real)
    assert (mode, filled, placed > 0) == ("testnet", True, True)
    assert not real.differences
    assert (dry.folder / "trial.toml").read_bytes() == (real.folder / "trial.toml").read_bytes()
