"""Whole sessions at the venues' test servers, through everything that goes wrong at once."""

from pathlib import Path

from tests.trials.storm import Storm


async def test_under_all_faults_and_kills_our_books_equal_the_venues_to_the_last_digit(tmp_path: Path) -> None:
    storm = Storm(tmp_path, minutes=50, kills=3, share=0.015, symbols=5)
    trial = await storm.run()
    assert storm.killed >= 2
    assert len(trial.stack.record.tickets) > 60
    assert trial.faults.drawn.total() > 30
