"""Whom the desk lets in: decisions on addresses, origins, tokens and attempts."""

from collections.abc import Mapping
from hmac import compare_digest
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TRIES, TRIES_OF_ALL = 5, 50
"""Wrong tokens that one address, and all addresses together, may show within the window."""
WINDOW_SECONDS = 60.0


def host_of(header: str) -> str:
    """The name in a Host header, without port and brackets; empty when it is malformed."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def host_allowed(header: str, has_token: bool) -> bool:
    """Without a token only loopback's own names: a page whose name was rebound to 127.0.0.1 shows its own."""
    return has_token or host_of(header) in LOOPBACK


def origin_allowed(origin: str | None, host: str) -> bool:
    """Browsers tell the origin; it must be the desk itself. Programs that tell none are no browser's victims."""
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def same(shown: str, secret: str) -> bool:
    """Whether both are equal, in constant time."""
    return compare_digest(shown.encode(), secret.encode())


def bearer(header: str | None) -> str | None:
    """The token in an Authorization header."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


class Attempts(NamedTuple):
    """When wrong tokens were shown within the last window, by address."""

    wrong: Mapping[str, tuple[float, ...]] = MappingProxyType({})

    def wait(self, address: str, now: float) -> float:
        """Seconds until `address` may try again, 0 for at once."""
        own = [at for at in self.wrong.get(address, ()) if at > now - WINDOW_SECONDS]
        everyone = sorted(at for tries in self.wrong.values() for at in tries if at > now - WINDOW_SECONDS)
        blocked = [own[-TRIES]] if len(own) >= TRIES else []
        blocked += [everyone[-TRIES_OF_ALL]] if len(everyone) >= TRIES_OF_ALL else []
        return max((at + WINDOW_SECONDS - now for at in blocked), default=0.0)

    def failed(self, address: str, now: float) -> "Attempts":
        """After one more wrong token; what lies before the window is forgotten."""
        fresh = {name: tuple(at for at in tries if at > now - WINDOW_SECONDS) for name, tries in self.wrong.items()}
        fresh[address] = (*fresh.get(address, ()), now)
        return Attempts({name: tries for name, tries in fresh.items() if tries})
