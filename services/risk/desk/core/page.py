"""The page's sections, each a document of its own, so that only what has changed is sent."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from services.risk.core.stack import Stack
from services.risk.core.state import NOT_ENABLED, Guard
from services.risk.core.usage import Use, limits_in_use
from services.risk.desk.core.venue import VenueHealth
from services.risk.desk.core.view import Beat, DeskView, Session
from shared.schemas.guard import Halt
from shared.schemas.values import SERVICES, iso, plain

Sections = Mapping[str, Mapping[str, Any]]
_SHARES = frozenset(
    {
        "max_risk_per_trade",
        "max_position_size",
        "daily_loss_limit",
        "max_open_exposure",
        "max_drawdown_limit",
        "max_slippage",
    }
)
_TIMES = frozenset({"max_data_age", "max_unknown_age"})
OFTEN, RARELY = 20, 50
"""Seconds after which a heartbeat is overdue: more than three times as long as it takes to the next one."""


class Surroundings(NamedTuple):
    """What the page shows and no fact tells: since when the guard stands, the time, its settings, what ails its bus."""

    up_since: datetime
    now: datetime
    asks_code: bool
    problem: str | None = None


def sections(view: DeskView, stack: Stack, around: Surroundings) -> Sections:
    """All of the page but the feed."""
    found: dict[str, Mapping[str, Any]] = {
        "status": _status(stack, around),
        "services": {name: _service(view, name) for name in SERVICES},
        "venue": _venue(view.venue),
    }
    for name, session in view.sessions.items():
        guard = stack.guards.get(name)
        found[f"session:{name}"] = _session(session, guard)
        if guard is not None:
            found[f"book:{name}"] = _book(guard, around.now)
        if session.curve:
            found[f"curve:{name}"] = _curve(session)
    return found


def _venue(venue: VenueHealth) -> Mapping[str, Any]:
    return {
        "errors": venue.errors,
        "last_error": venue.last_error,
        "last_error_at": _instant(venue.last_error_at),
        "down": {peer: iso(at) for peer, at in venue.down.items()},
        "latency_ms": venue.latency_ms,
        "books": {"at": iso(venue.books.at), "agree": venue.books.agree} if venue.books else None,
    }


def state_of(stack: Stack) -> tuple[str, Halt | None]:
    """running, paused, stopped or killed, and the halt behind it."""
    if stack.halt is not None:
        return _word(stack.halt), stack.halt
    started = [guard for guard in stack.guards.values() if guard.started_by]
    halts = [guard.halt for guard in started if guard.halt is not None]
    if not started:
        return "stopped", None
    if len(halts) < len(started):
        return "running", None
    strongest = max(halts, key=lambda halt: ("limit", "pause", "kill").index(halt.kind))
    return _word(strongest), strongest


def _word(halt: Halt) -> str:
    return {"kill": "killed", "pause": "paused", "limit": "stopped"}[halt.kind]


def _status(stack: Stack, around: Surroundings) -> Mapping[str, Any]:
    state, halt = state_of(stack)
    killed = [guard for guard in stack.guards.values() if guard.venue.kill is not None]
    return {
        "state": state,
        "halt": _halt(halt),
        "can_resume": stack.halt is not None or bool(stack.halted_sessions()),
        "unconfirmed": [_name(guard) for guard in killed if not guard.venue.confirmed],
        "confirmed": [_name(guard) for guard in killed if guard.venue.confirmed],
        "up_since": iso(around.up_since),
        "asks_code": around.asks_code,
        "problem": around.problem,
    }


def _name(guard: Guard) -> str:
    return guard.config.name if guard.config else guard.session_id


def _halt(halt: Halt | None) -> Mapping[str, Any] | None:
    return None if halt is None else {"kind": halt.kind, "reason": halt.reason, "operator": halt.operator}


def _service(view: DeskView, name: str) -> Mapping[str, Any]:
    """A service's last heartbeat and when the next is overdue; of the runners, the one that has been silent longest."""
    running = [session for session in view.sessions.values() if session.ended_at is None]
    if name != "runner":
        often = name == "risk" and bool(running)
        return {"expected": True, "overdue_seconds": OFTEN if often else RARELY, **_beat(view.beats.get(name))}
    beats = [session.beat for session in running]
    silent = None if None in beats else min(filter(None, beats), default=None, key=lambda beat: beat.at)
    return {"expected": bool(running), "overdue_seconds": OFTEN, **_beat(silent)}


def _beat(beat: Beat | None) -> Mapping[str, Any]:
    return {"at": iso(beat.at) if beat else None, "uptime_seconds": beat.uptime_seconds if beat else None}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _session(session: Session, guard: Guard | None) -> Mapping[str, Any]:
    config = session.start.config
    return {
        "id": session.id,
        "name": config.name,
        "mode": session.start.mode,
        "venue": config.venue,
        "strategies": [entry.label or entry.name for entry in config.strategies],
        "symbols": list(config.symbols),
        "quote": config.quote,
        "initial_capital": plain(config.initial_capital),
        "status": _session_status(session, guard),
        "halt": _halt(guard.halt) if guard and guard.halt != NOT_ENABLED else None,
        "phase": session.phase,
        "heard_at": iso(session.beat.at) if session.beat else None,
        "started_at": iso(session.started_at),
        "ended_at": _instant(session.ended_at),
        "market_time": _instant(session.market_time),
        "equity": plain(session.equity),
        "pnl": plain(session.pnl),
        "drawdown": plain(session.drawdown),
        "trades": session.trades,
        "wins": session.wins,
    }


def _curve(session: Session) -> Mapping[str, Any]:
    points = [[iso(point.at), plain(point.equity)] for point in session.curve]
    if session.market_time is not None and session.market_time > session.curve[-1].at:
        points.append([iso(session.market_time), plain(session.equity)])
    return {"points": points}


def _session_status(session: Session, guard: Guard | None) -> str:
    if session.ended_at is not None or guard is None or guard.halt in (None, NOT_ENABLED):
        return session.status
    assert guard.halt is not None
    return _word(guard.halt)


def _book(guard: Guard, now: datetime) -> Mapping[str, Any]:
    account = guard.portfolio
    return {
        "positions": [
            {
                "strategy": strategy,
                "symbol": symbol,
                "qty": plain(held.qty),
                "entry_price": _rounded(held.entry_price) if held.bought_qty else None,
                "price": plain(account.closes[symbol]),
                "value": _rounded(held.qty * account.closes[symbol]),
                "pnl": _rounded(held.qty * account.closes[symbol] - held.value) if held.bought_qty else None,
                "opened_at": iso(held.opened_at),
            }
            for (strategy, symbol), held in account.positions.items()
        ],
        "orders": [
            {
                "id": order.ticket.client_order_id,
                "symbol": order.ticket.symbol,
                "side": order.ticket.side.value,
                "type": order.ticket.type.value,
                "purpose": order.ticket.purpose,
                "qty": plain(order.ticket.qty),
                "leaves": plain(order.leaves),
                "price": plain(order.ticket.price or order.ticket.stop_price or order.ticket.reference_price),
            }
            for order in guard.book.working.values()
        ],
        "limits": [_limit(use) for use in limits_in_use(guard, now)],
    }


def _rounded(amount: Decimal) -> str:
    return plain(round(amount, 8))


def _limit(use: Use) -> Mapping[str, Any]:
    return {
        "limit": use.limit,
        "bound": use.bound,
        "used": use.used,
        "unit": "share" if use.limit in _SHARES else "time" if use.limit in _TIMES else "count",
        "share": plain(round(use.share, 4)) if use.share is not None else None,
        "headroom": use.headroom,
    }
