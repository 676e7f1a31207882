"""What is told of a venue's and a key's health while a session trades: changes, each once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from services.runner.core.decide import handle
from services.runner.core.inputs import Check, HealthChanged
from services.runner.core.lifecycle import Warmed, finish_warmup
from services.runner.core.state import initial
from services.runner.live import health
from services.runner.live.health import HealthWatch
from services.runner.preflight.finding import passed
from services.runner.replay.inputs import input_of
from shared.runtime import clock
from shared.schemas.identity import Cause, derived_id
from shared.schemas.lifecycle import Checkpoint, ConnectionLost, ConnectionRestored
from shared.schemas.values import STACK
from shared.venues.standing import Rights, Standing
from shared.venues.trouble import Fate, VenueError
from tests.unit.test_preflight import sound

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
FIT = Standing((), {"USDT": Decimal(1000)}, Rights(trades=True, removals=(), bound=True))
NO_ROUTE = VenueError("test", Fate.UNKNOWN, "no route")


class Venue:
    """A market and an account whose answers a test sets."""

    name = "test"

    def __init__(self) -> None:
        self.behind = timedelta(0)
        self.shown = FIT
        self.troubles: list[VenueError] = []
        self.refuses_key: VenueError | None = None

    async def server_time(self) -> datetime:
        if self.troubles:
            raise self.troubles.pop(0)
        return NOW - self.behind

    async def standing(self) -> Standing:
        if self.refuses_key:
            raise self.refuses_key
        return self.shown


class Watched:
    """A venue under watch, and what was told of it."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.told: list[HealthChanged] = []
        known = [passed(name, "") for name in ("clock", "key: withdrawal", "key: trading", "key: addresses", "account")]
        self._watch = HealthWatch(self.venue, self.venue, known, self.told.append)  # type: ignore[arg-type]

    async def look(self, times: int = 1) -> float:
        """Look so often; answers how long the venue wants to be left alone."""
        return [await self._watch.look() for _ in range(times)][-1]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(health, "SECOND_LOOK_SECONDS", 0.0)
    return Watched()


async def test_a_venue_that_is_well_is_not_told_of(watched: Watched) -> None:
    await watched.look(3)
    assert watched.told == []


CHANGES: list[tuple[Callable[[Venue], object], str, str]] = [
    (lambda v: setattr(v, "behind", timedelta(seconds=2)), "clock", "2,000 ms ahead"),
    (lambda v: setattr(v, "shown", replace(FIT, blocks=("canTrade is false",))), "account", "canTrade is false"),
    (lambda v: setattr(v, "shown", replace(FIT, rights=replace(FIT.rights, trades=False))), "key: trading", "may not"),
    (
        lambda v: setattr(v, "shown", replace(FIT, rights=replace(FIT.rights, removals=("enableWithdrawals",)))),
        "key: withdrawal",
        "enableWithdrawals",
    ),
    (
        lambda v: setattr(v, "refuses_key", VenueError("test", Fate.FATAL, "Invalid API-key", -2015)),
        "account",
        "Invalid API-key",
    ),
]


@pytest.mark.parametrize(("change", "name", "words"), CHANGES)
async def test_a_change_for_the_worse_is_told_once_and_so_is_its_end(
    watched: Watched, change: Callable[[Venue], object], name: str, words: str
) -> None:
    change(watched.venue)
    await watched.look(3)
    watched.venue.behind, watched.venue.shown, watched.venue.refuses_key = timedelta(0), FIT, None
    await watched.look(3)
    checks = [check for told in watched.told for check in told.checks]
    assert [(check.name, check.status, check.level) for check in checks] == [
        (name, "fail", "error"),
        (name, "pass", "info"),
    ]
    assert words in checks[0].observed


async def test_one_call_without_an_answer_is_no_outage(watched: Watched) -> None:
    watched.venue.troubles = [NO_ROUTE]
    await watched.look()
    assert watched.told == []


async def test_an_outage_is_told_once_and_so_is_its_end(watched: Watched) -> None:
    watched.venue.troubles = [NO_ROUTE] * 6
    await watched.look(5)
    assert watched.told == [HealthChanged("test", lost=str(NO_ROUTE)), HealthChanged("test", restored=True)]


async def test_a_venue_that_asks_to_be_left_alone_is_asked_no_second_time(watched: Watched) -> None:
    watched.venue.troubles = [VenueError("test", Fate.RETRY, "banned", -1003, retry_after=120), NO_ROUTE]
    assert await watched.look() == 120
    assert watched.venue.troubles == [NO_ROUTE]


def cause() -> Cause:
    name = derived_id(STACK, "test")
    return Cause(name, STACK, NOW, NOW, name)


def test_changes_are_facts_of_the_session_that_a_replay_passes_over() -> None:
    check = Check("account", "canTrade is false", "fail", "error")
    state = initial(sound())
    after, lost = handle(state, HealthChanged("binance", lost="no route"), cause())
    _, back = handle(after, HealthChanged("binance", restored=True, checks=(check,)), cause())
    assert [type(fact) for fact in (*lost, *back)] == [ConnectionLost, ConnectionRestored, Checkpoint]
    assert lost[0].error == "no route"
    assert (back[1].status, back[1].level) == ("fail", "error")
    assert after == state
    assert [input_of(facts) for facts in (lost, back, back[1:])] == [None, None, None]


def test_the_preflight_is_told_where_trading_begins() -> None:
    checks = (Check("clock", "ours is right"), Check("key: addresses", "bound to none", level="warning"))
    _, facts = finish_warmup(initial(sound()), cause(), Warmed(100, checks))
    told = [(fact.details.name, fact.phase, fact.status, fact.level) for fact in facts if isinstance(fact, Checkpoint)]
    assert told[1:] == [
        ("preflight", "api_phase", "pass", "info"),
        ("clock", "api_phase", "pass", "info"),
        ("key: addresses", "api_phase", "pass", "warning"),
    ]
