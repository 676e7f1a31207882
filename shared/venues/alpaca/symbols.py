"""How Alpaca names what it trades: a stock "AAPL", a pair "BTC/USD", among positions and in old orders "BTCUSD"."""


def is_pair(symbol: str) -> bool:
    """Whether it is a pair of currencies, which trade around the clock; else it is a stock."""
    return "/" in symbol


def as_position(symbol: str) -> str:
    """Its name without the slash."""
    return symbol.replace("/", "")


def base_of(symbol: str) -> str:
    """What is bought and sold: a pair's first currency, a stock's shares by its own name."""
    return symbol.partition("/")[0]


def received(symbol: str, *, bought: bool) -> str:
    """The asset that a trade credits; a stock's own symbol stands for its shares."""
    base, _, quote = symbol.partition("/")
    return base if bought else quote or "USD"
