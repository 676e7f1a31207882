"""Setting up the second factor in a terminal."""

import re

import pyotp
import pytest
import segno

from services.risk.cli.enrol import enrol, qr_code
from services.risk.second_factor import second_factor
from shared.runtime import clock

_HALVES = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
"""The upper and the lower module of a character: 1 is a dark one."""


def modules(drawn: str) -> list[list[int]]:
    """The modules of a drawn code, from top to bottom."""
    rows: list[list[int]] = []
    for line in drawn.splitlines():
        pairs = [_HALVES[char] for char in line[3:]]
        rows += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    return rows


def test_enrolment_shows_a_code_to_scan_and_the_secret_that_the_guard_then_checks_by(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert enrol("anna") == 0
    shown = capsys.readouterr().out
    uri = re.search(r"otpauth://\S+", shown)
    assert uri is not None
    totp = pyotp.parse_uri(uri.group())
    assert isinstance(totp, pyotp.TOTP)
    assert (totp.issuer, totp.name) == ("Leitstand", "anna")
    assert qr_code(uri.group(), coloured=False) in shown
    secret = re.search(r"TOTP_SECRET=(\S+)", shown)
    assert secret is not None
    now = clock.now()
    assert second_factor(secret.group(1))(totp.at(now), now) is not None


def test_the_code_is_drawn_module_by_module_with_light_around_it() -> None:
    text = "otpauth://totp/Leitstand:anna?secret=JBSWY3DPEHPK3PXP&issuer=Leitstand"
    wanted = [[int(dark) for dark in row] for row in segno.make_qr(text, error="m").matrix_iter(border=2)]
    assert modules(qr_code(text, coloured=False))[: len(wanted)] == wanted


def test_on_a_terminal_each_line_of_the_code_brings_its_own_colours() -> None:
    lines = qr_code("x", coloured=True).splitlines()
    assert all(line.startswith("   \033[97;40m") and line.endswith("\033[0m") for line in lines)
