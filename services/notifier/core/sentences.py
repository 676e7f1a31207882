"""One function a type of fact: what it says to people, without the session's name and the time."""

from collections.abc import Callable
from typing import Any, NamedTuple

from services.notifier.core.message import Severity
from services.notifier.core.wording import amount, brief, count, money, percent
from shared.schemas.values import Mode

_MODES: dict[Mode, str] = {"dry_run": "dry run", "testnet": "testnet", "live": "LIVE, with real money"}
_HALTS = {"kill": "KILLED", "pause": "paused", "limit": "halted by a limit"}


class Told(NamedTuple):
    """A sentence and how much it matters."""

    severity: Severity
    sentence: str


def _started(event: Any, quote: str) -> Told:
    config = event.details.config
    symbols = ", ".join(config.symbols)
    return Told(
        "info",
        f"session started, {_MODES[event.details.mode]} on {config.venue} with "
        f"{money(config.initial_capital, quote)}: {symbols}, {config.timeframe} bars",
    )


def _ended(event: Any, quote: str) -> Told:
    account, end = event.metrics, event.details
    initial = account.equity - account.pnl
    share = f" ({percent(account.pnl / initial, signed=True)})" if initial > 0 else ""
    held = count(end.open_positions, "open position")
    return Told(
        {"success": "info", "killed": "warning", "failed": "critical"}[event.status],  # type: ignore[arg-type]
        f"session ended, {event.status} ({brief(end.reason)}): equity {money(account.equity, quote)}, "
        f"{'loss' if account.pnl < 0 else 'profit'} {money(abs(account.pnl), quote)}{share}, "
        f"{count(account.trades, 'trade')}, {account.wins} won, {account.losses} lost, "
        f"worst drawdown {percent(account.max_drawdown)}, fees {money(account.fees, quote)}, {held}",
    )


def _halted(event: Any, _: str) -> Told:
    halt = event.details
    by = f" by {halt.operator}" if halt.operator else ""
    everything = ", every session" if halt.scope == "stack" else ""
    severity: Severity = "warning" if halt.kind == "pause" else "critical"
    return Told(severity, f"trading {_HALTS[halt.kind]}{by}{everything}: {brief(halt.reason)}")


def _resumed(event: Any, _: str) -> Told:
    everything = ", every session" if event.details.scope == "stack" else ""
    return Told("warning", f"trading resumed by {event.details.operator}{everything}: {brief(event.details.reason)}")


def _breached(event: Any, _: str) -> Told:
    breach = event.details
    return Told("critical", f"limit {breach.limit} breached: {brief(breach.observed)} seen, {breach.bound} allowed")


def _confirmed(event: Any, _: str) -> Told:
    account = event.details
    held = ", ".join(f"{amount(holding.qty)} {holding.symbol}" for holding in account.holdings)
    shown = f"the venue shows {count(len(account.open_orders), 'open order')} and {held or 'no holdings'}"
    if event.status == "success":
        return Told("warning", f"kill confirmed: {shown}")
    return Told("critical", f"kill NOT confirmed, look at the venue yourself: {shown}")


def _engaged(event: Any, _: str) -> Told:
    return Told("critical", f"{brief(event.details.reason)}: the guard cancels and flattens at the venue itself")


def _limit_changed(event: Any, _: str) -> Told:
    change = event.details
    told = f"{change.limit} is {change.after} now, was {change.before}, by {change.operator}: {brief(change.reason)}"
    return Told("warning", told)


def _flattening(event: Any, _: str) -> Told:
    return Told("warning", f"closing every position, asked by {event.details.operator}: {brief(event.details.reason)}")


def _command_refused(event: Any, _: str) -> Told:
    command = event.details
    by = f" by {command.operator}" if command.operator else ""
    return Told("warning", f"command {command.command}{by} not carried out: {brief(command.reason)}")


def _order_refused(event: Any, quote: str) -> Told:
    order, refusal = event.order, event.details
    limits = f": {refusal.observed} seen, {refusal.limit} allowed" if refusal.limit and refusal.observed else ""
    wanted = f"{order.side} {amount(order.qty)} {order.symbol} at about {amount(order.reference_price)} {quote}"
    return Told("warning", f"order refused by rule {refusal.rule}: {wanted} ({order.strategy}){limits}")


def _order_released(event: Any, quote: str) -> Told:
    order = event.order
    wanted = f"{order.side} {amount(order.qty)} {order.symbol} at about {amount(order.reference_price)} {quote}"
    return Told("warning", f"sent without the guard, which is silent, for it only reduces: {wanted} ({order.strategy})")


def _order_rejected(event: Any, _: str) -> Told:
    order = event.order
    wanted = f"{order.side} {amount(order.qty)} {order.symbol}"
    return Told("warning", f"venue rejected the order to {wanted} ({order.strategy}): {brief(event.details.reason)}")


def _order_unknown(event: Any, _: str) -> Told:
    order = event.order
    wanted = f"{order.side} {amount(order.qty)} {order.symbol}"
    return Told("critical", f"fate of the order to {wanted} is unknown: {brief(event.details.reason)}")


def _error(event: Any, _: str) -> Told:
    severity: Severity = "critical" if event.level == "error" else "warning"
    return Told(severity, f"error in {event.service}, {event.details.where}: {brief(event.error)}")


def _lost(event: Any, _: str) -> Told:
    why = f": {brief(event.message)}" if event.message else ""
    return Told("warning", f"{event.service} lost its connection to {event.details.peer}{why}")


def _restored(event: Any, _: str) -> Told:
    after = f" after {event.duration_seconds:.1f} s" if event.duration_seconds is not None else ""
    return Told("info", f"{event.service} is connected to {event.details.peer} again{after}")


def _checked(event: Any, _: str) -> Told:
    return Told("critical", f"check {event.details.name} failed in {event.phase}: {brief(event.details.observed)}")


def _reconciled(event: Any, _: str) -> Told:
    severity: Severity = "critical" if event.details.confirmed else "warning"
    return Told(severity, f"the venue's books are not ours: {brief(event.message)}")


def _repaired(event: Any, _: str) -> Told:
    repair = event.details
    done = "repaired" if event.status == "success" else "could not be repaired"
    where = f"{repair.source}, line {repair.line}" if repair.line else repair.source
    return Told("warning", f"input {done} by rule {repair.rule}: {where}, {count(repair.count, 'time')}")


def _reported(event: Any, _: str) -> Told:
    return Told("info", f"report written: {event.details.path}")


SENTENCES: dict[str, Callable[[Any, str], Told]] = {
    "runner_start": _started,
    "runner_end": _ended,
    "trading_halted": _halted,
    "trading_resumed": _resumed,
    "limit_breached": _breached,
    "backstop_engaged": _engaged,
    "limit_changed": _limit_changed,
    "kill_confirmed": _confirmed,
    "flatten_ordered": _flattening,
    "command_refused": _command_refused,
    "order_refused": _order_refused,
    "order_released": _order_released,
    "order_rejected": _order_rejected,
    "order_unknown": _order_unknown,
    "error": _error,
    "connection_lost": _lost,
    "connection_restored": _restored,
    "checkpoint": _checked,
    "autocorrect_attempt": _repaired,
    "account_reconciled": _reconciled,
    "report_ready": _reported,
}
"""Facts that are told by themselves; each function takes the event and the session's quote currency."""
