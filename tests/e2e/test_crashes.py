"""The whole stack under SIGKILL; `make soak` is the long form."""

from pathlib import Path

from tests.soak import endure


def test_a_session_whose_processes_are_killed_at_random_decides_exactly_as_its_backtest(tmp_path: Path) -> None:
    ordeal = endure(tmp_path, kills=6, seed=5)
    assert ordeal.killed.total() >= 4
