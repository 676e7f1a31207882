"""Kills amid orders on their way to a venue."""

from pathlib import Path

from tests.trials.kills import Kills

KILLS = 15


async def test_once_a_kill_is_stored_nothing_is_sent_but_what_closes_positions(tmp_path: Path) -> None:
    outcome = await Kills(tmp_path, KILLS).run()
    assert outcome.kills == KILLS
    assert outcome.orders > KILLS
    assert outcome.sent_after == 0
