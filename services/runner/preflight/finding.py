"""What a check found, and what follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.runner.core.inputs import Check
from shared.schemas.values import Level
from shared.venues.trouble import Fate, VenueError

Verdict = Literal["pass", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the preflight: what was checked, what was `told` of it, and what to do unless all is well.

    `wait` says after how many seconds another look may find otherwise, None where it won't.
    """

    name: str
    verdict: Verdict
    told: str
    advice: str = ""
    wait: float | None = None

    @property
    def sentence(self) -> str:
        """What was found and what to do, in one line."""
        return f"{self.told}; {self.advice}" if self.advice else self.told


_AS_CHECK: Mapping[Verdict, tuple[Literal["pass", "fail"], Level]] = {
    "pass": ("pass", "info"),
    "warn": ("pass", "warning"),
    "FAIL": ("fail", "error"),
}


def as_check(finding: Finding) -> Check:
    """The finding as a session tells it."""
    status, level = _AS_CHECK[finding.verdict]
    return Check(finding.name, finding.sentence, status, level)


def passed(name: str, told: str) -> Finding:
    """All is well."""
    return Finding(name, "pass", told)


def warned(name: str, told: str, advice: str) -> Finding:
    """A session may begin, and somebody should know."""
    return Finding(name, "warn", told, advice)


def failed(name: str, told: str, advice: str, wait: float | None = None) -> Finding:
    """No session may begin like this."""
    return Finding(name, "FAIL", told, advice, wait)


def unanswered(name: str, told: str, advice: str, error: VenueError) -> Finding:
    """The venue did not answer a question, or refused it; no session may begin without its answer."""
    may_pass = error.fate in (Fate.RETRY, Fate.UNKNOWN)
    return failed(name, told, advice, (error.retry_after or 1.0) if may_pass else None)


def failures(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that forbid a session."""
    return tuple(finding for finding in findings if finding.verdict == "FAIL")


def refusal(session: str, findings: Iterable[Finding]) -> str:
    """Why `session` can't begin: every failed line."""
    lines = "; ".join(f"{finding.name}: {finding.sentence}" for finding in failures(findings))
    return f"{session} can't begin: {lines}"


def spelled(amount: Decimal) -> str:
    """An amount for people: thousands apart, no trailing zeros."""
    return f"{amount.normalize():,f}"


def percent(share: Decimal) -> str:
    """A share for people, to the fourth decimal of a per cent."""
    return f"{spelled(round(share * 100, 4))} %"
