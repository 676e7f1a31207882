"""Setting up the second factor."""

from services.risk.second_factor import enrolment_uri, new_secret


def enrol(account: str) -> int:
    """Print a new secret as the URI for an authenticator app and as the line for `.env`; answers the exit status."""
    secret = new_secret()
    print("1. Add this to your authenticator app:\n")
    print(f"   {enrolment_uri(secret, account)}\n")
    print("2. Put this line into .env and restart the guard; from then on resume and flatten ask for a code:\n")
    print(f"   TOTP_SECRET={secret}")
    return 0
