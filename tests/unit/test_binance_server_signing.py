import pytest

from tests.venues.binance.refusal import Refusal
from tests.venues.binance.signing import (
    check_signature,
    check_sorted_signature,
    check_time,
    read_parameters,
    signature_of,
)

# The example of the venue's documentation.
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
HEAD = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
TAIL = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
SIGNATURE_OF_BOTH = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
NOW = 1_000_000_000


def refused(code: int, query: str, body: str = "") -> bool:
    with pytest.raises(Refusal) as caught:
        check_signature(SECRET, query, body, read_parameters(query, body))
    return caught.value.code == code


def test_the_documentations_example_is_a_valid_signature_as_query_and_as_body() -> None:
    whole = f"{HEAD}&{TAIL}&signature={SIGNATURE}"
    check_signature(SECRET, whole, "", read_parameters(whole, ""))
    check_signature(SECRET, "", whole, read_parameters("", whole))


def test_query_and_body_are_signed_together_without_an_ampersand_between_them() -> None:
    body = f"{TAIL}&signature={SIGNATURE_OF_BOTH}"
    check_signature(SECRET, HEAD, body, read_parameters(HEAD, body))


def test_a_signature_may_be_in_capital_letters() -> None:
    whole = f"{HEAD}&{TAIL}&signature={SIGNATURE.upper()}"
    check_signature(SECRET, whole, "", read_parameters(whole, ""))


def test_a_changed_parameter_breaks_the_signature() -> None:
    assert refused(-1022, f"{HEAD}&{TAIL.replace('quantity=1', 'quantity=2')}&signature={SIGNATURE}")


def test_a_missing_signature_is_named() -> None:
    assert refused(-1102, f"{HEAD}&{TAIL}")


def test_what_was_not_percent_encoded_has_no_valid_signature() -> None:
    payload = "symbol=LTCBTC&note=a|b"
    assert refused(-1022, f"{payload}&signature={signature_of(SECRET, payload)}")


def test_the_websocket_api_signs_in_alphabetical_order() -> None:
    sent: dict[str, object] = {"timestamp": 1, "apiKey": "key"}
    check_sorted_signature(SECRET, sent | {"signature": signature_of(SECRET, "apiKey=key&timestamp=1")})
    with pytest.raises(Refusal, match="-1022"):
        check_sorted_signature(SECRET, sent | {"signature": signature_of(SECRET, "timestamp=1&apiKey=key")})


@pytest.mark.parametrize("stamp", [NOW, NOW - 5000, NOW + 999])
def test_a_timestamp_within_the_window_is_taken(stamp: int) -> None:
    check_time({"timestamp": str(stamp)}, NOW)


@pytest.mark.parametrize(
    ("sent", "code", "words"),
    [
        ({"timestamp": str(NOW + 1000)}, -1021, "1000ms ahead of the server's time"),
        ({"timestamp": str(NOW - 5001)}, -1021, "outside of the recvWindow"),
        ({"timestamp": str(NOW - 101), "recvWindow": "100"}, -1021, "outside of the recvWindow"),
        ({"timestamp": str(NOW), "recvWindow": "60001"}, -1131, "less than 60000"),
        ({"timestamp": "soon"}, -1100, "timestamp"),
        ({}, -1102, "timestamp"),
    ],
)
def test_a_timestamp_outside_the_window_is_refused(sent: dict[str, str], code: int, words: str) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        check_time(sent, NOW)
    assert caught.value.code == code


def test_a_parameter_that_is_sent_twice_is_refused() -> None:
    with pytest.raises(Refusal, match="-1101"):
        read_parameters("symbol=BTCUSDT&symbol=ETHUSDT", "")


def test_the_querys_parameter_goes_before_the_bodys() -> None:
    assert read_parameters("symbol=BTCUSDT", "symbol=ETHUSDT") == {"symbol": "BTCUSDT"}
