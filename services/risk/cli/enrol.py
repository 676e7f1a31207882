"""Setting up the second factor."""

import sys
from io import StringIO

import segno

from services.risk.second_factor import enrolment_uri, new_secret

_WHITE_ON_BLACK, _AS_BEFORE = "\033[97;40m", "\033[0m"
_QUIET_ZONE = 2
"""Light modules around the code; fewer, and cameras do not find it."""


def enrol(account: str) -> int:
    """Print a new secret as a QR code and URI for an authenticator app, and as the line for `.env`; the exit status."""
    secret = new_secret()
    uri = enrolment_uri(secret, account)
    print("1. Scan this with your authenticator app:\n")
    print(qr_code(uri, coloured=sys.stdout.isatty()))
    print(f"   or add it by hand: {uri}\n")
    print("2. Put this line into the guard's .env and restart the guard; from then on it asks for a code before it")
    print("   resumes, flattens, raises a limit or goes live:\n")
    print(f"   TOTP_SECRET={secret}")
    return 0


def qr_code(text: str, coloured: bool) -> str:
    """The QR code of `text` in half blocks, the filled ones light; `coloured` makes them so on any terminal."""
    drawn = StringIO()
    segno.make_qr(text, error="m").terminal(drawn, border=_QUIET_ZONE, compact=True)
    before, after = (_WHITE_ON_BLACK, _AS_BEFORE) if coloured else ("", "")
    return "".join(f"   {before}{line}{after}\n" for line in drawn.getvalue().splitlines())
