"""Asks a venue for all that the checks judge; a question that it leaves unanswered is a finding itself."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from services.runner import metrics
from services.runner.core.plan import Plan
from services.runner.preflight import account as of_account
from services.runner.preflight import market as of_market
from services.runner.preflight.finding import Finding
from services.runner.preflight.market import Sight
from services.runner.preflight.sizes import order_sizes
from shared.runtime import clock
from shared.schemas.market import timeframe_of
from shared.schemas.session import Instrument
from shared.venues.live import Account, Market
from shared.venues.standing import Listing
from shared.venues.trouble import VenueError

LOOKS = 3
"""The quickest of so many looks tells the clock's offset best."""
_RECENT_BARS = 5


async def look_at_clock(market: Market) -> Sight:
    """The venue's clock beside ours."""
    asked = clock.now()
    shown = await market.server_time()
    sight = Sight(asked, shown, clock.now())
    metrics.CLOCK_OFFSET.labels(market.name).set(sight.offset.total_seconds())
    return sight


async def examine_market(prepared: Plan, market: Market) -> tuple[Sequence[Finding], Mapping[str, Listing] | None]:
    """What everybody may ask of the market, and its symbols as it lists them; None where it does not answer."""
    try:
        sights = [await look_at_clock(market) for _ in range(LOOKS)]
    except VenueError as error:
        return (of_market.unreached(error),), None
    sight = min(sights, key=lambda each: each.round_trip)
    found = [of_market.reached(market.name, sight), of_market.clock(sight)]
    try:
        listings = await market.listings()
    except VenueError as error:
        return (*found, of_market.untold("symbols", error)), {}
    found += [of_market.symbols(prepared.config, listings), of_market.order_types(prepared.config, listings)]
    if found[-2].verdict == "FAIL":
        return found, listings
    return (*found, await _sizes(prepared, market)), listings


async def _sizes(prepared: Plan, market: Market) -> Finding:
    try:
        rules = await market.instruments()
        return order_sizes(_with(prepared, rules), await _prices(prepared, market))
    except VenueError as error:
        return of_market.untold("order sizes", error)


def _with(prepared: Plan, rules: Mapping[str, Instrument]) -> Plan:
    config = prepared.config.model_copy(update={"instruments": dict(rules)})
    return Plan(prepared.session_id, config, prepared.strategies, prepared.sleeves)


async def _prices(prepared: Plan, market: Market) -> Mapping[str, Decimal]:
    config, now = prepared.config, clock.now()
    since = now - _recent(config.timeframe)
    found: dict[str, Decimal] = {}
    for symbol in config.symbols:
        candles = await market.history(symbol, since, now)
        if candles:
            found[symbol] = candles[-1].close
    return found


def _recent(timeframe: str) -> timedelta:
    return _RECENT_BARS * timeframe_of(timeframe)


async def examine_account(
    prepared: Plan, account: Account, listings: Mapping[str, Listing], begins: bool
) -> Sequence[Finding]:
    """What the account's key can ask: its rights, the balances, and what is open."""
    config = prepared.config
    try:
        await account.open()
        standing = await account.standing()
    except VenueError as error:
        return (of_market.untold("account", error),)
    found = [*of_account.rights(standing.rights), of_account.status(standing)]
    found.append(of_account.balance(config, standing, begins=begins))
    if set(config.symbols) - set(listings):
        return found
    try:
        found.append(of_account.holdings(await account.holdings(config.symbols), listings))
        found.append(of_account.open_orders(await account.open_orders(config.symbols)))
    except VenueError as error:
        found.append(of_market.untold("open orders", error))
    return found
