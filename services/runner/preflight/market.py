"""Whether a venue's market can be traded on: its answer, its clock, its symbols and the orders that it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.runner.preflight.finding import Finding, failed, passed, unanswered, warned
from shared.schemas.session import SessionConfig
from shared.schemas.values import OrderType
from shared.venues.standing import Listing
from shared.venues.trouble import Fate, VenueError

CLOCK_BOUND = timedelta(seconds=1)
"""Binance refuses a request whose timestamp lies more than a second ahead of its clock ("Timing security")."""
CLOCK_MARGIN = timedelta(milliseconds=500)
"""Beyond half of the bound somebody should know."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a venue's clock, between two looks at ours."""

    asked: datetime
    shown: datetime
    answered: datetime

    @property
    def round_trip(self) -> timedelta:
        """How long the answer took."""
        return self.answered - self.asked

    @property
    def offset(self) -> timedelta:
        """How far our clock is ahead of the venue's, which was read midway: off by half a round trip at most."""
        return self.asked + self.round_trip / 2 - self.shown


def reached(venue: str, sight: Sight) -> Finding:
    """The venue has answered."""
    return passed("venue", f"{venue} answers within {_millis(sight.round_trip)}")


def unreached(error: VenueError) -> Finding:
    """The venue has not answered, or not as it should."""
    if error.fate is Fate.FATAL:
        return untold("venue", error)
    if error.retry_after:
        wait = f"it asks to stay away for {error.retry_after:.0f} s; wait, and see what else calls it from this address"
        return unanswered("venue", str(error), wait, error)
    setting = f"{error.venue.upper()}_BASE_URL"
    advice = f"check the network, the name server, a firewall or proxy, {setting} and the venue's status page"
    return unanswered("venue", f"no answer: {error}" if error.code is None else str(error), advice, error)


def clock(sight: Sight) -> Finding:
    """Whether our clock and the venue's agree, as far as the round trip lets one tell."""
    ahead = sight.offset >= timedelta(0)
    told = f"ours is {_millis(abs(sight.offset))} {'ahead' if ahead else 'behind'}, ± {_millis(sight.round_trip / 2)}"
    surely = abs(sight.offset) - sight.round_trip / 2
    advice = "synchronise this machine's clock (NTP, chrony) and try again"
    if surely > CLOCK_BOUND:
        return failed("clock", f"{told}; {_millis(CLOCK_BOUND)} is the bound", advice)
    if surely > CLOCK_MARGIN:
        return warned("clock", f"{told}; {_millis(CLOCK_BOUND)} is the bound", advice)
    if sight.round_trip / 2 > CLOCK_BOUND:
        return warned("clock", f"{told}: too slow an answer to tell", "find out what makes the connection slow")
    return passed("clock", told)


def symbols(config: SessionConfig, listings: Mapping[str, Listing]) -> Finding:
    """Whether the venue trades every symbol now, and in the session's quote currency."""
    unknown = [symbol for symbol in config.symbols if symbol not in listings]
    if unknown:
        return failed("symbols", f"the venue does not know {', '.join(unknown)}", "correct `symbols`")
    closed = [f"{symbol} ({listings[symbol].status})" for symbol in config.symbols if not listings[symbol].trading]
    if closed:
        advice = "wait until the venue trades them, or take them out of `symbols`"
        return failed("symbols", f"not traded now: {', '.join(closed)}", advice)
    foreign = [f"{each.symbol} ({each.quote})" for each in listings.values() if each.quote != config.quote]
    if foreign:
        told = f"not quoted in {config.quote}: {', '.join(foreign)}"
        return failed("symbols", told, "set `quote` to what they are priced in; one session has one quote currency")
    return passed("symbols", f"{', '.join(config.symbols)}: traded now, in {config.quote}")


def order_types(config: SessionConfig, listings: Mapping[str, Listing]) -> Finding:
    """Whether the venue takes every kind of order that the session may send."""
    needed = sent_types(config)
    missing = [
        f"{listing.symbol} has no {', '.join(type for type in needed if type not in listing.order_types)}"
        for listing in listings.values()
        if not listing.order_types.issuperset(needed)
    ]
    if missing:
        return failed("order types", "; ".join(missing), "change `orders.entry` or `orders.stop`, or the symbol")
    alone = [listing.symbol for listing in listings.values() if not listing.has_lists]
    if config.sizing.profit_distance and alone:
        told = (
            f"{', '.join(alone)}: no stop and take-profit as one; the runner takes profit when a bar closes beyond it"
        )
        return warned("order types", told, "know that a take-profit works only while the runner does; the stop always")
    return passed("order types", f"{', '.join(needed)}: taken for every symbol")


def sent_types(config: SessionConfig) -> Sequence[OrderType]:
    """The kinds of order that the session may send: positions are always closed by a market order."""
    entry = OrderType.LIMIT if config.orders.entry == "limit" else OrderType.MARKET
    stops = (OrderType(config.orders.stop),) if config.sizing.stop_distance else ()
    return tuple(dict.fromkeys((entry, OrderType.MARKET, *stops)))


def untold(name: str, error: VenueError) -> Finding:
    """The venue answers, and would not tell this."""
    if error.fate is Fate.FATAL:
        return failed(name, str(error), "check the key, its addresses and rights, and for which venue it was made")
    return unanswered(name, str(error), "try again; where it stays so, see the venue's status page", error)


def _millis(length: timedelta) -> str:
    return f"{length / timedelta(milliseconds=1):,.0f} ms"
