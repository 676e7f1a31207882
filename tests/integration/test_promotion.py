"""Whether real money may be traded is read from the stream: the same strategies, the same venue, its testnet."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from deploy.embedded.nats_server import start_nats
from services.risk.watch import Watch
from services.runner.live.testnet_record import promoted
from services.runner.preflight.finding import failures
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings, load_settings
from shared.schemas.guard import Breach, LimitBreached
from shared.schemas.session import SessionConfig
from shared.schemas.values import Mode
from tests.guard_story import SESSION, Story, at_a_real_venue

LIVE = {"DRY_RUN": "false", "LIVE_TRADING": "true", "LIVE_ACK": "I_UNDERSTAND"}


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    with start_nats(tmp_path / "nats") as server:
        bus = await Bus.connect(settings(NATS_URL=server.url), "runner")
        await bus.ensure_streams()
        await Watch(bus, has_second_factor=True).take()
        yield bus
        await bus.close()


def settings(**given: str) -> Settings:
    return load_settings({**LIVE, **given}, None)


def session(**given: object) -> SessionConfig:
    config = at_a_real_venue(max_risk_per_trade=Decimal("0.01"))
    return SessionConfig.model_validate({**config.model_dump(), "live": {"min_testnet_days": 1}, **given})


async def trade(bus: Bus, config: SessionConfig, mode: Mode = "testnet", session_id: str = SESSION) -> None:
    story = Story(config, session_id, mode=mode)
    await bus.append([story.start(), story.close("100"), story.mark(), story.end()])


async def missing(bus: Bus, config: SessionConfig, **given: str) -> list[str]:
    return [finding.name for finding in failures(await promoted(bus, config, settings(**given)))]


async def test_a_day_of_the_same_strategies_at_the_testnet_counts(bus: Bus) -> None:
    assert await missing(bus, session()) == ["testnet record"]
    await trade(bus, session())
    assert await missing(bus, session()) == []
    assert await missing(bus, session(live={"min_testnet_days": 2})) == ["testnet record"]


async def test_a_dry_run_does_not_count_nor_do_other_strategies(bus: Bus) -> None:
    await trade(bus, session(), "dry_run")
    assert await missing(bus, session()) == ["testnet record"]
    await trade(bus, session(strategies=[{"name": "bollinger"}]), session_id="22222222-2222-5222-8222-222222222222")
    assert await missing(bus, session()) == ["testnet record"]


async def test_books_that_differed_from_the_venues_are_a_breach(bus: Bus) -> None:
    story = Story(session(), mode="testnet")
    await bus.append([story.start(), story.close("100"), story.mark()])
    breach = Breach(limit="reconciliation", bound="our 1 BTC", observed="the venue's 2 BTC")
    await bus.append([story.tell(LimitBreached, "risk", details=breach)])
    assert await missing(bus, session()) == ["invariants"]


async def test_what_the_settings_lack_is_named(bus: Bus) -> None:
    await trade(bus, session())
    await Watch(bus).take()
    assert await missing(bus, session(), TOTP_SECRET="A" * 32) == ["second factor"]
    (told,) = await promoted(bus, session(), settings(LIVE_ACK=""))
    assert "LIVE_ACK" in told.told
