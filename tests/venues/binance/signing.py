"""Who is calling: API keys, signatures and timestamps."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from tests.venues.binance.refusal import LEGAL_WHOLE, Refusal, illegal, missing

DEFAULT_WINDOW = 5000
GREATEST_WINDOW = 60000
AHEAD = 1000
_SIGNATURE = re.compile(r"(^|&)signature=[^&]*")
_ENCODED = re.compile(r"^[A-Za-z0-9\-_.~!*'()%&=+,:@/]*$")


def signature_of(secret: str, payload: str) -> str:
    """HMAC SHA-256 in hexadecimal."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def read_parameters(query: str, body: str) -> dict[str, str]:
    """The parameters of a request, the query's before the body's. Refuses one that is sent twice."""
    found: dict[str, str] = {}
    for part in (query, body):
        pairs = parse_qsl(part, keep_blank_values=True)
        if len({name for name, _ in pairs}) < len(pairs):
            raise Refusal(-1101, "Duplicate values for a parameter detected.")
        found = {**dict(pairs), **found}
    return found


def check_signature(secret: str, query: str, body: str, parameters: Mapping[str, str]) -> None:
    """Refuse unless the signature is that of the text that came over the wire, percent-encoded as it has to be."""
    if not parameters.get("signature"):
        raise missing("signature")
    payload = _SIGNATURE.sub("", query) + _SIGNATURE.sub("", body)
    genuine = signature_of(secret, payload)
    if not _ENCODED.match(payload) or not hmac.compare_digest(genuine, parameters["signature"].lower()):
        raise Refusal(-1022, "Signature for this request is not valid.")


def check_sorted_signature(secret: str, parameters: Mapping[str, object]) -> None:
    """The same for the WebSocket API, which signs the parameters in alphabetical order."""
    given = str(parameters.get("signature") or "")
    if not given:
        raise missing("signature")
    payload = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()) if name != "signature")
    if not hmac.compare_digest(signature_of(secret, payload), given.lower()):
        raise Refusal(-1022, "Signature for this request is not valid.")


def check_time(parameters: Mapping[str, object], now: int) -> None:
    """Refuse a request whose timestamp is too old or lies ahead; times are milliseconds since 1970."""
    stamp = _whole("timestamp", parameters.get("timestamp"))
    window = _whole("recvWindow", parameters.get("recvWindow", DEFAULT_WINDOW))
    if window > GREATEST_WINDOW:
        raise Refusal(-1131, "recvWindow must be less than 60000.")
    if stamp >= now + AHEAD:
        raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - stamp > window:
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def _whole(name: str, value: object) -> int:
    if value in (None, ""):
        raise missing(name)
    if not re.match(LEGAL_WHOLE, str(value)):
        raise illegal(name, LEGAL_WHOLE)
    return int(str(value))
