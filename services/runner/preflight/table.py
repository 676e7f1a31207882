"""The findings for a person: aligned, in colour on a terminal, and told apart without it."""

import textwrap
from collections.abc import Iterator, Sequence

from services.runner.preflight.finding import Finding, Verdict

MARKS: dict[Verdict, str] = {"pass": "✓ pass", "warn": "! warn", "FAIL": "✗ FAIL"}
_COLOURS: dict[Verdict, str] = {"pass": "34", "warn": "33", "FAIL": "1;31"}
_GAP = "  "
_NARROWEST = 30


def table(findings: Sequence[Finding], *, colour: bool, width: int | None) -> str:
    """One line a finding, its advice below it, and the count at the end; wrapped at `width`, where there is one."""
    name = max((len(finding.name) for finding in findings), default=0)
    lines = [line for finding in findings for line in _lines(finding, name, colour, width)]
    return "\n".join([*lines, "", f"{_GAP}{_count(findings)}"])


def _lines(finding: Finding, name: int, colour: bool, width: int | None) -> Iterator[str]:
    mark = MARKS[finding.verdict]
    painted = f"\x1b[{_COLOURS[finding.verdict]}m{mark}\x1b[0m" if colour else mark
    indent = len(_GAP + mark + _GAP) + name + len(_GAP)
    texts = [finding.told, *([f"→ {finding.advice}"] if finding.advice else [])]
    wrapped = [line for text in texts for line in _wrapped(text, indent, width)]
    yield f"{_GAP}{painted}{_GAP}{finding.name:<{name}}{_GAP}{wrapped[0]}"
    for line in wrapped[1:]:
        yield f"{'':<{indent}}{line}"


def _wrapped(text: str, indent: int, width: int | None) -> Sequence[str]:
    if width is None:
        return [text]
    continued = "  " if text.startswith("→") else ""
    return textwrap.wrap(text, max(width - indent, _NARROWEST), subsequent_indent=continued) or [""]


def _count(findings: Sequence[Finding]) -> str:
    verdicts = [finding.verdict for finding in findings]
    return ", ".join(f"{verdicts.count(verdict)} {word}" for verdict, word in _WORDS.items())


_WORDS: dict[Verdict, str] = {"pass": "passed", "warn": "to know", "FAIL": "failed"}
