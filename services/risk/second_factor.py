"""One-time codes (RFC 6238) as the second factor of critical commands."""

from binascii import Error as Base32Error
from datetime import datetime
from hmac import compare_digest

import pyotp

from services.risk.core.commands import SecondFactor
from shared.runtime.errors import SettingsError

_ISSUER = "Leitstand"


def second_factor(secret: str) -> SecondFactor:
    """The check of codes made from `secret`; a code counts in its own 30 seconds and the ones before and after."""
    totp = pyotp.TOTP(secret)
    try:
        totp.byte_secret()
    except (Base32Error, ValueError):
        raise SettingsError("TOTP_SECRET is not base32; make one with `python -m services.risk enrol-totp`") from None

    def step_of(code: str, at: datetime) -> int | None:
        present = int(totp.timecode(at))
        steps = (present - 1, present, present + 1)
        right = [step for step in steps if compare_digest(totp.generate_otp(step).encode(), code.encode())]
        return right[-1] if right else None

    return step_of


def new_secret() -> str:
    """A fresh secret of 160 bits, base32."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, account: str) -> str:
    """The otpauth URI that authenticator apps take."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)
