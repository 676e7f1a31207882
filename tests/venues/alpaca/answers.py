"""The account, its positions, the clock and the calendar as the venue tells them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.venues.alpaca.assets import Asset
from tests.venues.alpaca.books import Books, Position
from tests.venues.alpaca.calendar import EASTERN, Calendar, Session
from tests.venues.alpaca.gates import Standing, buying_power
from tests.venues.alpaca.orders import Order, plain
from tests.venues.market import Market

ACCOUNT_ID = str(uuid5(NAMESPACE_URL, "account"))


@dataclass
class Configuration:
    """What the user has set; `suspend_trade` shows as `trade_suspended_by_user` on the account."""

    fractional_trading: bool = True
    max_margin_multiplier: str = "1"
    no_shorting: bool = True
    suspend_trade: bool = False
    trade_confirm_email: str = "all"
    ptp_no_exception_entry: bool = False


def account(books: Books, standing: Standing, market: Market) -> dict[str, Any]:
    """The answer of /v2/account, without the fields that the venue has removed."""
    worth = sum((_value(position, market) for position in books.positions.values()), Decimal(0))
    cash, power = plain(books.cash), plain(buying_power(books, standing))
    return {
        "id": ACCOUNT_ID,
        "account_number": "PA0TEST00001",
        "status": standing.status,
        "crypto_status": standing.crypto_status,
        "crypto_tier": standing.crypto_tier,
        "currency": "USD",
        "cash": cash,
        "buying_power": power,
        "regt_buying_power": power,
        "non_marginable_buying_power": plain(buying_power(books, standing, crypto=True)),
        "portfolio_value": plain(books.cash + worth),
        "equity": plain(books.cash + worth),
        "last_equity": plain(books.cash + worth),
        "long_market_value": plain(worth),
        "short_market_value": "0",
        "position_market_value": plain(worth),
        "initial_margin": "0",
        "maintenance_margin": "0",
        "last_maintenance_margin": "0",
        "sma": "0",
        "accrued_fees": "0",
        "multiplier": plain(standing.multiplier),
        "shorting_enabled": False,
        "trading_blocked": standing.trading_blocked,
        "transfers_blocked": False,
        "account_blocked": standing.account_blocked,
        "trade_suspended_by_user": standing.trade_suspended_by_user,
        "created_at": "2024-01-02T15:04:05.000000Z",
        "balance_asof": "2024-01-02",
    }


def position(held: Position, books: Books, market: Market) -> dict[str, Any]:
    """One position; a pair has lost its slash here."""
    asset, value = held.asset, _value(held, market)
    price = market.last.get(asset.symbol)
    gain = value - held.cost
    share = plain(gain / held.cost) if held.cost else "0"
    return {
        "asset_id": asset.id,
        "symbol": asset.position_symbol,
        "exchange": asset.exchange,
        "asset_class": asset.kind,
        "asset_marginable": not asset.is_crypto,
        "qty": plain(held.qty),
        "qty_available": plain(held.qty - books.held_qty(asset)),
        "avg_entry_price": plain(held.cost / held.qty),
        "side": "long",
        "market_value": plain(value),
        "cost_basis": plain(held.cost),
        "unrealized_pl": plain(gain),
        "unrealized_plpc": share,
        "unrealized_intraday_pl": plain(gain),
        "unrealized_intraday_plpc": share,
        "current_price": plain(price),
        "lastday_price": plain(price),
        "change_today": "0",
    }


def order(told: Order, books: Books, *, nested: bool = True) -> dict[str, Any]:
    """An order with its legs, or without."""
    legs = [books.orders[leg].told() for leg in told.legs] if nested else []
    return told.told() | {"legs": legs or None}


def clock(now: datetime, calendar: Calendar) -> dict[str, Any]:
    """The answer of /v2/clock, in Eastern time."""
    return {
        "timestamp": now.astimezone(EASTERN).isoformat(),
        "is_open": calendar.is_open(now),
        "next_open": calendar.next_open(now).isoformat(),
        "next_close": calendar.next_close(now).isoformat(),
    }


def trading_day(session: Session) -> dict[str, str]:
    """A day of /v2/calendar; the times are Eastern."""
    return {
        "date": session.day.isoformat(),
        "open": f"{session.opens:%H:%M}",
        "close": f"{session.closes:%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": session.day.isoformat(),
    }


def asset_named(assets: dict[str, Asset], name: str) -> Asset | None:
    """The asset of that symbol, with or without the slash, or of that id."""
    return next((a for a in assets.values() if name in (a.symbol, a.position_symbol, a.id)), None)


def _value(held: Position, market: Market) -> Decimal:
    return held.qty * market.last.get(held.asset.symbol, held.cost / held.qty)
