"""The unmodified ccxt, pointed at the test server by nothing but its public settings."""

from typing import Any

import ccxt.pro

from tests.venues.binance.account import KEY, SECRET
from tests.venues.binance.raw_client import PATIENT_WINDOW
from tests.venues.binance.server import BinanceServer

SPOT_ONLY: dict[str, Any] = {
    "recvWindow": PATIENT_WINDOW,
    "defaultType": "spot",
    "fetchMarkets": {"types": ["spot"]},
    "fetchMargins": False,
    "fetchCurrencies": False,
}


def ccxt_client(server: BinanceServer, **options: Any) -> Any:
    """A client for REST and streams; close it after use."""
    client = ccxt.pro.binance(
        {
            "apiKey": KEY,
            "secret": SECRET,
            "enableRateLimit": False,
            "options": SPOT_ONLY | options,
        }
    )
    api = client.urls["api"]
    api["public"] = api["private"] = f"{server.url}/api/v3"
    api["sapi"] = f"{server.url}/sapi/v1"
    api["ws"]["spot"] = f"{server.ws_url}/ws"
    api["ws"]["ws-api"]["spot"] = f"{server.ws_url}/ws-api/v3"
    return client
