"""What the runner's command line and environment may say, and what is refused in one line."""

import pytest

from services.runner.setting_up import events_kept
from shared.runtime.errors import SettingsError


@pytest.mark.parametrize("text", ["all", "trades", "none"])
def test_a_backtest_may_record_all_events_those_of_trades_or_none(text: str) -> None:
    assert events_kept(text) == text


@pytest.mark.parametrize("text", ["some", "ALL", ""])
def test_any_other_word_for_the_events_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="write all, trades or none"):
        events_kept(text)
