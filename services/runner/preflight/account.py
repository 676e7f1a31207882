"""Whether an account and its key are fit to trade with: enough rights, none too many, and enough money."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from services.runner.preflight.finding import Finding, failed, passed, spelled, warned
from shared.schemas.identity import ORDER_PREFIX
from shared.schemas.session import SessionConfig
from shared.venues.standing import Listing, Rights, Standing

_MANY = 5


def rights(rights: Rights) -> Sequence[Finding]:
    """What the key may do: trade, and not take funds away."""
    return (_removal(rights), _trading(rights), *_address(rights), *_beyond(rights))


def _removal(rights: Rights) -> Finding:
    if rights.removals is None:
        advice = "see in the venue's own key settings that it may neither withdraw nor transfer"
        return warned("key: withdrawal", f"not checked: {rights.untold}", advice)
    if rights.removals:
        advice = "take these rights from the key, or make a new key without them"
        return failed("key: withdrawal", f"the key may remove funds: {', '.join(rights.removals)}", advice)
    return passed("key: withdrawal", "the key may neither withdraw nor transfer")


def _trading(rights: Rights) -> Finding:
    if rights.trades is None:
        advice = "the first order tells; see in the venue's own key settings that it may trade"
        return warned("key: trading", f"not checked: {rights.untold}", advice)
    if not rights.trades:
        return failed("key: trading", "the key may not trade spot", "give the key the right to trade spot")
    return passed("key: trading", "the key may trade spot")


def _address(rights: Rights) -> Sequence[Finding]:
    if rights.bound is None:
        return ()
    if rights.bound:
        return (passed("key: addresses", "the key works from named addresses only"),)
    advice = "restrict the key to this machine's address in the venue's key settings"
    return (warned("key: addresses", "whoever has the key can use it from any address", advice),)


def _beyond(rights: Rights) -> Sequence[Finding]:
    if not rights.beyond:
        return ()
    advice = "take the rights that spot trading does not need from the key"
    return (warned("key: other rights", f"the key may do more than trade spot: {', '.join(rights.beyond)}", advice),)


def status(standing: Standing) -> Finding:
    """Whether the venue lets the account trade."""
    if standing.blocks:
        told = f"the account may not trade: {', '.join(standing.blocks)}"
        return failed("account", told, "see the venue's messages to you, or ask its support")
    return passed("account", "the account may trade")


def balance(config: SessionConfig, standing: Standing, *, begins: bool) -> Finding:
    """Whether the account has what the session may spend; one that is under way has spent some of it."""
    free, quote, needed = standing.free.get(config.quote, Decimal(0)), config.quote, config.initial_capital
    told = f"{spelled(free)} {quote} free; the session may use {spelled(needed)} {quote}"
    if free < needed and not begins:
        return passed("balance", f"{told}, and is under way with the rest")
    if free < needed:
        return failed("balance", told, f"pay in {quote}, or lower `initial_capital` to what is there")
    return passed("balance", told)


def holdings(before: Mapping[str, Decimal], listings: Mapping[str, Listing]) -> Finding:
    """What the account holds already of each symbol's base asset."""
    held = ", ".join(f"{spelled(qty)} {listings[symbol].base}" for symbol, qty in before.items() if qty)
    return passed("holdings", f"{held}: left alone" if held else "nothing of the session's symbols")


def open_orders(names: Sequence[str]) -> Finding:
    """Whether others trade the session's symbols in the account, too."""
    if not names:
        return passed("open orders", "none in the session's symbols")
    ours = [name for name in names if name.startswith(ORDER_PREFIX)]
    foreign = [name for name in names if name not in ours]
    told = [f"{len(foreign)} not ours ({_few(foreign)})"] if foreign else []
    told += [f"{len(ours)} of another session of ours ({_few(ours)})"] if ours else []
    advice = "they are left alone, but they can take balance and fill; cancel them at the venue unless they are meant"
    return warned("open orders", ", ".join(told), advice)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_MANY]) + (", …" if len(names) > _MANY else "")
