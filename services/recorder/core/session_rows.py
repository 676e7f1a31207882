"""A session's figures as a row of the table `sessions`."""

from services.recorder.core.table_rows import Cell, payload
from shared.domain.portfolio import Portfolio
from shared.domain.summary import Summary, percent, return_percent
from shared.schemas.lifecycle import SessionStart


def session_row(summary: Summary) -> dict[str, Cell] | None:
    """The session's row by column; None before it has started."""
    if summary.start is None or summary.portfolio is None:
        return None
    return _constant(summary.session_id, summary.start) | _told(summary) | _figures(summary.portfolio)


def _constant(session_id: str, start: SessionStart) -> dict[str, Cell]:
    config = start.config
    return {
        "session_id": session_id,
        "name": config.name,
        "mode": start.mode,
        "venue": config.venue,
        "quote": config.quote,
        "timeframe": config.timeframe,
        "symbols": list(config.symbols),
        "strategies": [entry.label or entry.name for entry in config.strategies],
        "market_start": start.market_start,
        "config": payload(config.model_dump_json().encode()),
    }


def _told(summary: Summary) -> dict[str, Cell]:
    return {
        "status": summary.status,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "market_time": summary.market_time,
        "last_updated": summary.last_updated,
        "phases_completed": len(summary.phases),
    }


def _figures(account: Portfolio) -> dict[str, Cell]:
    return {
        "initial_capital": account.initial_capital,
        "equity": account.equity,
        "exposure": account.exposure,
        "fees": account.fees,
        "roi": return_percent(account),
        "drawdown": percent(account.drawdown),
        "max_drawdown": percent(account.max_drawdown),
        "trades": account.trades,
        "wins": account.wins,
        "losses": account.losses,
    }
