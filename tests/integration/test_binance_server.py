"""The Binance test server as a bare client sees it: answers, refusals and planned trouble."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.venues.binance import documented
from tests.venues.binance.account import harmless
from tests.venues.binance.raw_client import RECEIVE_SECONDS, RawClient, raw_client
from tests.venues.binance.server import BinanceServer
from tests.venues.faults import Fault
from tests.venues.market import candle

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
REST = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "95"}
STOP = REST | {"side": "SELL", "type": "STOP_LOSS_LIMIT", "price": "89", "stopPrice": "90"}
PLACE, QUERY, CANCEL = "POST /api/v3/order", "GET /api/v3/order", "DELETE /api/v3/order"
OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "1",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "110",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "90",
    "belowPrice": "89",
    "belowTimeInForce": "GTC",
}


def frozen_clock() -> int:
    return 1_800_000_000_000


@pytest.fixture
async def server() -> AsyncIterator[BinanceServer]:
    async with BinanceServer() as server:
        server.account.fund(USDT="1000", BTC="2", BNB="0")
        await server.market.play(candle("BTCUSDT", START, "100"))
        yield server


@pytest.fixture
async def client(server: BinanceServer) -> AsyncIterator[RawClient]:
    async with raw_client(server) as client:
        yield client


async def events(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    return [(await socket.receive_json(timeout=RECEIVE_SECONDS))["event"] for _ in range(count)]


async def test_the_public_answers_hold_what_the_documents_name(client: RawClient) -> None:
    info = (await client.open("/api/v3/exchangeInfo")).body
    assert set(info) >= documented.EXCHANGE_INFO
    assert set(info["symbols"][0]) >= documented.SYMBOL
    assert {found["filterType"] for found in info["symbols"][0]["filters"]} >= documented.FILTERS
    rows = (await client.open("/api/v3/klines", symbol="BTCUSDT", interval="1m")).body
    assert [len(row) for row in rows] == [12]
    ticker = (await client.open("/api/v3/ticker/24hr", symbol="BTCUSDT")).body
    assert set(ticker) >= documented.TICKER


async def test_an_orders_answers_hold_what_the_documents_name(client: RawClient) -> None:
    placed = (await client.signed(PLACE, **BUY)).body
    assert set(placed) >= documented.PLACED
    assert set(placed["fills"][0]) >= documented.FILL
    resting = (await client.signed(PLACE, **STOP, newOrderRespType="RESULT")).body
    assert documented.PLACED - {"fills"} | {"stopPrice"} <= set(resting)
    queried = (await client.signed(QUERY, symbol="BTCUSDT", orderId=placed["orderId"])).body
    assert set(queried) >= documented.QUERIED
    cancelled = (await client.signed(CANCEL, symbol="BTCUSDT", orderId=resting["orderId"])).body
    assert set(cancelled) >= documented.CANCELLED
    trades = (await client.signed("GET /api/v3/myTrades", symbol="BTCUSDT")).body
    assert set(trades[0]) >= documented.TRADE
    account = (await client.signed("GET /api/v3/account")).body
    assert set(account) >= documented.ACCOUNT
    rights = (await client.signed("GET /sapi/v1/account/apiRestrictions")).body
    assert set(rights) >= documented.RESTRICTIONS


async def test_an_order_without_a_wish_is_answered_by_its_kind(client: RawClient) -> None:
    assert "fills" in (await client.signed(PLACE, **BUY)).body
    assert "status" not in (await client.signed(PLACE, **STOP)).body


async def test_the_keys_permissions_can_be_missing_as_on_a_testnet(server: BinanceServer, client: RawClient) -> None:
    server.account.restrictions = None
    assert (await client.signed("GET /sapi/v1/account/apiRestrictions")).status == 404


@pytest.mark.parametrize(
    ("name", "parameters", "refusal"),
    [
        (PLACE, BUY | {"key": "unknown"}, (401, -2015, "Invalid API-key, IP, or permissions for action.")),
        (PLACE, BUY | {"secret": "wrong"}, (400, -1022, "Signature for this request is not valid.")),
        (PLACE, BUY | {"timestamp": 1}, (400, -1021, "Timestamp for this request is outside of the recvWindow.")),
        (PLACE, BUY | {"quantity": "100"}, (400, -2010, "Account has insufficient balance for requested action.")),
        (PLACE, BUY | {"quantity": "0.000001"}, (400, -1013, "Filter failure: LOT_SIZE")),
        (QUERY, {"symbol": "BTCUSDT", "orderId": 7}, (400, -2013, "Order does not exist.")),
        (CANCEL, {"symbol": "BTCUSDT", "orderId": 7}, (400, -2011, "Unknown order sent.")),
        ("DELETE /api/v3/openOrders", {"symbol": "BTCUSDT"}, (400, -2011, "Unknown order sent.")),
    ],
)
async def test_the_venue_refuses_in_its_own_words(
    client: RawClient, name: str, parameters: dict[str, Any], refusal: tuple[int, int, str]
) -> None:
    assert (await client.signed(name, **parameters)).refusal == refusal


async def test_a_request_without_a_key_is_refused(client: RawClient) -> None:
    assert (await client.open("/api/v3/account")).refusal[:2] == (401, -2014)


async def test_listen_keys_are_gone(client: RawClient) -> None:
    assert (await client.signed("POST /api/v3/userDataStream")).status == 410


async def test_a_filled_orders_id_sent_again_buys_twice(server: BinanceServer, client: RawClient) -> None:
    for _ in range(2):
        assert (await client.signed(PLACE, **BUY, newClientOrderId="mine")).status == 200
    assert len(server.account.exchange.books.trades) == 2


async def test_an_open_orders_id_sent_again_is_refused(client: RawClient) -> None:
    await client.signed(PLACE, **REST, newClientOrderId="mine")
    again = await client.signed(PLACE, **REST, newClientOrderId="mine")
    assert again.refusal == (400, -2010, "Duplicate order sent.")


async def test_an_order_is_found_by_the_clients_id(client: RawClient) -> None:
    await client.signed(PLACE, **REST, newClientOrderId="mine")
    found = (await client.signed(QUERY, symbol="BTCUSDT", origClientOrderId="mine")).body
    assert (found["status"], found["isWorking"]) == ("NEW", True)


async def test_of_two_linked_orders_the_stop_ends_the_other(server: BinanceServer, client: RawClient) -> None:
    placed = (await client.signed("POST /api/v3/orderList/oco", **OCO)).body
    assert set(placed) >= documented.LISTED
    assert [report["status"] for report in placed["orderReports"]] == ["NEW", "NEW"]
    await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "100", "90", "95"))
    books = server.account.exchange.books
    assert [order.status for order in books.orders.values()] == ["EXPIRED", "FILLED"]
    listed = (await client.signed("GET /api/v3/orderList", orderListId=placed["orderListId"])).body
    assert listed["listOrderStatus"] == "ALL_DONE"


async def test_linked_orders_at_wrong_prices_are_refused(client: RawClient) -> None:
    refused = await client.signed("POST /api/v3/orderList/oco", **OCO | {"abovePrice": "99"})
    assert refused.refusal[1:] == (-2010, "The relationship of the prices for the orders is not correct.")


async def test_a_replacement_whose_new_order_fails_has_cancelled_the_old_one(
    server: BinanceServer, client: RawClient
) -> None:
    old = (await client.signed(PLACE, **REST)).body["orderId"]
    asked = REST | {"quantity": "100", "cancelOrderId": old, "cancelReplaceMode": "STOP_ON_FAILURE"}
    answer = await client.signed("POST /api/v3/order/cancelReplace", **asked)
    assert answer.refusal[:2] == (409, -2021)
    assert (answer.body["data"]["cancelResult"], answer.body["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert server.account.exchange.books.orders[old].status == "CANCELED"


async def test_the_failed_half_of_a_replacement_is_told_on_the_stream(client: RawClient) -> None:
    old = (await client.signed(PLACE, **REST)).body["orderId"]
    asked = REST | {"quantity": "100", "cancelOrderId": old, "cancelReplaceMode": "STOP_ON_FAILURE"}
    async with client.user_stream() as socket:
        await client.signed("POST /api/v3/order/cancelReplace", **asked)
        told = await events(socket, 3)
    assert [(event.get("x"), event.get("r")) for event in told] == [
        ("CANCELED", "NONE"),
        (None, None),
        ("REJECTED", "INSUFFICIENT_BALANCES"),
    ]


async def test_events_can_come_after_the_answer(server: BinanceServer, client: RawClient) -> None:
    server.publishing.delay = 60
    async with client.user_stream() as socket:
        await client.signed(PLACE, **BUY)
        assert len(server.account.exchange.telling.events) == 3
        server.publishing.delay = 0.01
        await client.signed(PLACE, **BUY)
        assert len(await events(socket, 6)) == 6


async def test_a_key_that_may_not_trade_reads_but_places_nothing(server: BinanceServer, client: RawClient) -> None:
    server.account.restrictions = harmless() | {"enableSpotAndMarginTrading": False}
    assert (await client.signed("GET /api/v3/account")).status == 200
    assert (await client.signed(PLACE, **BUY)).refusal[:2] == (401, -2015)
    assert (await client.signed("POST /api/v3/orderList/oco", **OCO)).refusal[:2] == (401, -2015)


async def test_each_answer_tells_the_weight_used_and_orders_are_counted(
    server: BinanceServer, client: RawClient
) -> None:
    server.venue.clock = frozen_clock
    await client.open("/api/v3/exchangeInfo")
    placed = await client.signed(PLACE, **REST)
    assert placed.headers["X-MBX-USED-WEIGHT-1M"] == "21"
    assert placed.headers["X-MBX-ORDER-COUNT-10S"] == placed.headers["X-MBX-ORDER-COUNT-1D"] == "1"


async def test_who_goes_on_after_429_is_banned(server: BinanceServer, client: RawClient) -> None:
    server.venue.clock = frozen_clock
    server.venue.weight.limit = 2
    answers = [await client.open("/api/v3/time") for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429, 429, 418]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[5].headers["Retry-After"] == "120"
    assert answers[5].body["code"] == -1003


async def test_too_many_orders_are_refused_without_retry_after(server: BinanceServer, client: RawClient) -> None:
    server.venue.clock = frozen_clock
    server.account.order_limit.in_a_day = 1
    await client.signed(PLACE, **REST)
    refused = await client.signed(PLACE, **REST)
    assert refused.refusal[:2] == (429, -1015)
    assert "Retry-After" not in refused.headers


@pytest.mark.parametrize(("fault", "executed"), [(Fault.REQUEST_LOST, False), (Fault.ANSWER_LOST, True)])
async def test_a_lost_request_and_a_lost_answer_look_the_same(
    server: BinanceServer, client: RawClient, fault: Fault, executed: bool
) -> None:
    server.faults.next(fault, PLACE)
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.signed(PLACE, **BUY)
    assert bool(server.account.exchange.books.trades) is executed
    assert server.faults.drawn == {fault: 1}


@pytest.mark.parametrize(("fault", "executed"), [(Fault.SERVER_ERROR, False), (Fault.SERVER_ERROR_EXECUTED, True)])
async def test_a_server_error_does_not_tell_whether_it_was_executed(
    server: BinanceServer, client: RawClient, fault: Fault, executed: bool
) -> None:
    server.faults.next(fault, PLACE, times=4)
    answers = [await client.signed(PLACE, **BUY) for _ in range(4)]
    assert [answer.status for answer in answers] == [504, 502, 500, 503]
    assert answers[0].body["code"] == -1007
    assert len(server.account.exchange.books.trades) == (4 if executed else 0)


async def test_a_late_answer_is_executed_at_once(server: BinanceServer, client: RawClient) -> None:
    server.faults.next(Fault.ANSWER_LATE, PLACE)
    server.faults.late_seconds = 60
    asking = asyncio.create_task(client.signed(PLACE, **BUY))
    async with asyncio.timeout(RECEIVE_SECONDS):
        while not server.account.exchange.books.trades:
            await asyncio.sleep(0.01)
    assert not asking.done()
    asking.cancel()


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.TOO_MANY_REQUESTS, 429, -1003),
        (Fault.BANNED, 418, -1003),
        (Fault.CLOCK, 400, -1021),
    ],
)
async def test_a_planned_refusal_executes_nothing(
    server: BinanceServer, client: RawClient, fault: Fault, status: int, code: int
) -> None:
    server.faults.next(fault, PLACE)
    refused = await client.signed(PLACE, **BUY)
    assert refused.refusal[:2] == (status, code)
    assert ("Retry-After" in refused.headers) == (status != 400)
    assert not server.account.exchange.books.orders


async def test_a_stale_read_does_not_know_the_newest_order(server: BinanceServer, client: RawClient) -> None:
    await client.signed(PLACE, **REST, newClientOrderId="mine")
    server.faults.next(Fault.STALE_READ, QUERY)
    asked = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    assert (await client.signed(QUERY, **asked)).refusal[1] == -2013
    assert (await client.signed(QUERY, **asked)).status == 200


async def test_answers_can_have_new_fields_and_lack_optional_ones(server: BinanceServer, client: RawClient) -> None:
    server.faults.next(Fault.UNKNOWN_FIELDS)
    server.faults.next(Fault.MISSING_FIELDS)
    assert "aFieldOfTomorrow" in (await client.signed(PLACE, **BUY)).body
    lacking = (await client.signed(PLACE, **BUY)).body
    assert "fills" not in lacking
    assert "executedQty" in lacking


async def test_under_every_kind_of_trouble_at_once_the_venue_itself_keeps_its_order(
    server: BinanceServer, client: RawClient
) -> None:
    server.faults.late_seconds = 0.01
    for fault in Fault:
        server.faults.rate(fault, 0.05)
    answered = 0
    for number in range(40):
        with contextlib.suppress(aiohttp.ClientError):
            asked = REST | {"price": str(90 + number % 20), "quantity": "0.1"}
            answered += (await client.signed(PLACE, **asked)).status == 200
            await client.signed("GET /api/v3/openOrders", symbol="BTCUSDT")
        minute = START + timedelta(minutes=1 + number)
        await server.market.play(candle("BTCUSDT", minute, "100", "102", "98", "101"))
    books = server.account.exchange.books
    assert len(server.faults.drawn) > 8
    assert 0 < answered <= len(books.orders)
    assert all(books.ledger.free(asset) >= 0 for asset in ("BTC", "USDT"))


async def test_a_raw_stream_tells_the_bar_so_far_and_the_closed_one(server: BinanceServer, client: RawClient) -> None:
    async with client.stream("/ws/btcusdt@kline_1m") as socket:
        await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "100", "110", "90", "105"))
        bars = [(await socket.receive_json(timeout=RECEIVE_SECONDS))["k"] for _ in range(5)]
    assert set(bars[0]) >= documented.KLINE
    assert [(bar["c"], bar["x"]) for bar in bars] == [
        ("100.00000000", False),
        ("90.00000000", False),
        ("110.00000000", False),
        ("105.00000000", False),
        ("105.00000000", True),
    ]


async def test_a_combined_stream_names_each_stream(server: BinanceServer, client: RawClient) -> None:
    async with client.stream("/stream?streams=btcusdt@trade") as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 7})
        assert await socket.receive_json(timeout=RECEIVE_SECONDS) == {"result": None, "id": 7}
        await server.market.play(candle("BTCUSDT", START + timedelta(minutes=1), "101"))
        told = [await socket.receive_json(timeout=RECEIVE_SECONDS) for _ in range(2)]
    assert [message["stream"] for message in told] == ["btcusdt@trade", "btcusdt@bookTicker"]
    assert told[1]["data"]["a"] == "101.01000000"


async def test_a_stream_is_pinged(server: BinanceServer, client: RawClient) -> None:
    server.venue.ping_seconds = 0.05
    async with client.session.ws_connect(server.ws_url + "/ws", autoping=False) as socket:
        assert (await socket.receive(timeout=RECEIVE_SECONDS)).type is aiohttp.WSMsgType.PING


async def test_who_talks_too_much_on_a_stream_is_cut_off(server: BinanceServer, client: RawClient) -> None:
    server.venue.clock = frozen_clock
    async with client.stream("/ws") as socket:
        for number in range(7):
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        told = [await socket.receive(timeout=RECEIVE_SECONDS) for _ in range(6)]
    assert (told[4].type, told[5].type) == (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSE)


async def test_an_unknown_method_on_a_stream_is_refused(client: RawClient) -> None:
    async with client.stream("/ws") as socket:
        await socket.send_json({"method": "DREAM", "id": 7})
        assert (await socket.receive_json(timeout=RECEIVE_SECONDS))["error"]["code"] == 2


async def test_a_longer_interval_is_put_together_from_minutes(server: BinanceServer, client: RawClient) -> None:
    for minute in range(1, 6):
        await server.market.play(candle("BTCUSDT", START + timedelta(minutes=minute), str(100 + minute)))
    rows = (await client.open("/api/v3/klines", symbol="BTCUSDT", interval="5m")).body
    assert [(row[1], row[4]) for row in rows] == [("100.00000000", "104.00000000"), ("105.00000000", "105.00000000")]


async def test_the_account_is_told_of_its_order_and_its_balances(client: RawClient) -> None:
    async with client.user_stream() as socket:
        placed = (await client.signed(PLACE, **BUY, newClientOrderId="mine")).body
        new, trade, balances = await events(socket, 3)
    assert set(trade) >= documented.EXECUTION_REPORT
    assert (new["x"], new["X"], trade["x"], trade["X"]) == ("NEW", "NEW", "TRADE", "FILLED")
    assert (trade["c"], trade["t"], trade["l"]) == ("mine", placed["fills"][0]["tradeId"], "1.00000000")
    assert (trade["n"], trade["N"]) == ("0.00100000", "BTC")
    assert {row["a"]: row["f"] for row in balances["B"]} == {"BTC": "2.99900000", "USDT": "899.99000000"}


async def test_a_cancelled_order_is_told_with_both_ids(client: RawClient) -> None:
    await client.signed(PLACE, **REST, newClientOrderId="mine")
    async with client.user_stream() as socket:
        await client.signed(CANCEL, symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="cancel-1")
        told = (await events(socket, 1))[0]
    assert (told["x"], told["c"], told["C"]) == ("CANCELED", "cancel-1", "mine")


async def test_a_subscription_with_a_wrong_signature_is_refused(server: BinanceServer, client: RawClient) -> None:
    sent = {"apiKey": server.account.key, "timestamp": server.venue.clock(), "signature": "0" * 64}
    async with client.stream("/ws-api/v3") as socket:
        await socket.send_json({"id": "1", "method": "userDataStream.subscribe.signature", "params": sent})
        answer = await socket.receive_json(timeout=RECEIVE_SECONDS)
    assert (answer["status"], answer["error"]["code"]) == (400, -1022)


async def test_messages_of_a_stream_can_come_twice_and_in_the_wrong_order(
    server: BinanceServer, client: RawClient
) -> None:
    server.faults.next(Fault.REORDERED, "stream executionReport")
    server.faults.next(Fault.DUPLICATED, "stream outboundAccountPosition")
    async with client.user_stream() as socket:
        await client.signed(PLACE, **BUY)
        told = await events(socket, 4)
    assert [event.get("x", "") for event in told] == ["TRADE", "NEW", "", ""]


async def test_a_cut_stream_never_tells_what_it_missed(server: BinanceServer, client: RawClient) -> None:
    server.faults.next(Fault.CUT, "stream executionReport")
    async with client.user_stream() as socket:
        await client.signed(PLACE, **BUY)
        assert (await socket.receive(timeout=RECEIVE_SECONDS)).type in (
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.ERROR,
        )
    async with client.user_stream() as socket:
        await server.deposit("USDT", Decimal(5))
        assert [event["e"] for event in await events(socket, 2)] == ["balanceUpdate", "outboundAccountPosition"]


@pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.SERVER_ERROR])
async def test_a_stream_can_fail_to_begin(server: BinanceServer, client: RawClient, fault: Fault) -> None:
    server.faults.next(fault, "CONNECT /ws", times=2 if fault is Fault.REQUEST_LOST else 1)
    with pytest.raises(aiohttp.ClientError):
        await client.session.ws_connect(server.ws_url + "/ws")
    async with client.stream("/ws") as socket:
        assert not socket.closed


async def test_a_mute_stream_stays_open_and_says_nothing(server: BinanceServer, client: RawClient) -> None:
    server.faults.next(Fault.MUTE, "stream executionReport")
    async with client.user_stream() as socket:
        await client.signed(PLACE, **BUY)
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.5)
        assert not socket.closed


async def test_the_end_of_a_subscription_and_of_the_server_is_announced(
    server: BinanceServer, client: RawClient
) -> None:
    async with client.user_stream() as socket:
        await server.announce_shutdown()
        await server.terminate_user_streams()
        assert [event["e"] for event in await events(socket, 2)] == ["serverShutdown", "eventStreamTerminated"]
