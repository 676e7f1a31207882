"""Whether the session may be traded in this mode at all, and has the keys for it."""

from services.runner.core.plan import Plan
from services.runner.preflight.finding import Finding, failed, passed, warned
from shared.schemas.session import SessionConfig
from shared.schemas.values import Mode
from shared.venues.connecting import Keys

_GOES_TO: dict[Mode, str] = {
    "dry_run": "the paper venue",
    "testnet": "{venue}'s account for tests",
    "live": "{venue}, with real money",
}


def mode(mode: Mode, venue: str, obstacle: str | None) -> Finding:
    """Where orders go, or the `obstacle` to that."""
    if obstacle:
        return failed("mode", f"{mode}: {obstacle}", "change the session file or the settings named")
    return passed("mode", f"{mode}: orders go to {_GOES_TO[mode].format(venue=venue)}")


def keys(wanted: Keys | None) -> Finding:
    """Whether the settings that are needed are there; None for a mode that needs no key."""
    if wanted is None:
        return passed("keys", "none needed in a dry run")
    key, secret = wanted.names
    if not wanted.present:
        return failed("keys", f"{key} and {secret} are not set", f"set {key} and {secret}, {wanted.advice}")
    return passed("keys", f"{key} and {secret} are set")


def warmup(prepared: Plan) -> Finding:
    """Whether the history that the session asks for is enough for its strategies to speak."""
    config: SessionConfig = prepared.config
    told = f"{config.warmup_bars} bars of history; the strategies need {prepared.warmup_needed}"
    if config.warmup_bars >= prepared.warmup_needed:
        return passed("warm-up", told)
    missing = prepared.warmup_needed - config.warmup_bars
    return warned("warm-up", told, f"raise warmup_bars, or wait {missing} bars for the last strategy to speak")
