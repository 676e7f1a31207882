"""The plain loop that a backtest is held against: EMA 12/26, exact orders, five typed events a trade, and no more.

It knows no guard, no venue and no session: a cross is sized at the close and filled at the next open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from shared.schemas.envelope import Event
from shared.schemas.orders import (
    Approval,
    Fill,
    OrderAccepted,
    OrderApproved,
    OrderFilled,
    OrderIntended,
    OrderState,
    OrderSubmitted,
    Ticket,
)
from shared.schemas.values import OrderType, Side

FEE = Decimal("0.00001")
LOT = Decimal("0.00001")
SHARE = Decimal("0.95")
SESSION = str(uuid5(NAMESPACE_OID, "reference"))
START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Account:
    """What the loop trades with."""

    cash: Decimal = Decimal(10_000)
    qty: Decimal = Decimal(0)
    trades: int = 0


def loop(opens: Sequence[str], closes: Sequence[float]) -> tuple[Account, list[Event]]:
    """Trade the closes; orders fill at the exact opens. Answers the account and all events."""
    account, events = Account(), []
    fast = slow = closes[0]
    wanted: Side | None = None
    for bar, close in enumerate(closes):
        if wanted is not None:
            events += traded(account, wanted, bar, Decimal(opens[bar]), Decimal(repr(closes[bar - 1])))
            wanted = None
        was_above, was_below = fast > slow, fast < slow
        fast += (close - fast) * 2 / 13
        slow += (close - slow) * 2 / 27
        if bar >= 25:
            if fast > slow and not was_above and not account.qty:
                wanted = Side.BUY
            elif fast < slow and not was_below and account.qty:
                wanted = Side.SELL
    return account, events


def traded(account: Account, side: Side, bar: int, price: Decimal, decided: Decimal) -> list[Event]:
    """One order from its intent to its fill: the account moves, and five events tell of it."""
    lots = (account.cash * SHARE / decided / LOT).to_integral_value(ROUND_FLOOR)
    qty = lots * LOT if side is Side.BUY else account.qty
    account.trades += 1
    ticket = Ticket(
        client_order_id=f"r-{account.trades}",
        strategy="ema",
        symbol="BTCUSDT",
        side=side,
        type=OrderType.MARKET,
        qty=qty,
        reference_price=decided,
        reduce_only=side is Side.SELL,
        purpose="entry" if side is Side.BUY else "exit",
    )
    fee = qty * price * FEE
    account.cash += (qty * price if side is Side.SELL else -qty * price) - fee
    account.qty += qty if side is Side.BUY else -qty
    known: dict[str, Any] = {
        "client_order_id": ticket.client_order_id,
        "strategy": "ema",
        "symbol": "BTCUSDT",
        "side": side,
        "qty": qty,
    }
    fill = Fill(
        **known,
        trade_id=f"p-{account.trades}",
        price=price,
        fee=fee,
        fee_asset="USDT",
        liquidity="taker",
        status="filled",
        leaves_qty=Decimal(0),
        reference_price=decided,
    )
    at = START + bar * MINUTE
    approval = Approval(
        intent_id=_name(bar, "order_intended"), expires_at=at, epoch=1, signer="nobody", signature="none"
    )
    accepted = OrderState(**known, status="accepted", filled_qty=Decimal(0))
    return [
        OrderIntended(order=ticket, **_envelope(bar, "order_intended", at)),
        OrderApproved(order=ticket, details=approval, **_envelope(bar, "order_approved", at)),
        OrderSubmitted(order=ticket, **_envelope(bar, "order_submitted", at)),
        OrderAccepted(order=accepted, **_envelope(bar, "order_accepted", at)),
        OrderFilled(order=fill, **_envelope(bar, "order_filled", at + MINUTE)),
    ]


def _name(bar: int, label: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"{bar}:{label}"))


def _envelope(bar: int, label: str, at: datetime) -> dict[str, Any]:
    name = _name(bar, label)
    return {
        "timestamp": at,
        "market_time": at,
        "session_id": SESSION,
        "id": name,
        "correlation_id": name,
        "causation_id": name,
        "service": "runner",
        "phase": "api_phase",
    }
