"""A stop and a take-profit as one: Binance's order lists of which one order cancels the other (OCO).

Sources: "Order lists" among the trading endpoints, and "User Data Streams", of Binance's spot documentation. What one
of the two orders trades, even in part, ends the other; so executions of both are those of one order of ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.schemas.identity import leg_ids, order_of_leg
from shared.schemas.orders import Ticket
from shared.schemas.values import TimeInForce, plain
from shared.venues.binance import orders
from shared.venues.words import Executed, Shown, Standing, Word

REMEMBERED = 200
"""Of so many lists it is kept in mind which of their orders have ended."""


def request_of(ticket: Ticket) -> dict[str, str]:
    """The parameters of `POST /api/v3/orderList/oco`, for a sale: the take-profit above the market, the stop below."""
    assert ticket.take_profit is not None and ticket.stop_price is not None  # noqa: PT018 - what makes it a list
    stop, profit = leg_ids(ticket.client_order_id)
    request = {
        "symbol": ticket.symbol,
        "side": ticket.side.upper(),
        "quantity": plain(ticket.qty),
        "listClientOrderId": ticket.client_order_id,
        "aboveType": "LIMIT_MAKER",
        "aboveClientOrderId": profit,
        "abovePrice": plain(ticket.take_profit),
        "belowType": orders.TYPES[ticket.type],
        "belowClientOrderId": stop,
        "belowStopPrice": plain(ticket.stop_price),
        "newOrderRespType": "RESULT",
    }
    if ticket.price is not None:
        request |= {"belowPrice": plain(ticket.price), "belowTimeInForce": TimeInForce.GTC.upper()}
    return request


def answered(ticket: Ticket, answer: Mapping[str, Any]) -> Sequence[Word]:
    """What the answer to a list says: that it arrived. Neither of its orders can trade at once."""
    return (Shown(ticket.client_order_id, str(answer["orderListId"]), "working", Decimal(0)),)


def shown(ticket: Ticket, legs: Sequence[Mapping[str, Any]], trades: Iterable[Mapping[str, Any]]) -> Sequence[Word]:
    """What a look at both orders and at their trades says.

    As long as one of the two is worked so is the list, and its end is not told before both have ended.
    """
    name, venue_id = ticket.client_order_id, str(legs[0]["orderListId"])
    words: list[Word] = [Shown(name, venue_id, "working", Decimal(0))]
    words += [orders.traded(name, trade) for trade in trades]
    standings = [(orders.STANDINGS[leg["status"]], Decimal(leg["executedQty"])) for leg in legs]
    end = _end_of(standings)
    return (*words, Shown(name, venue_id, *end)) if end else tuple(words)


def _end_of(standings: Sequence[tuple[Standing, Decimal]]) -> tuple[Standing, Decimal] | None:
    """How a list has ended whose orders stand so, and how much it has filled; None while it is worked."""
    filled = sum((qty for _, qty in standings), Decimal(0))
    seen = {standing for standing, _ in standings}
    if "filled" in seen:
        return "filled", filled
    if "working" in seen:
        return None
    return next(standing for standing in ("cancelled", "expired", "rejected") if standing in seen), filled


class Legs:
    """What the stream reports of lists' orders, made into words about the lists.

    Which of a list's orders have ended is kept in mind until both have. What a stream that was cut left out is heard
    by asking, as for every order.
    """

    def __init__(self) -> None:
        self._ended: dict[str, dict[str, tuple[Standing, Decimal]]] = {}

    def heard(self, words: Sequence[Word], list_id: object) -> Sequence[Word]:
        """The words about orders, where they are about a list's as words about the list that the venue calls so."""
        return tuple(told for word in words for told in self._of_list(word, str(list_id)))

    def _of_list(self, word: Word, list_id: str) -> Sequence[Word]:
        name = order_of_leg(word.client_order_id)
        if name == word.client_order_id:
            return (word,)
        if isinstance(word, Executed):
            return (Executed(name, *_particulars(word)),)
        assert isinstance(word, Shown)
        if word.standing == "working":
            return (Shown(name, list_id, "working", word.filled_qty),)
        end = self._end(name, word)
        return (Shown(name, list_id, *end, word.reason),) if end else ()

    def _end(self, name: str, word: Shown) -> tuple[Standing, Decimal] | None:
        ended = self._ended.setdefault(name, {})
        ended[word.client_order_id] = (word.standing, word.filled_qty)
        working: list[tuple[Standing, Decimal]] = [("working", Decimal(0))] * (len(leg_ids(name)) - len(ended))
        end = _end_of([*ended.values(), *working])
        if end or len(self._ended) > REMEMBERED:
            del self._ended[name if end else next(iter(self._ended))]
        return end


def _particulars(word: Executed) -> tuple[Any, ...]:
    return word.trade_id, word.qty, word.price, word.fee, word.fee_asset, word.liquidity
