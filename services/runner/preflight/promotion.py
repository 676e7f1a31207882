"""Whether a session may trade real money: that is earned on the venue's testnet, not switched on."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.runner.preflight.finding import Finding, failed, passed, percent, warned
from shared.schemas.session import MOST_AT_RISK_LIVE, SessionConfig


class TrackRecord(NamedTuple):
    """What the stream holds of the same strategies at the same venue's testnet.

    `days` are those on which a bar was traded, UTC; `breached` says in words where an invariant did not hold.
    """

    days: frozenset[date] = frozenset()
    breached: tuple[str, ...] = ()


def promotion(config: SessionConfig, *, enrolled: bool, record: TrackRecord) -> Sequence[Finding]:
    """Each condition of trading real money, but for those that hold in every mode."""
    return _second_factor(enrolled), _at_risk(config), _days(config, record), _breaches(record)


def unacknowledged(*, dry_run: bool) -> Finding:
    """What keeps LIVE_TRADING=true from having any effect."""
    missing = "DRY_RUN=false" if dry_run else "LIVE_ACK=I_UNDERSTAND"
    return warned(
        "live trading", f"LIVE_TRADING=true has no effect without {missing}", f"set {missing}, if it is meant"
    )


def _second_factor(enrolled: bool) -> Finding:
    if enrolled:
        return passed("second factor", "the guard asks for one")
    advice = "run `python -m services.risk enrol-totp`, set TOTP_SECRET for the guard and start it anew"
    return failed("second factor", "the guard has none, or none ever stood: anybody could resume after a kill", advice)


def _at_risk(config: SessionConfig) -> Finding:
    share, most = config.risk.max_risk_per_trade, percent(MOST_AT_RISK_LIVE)
    if share is None:
        told = f"max_risk_per_trade is off; {most} is the ceiling with real money"
        return failed("ceiling", told, "set max_risk_per_trade")
    told = f"max_risk_per_trade {percent(share)}; {most} is the ceiling with real money"
    if share > MOST_AT_RISK_LIVE:
        return failed("ceiling", told, f"set max_risk_per_trade to {MOST_AT_RISK_LIVE} at most")
    return passed("ceiling", told)


def _days(config: SessionConfig, record: TrackRecord) -> Finding:
    wanted, seen = config.live.min_testnet_days, len(record.days)
    told = f"{seen} of {wanted} days with the same strategies at {config.venue}'s testnet"
    if seen >= wanted:
        return passed("testnet record", told)
    return failed("testnet record", told, "trade this session with LIVE_TRADING=false until the days are full")


def _breaches(record: TrackRecord) -> Finding:
    if not record.breached:
        return passed("invariants", "none was breached on the testnet")
    advice = (
        "find out why; the record of these strategies at this venue keeps it, so change them and earn the days anew"
    )
    return failed("invariants", "; ".join(record.breached[:3]), advice)
