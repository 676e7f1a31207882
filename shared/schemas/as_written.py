"""Candles and marks, nearly all that a stream holds, read by the very form in which `encode` writes them.

A form is one pattern for a whole fact. Where the bytes don't fit it, or a part is not what its type writes, nothing is
decided here: they may be valid all the same, and the careful way looks at them. What repeats from fact to fact (the
session, the symbol, instants, prices, an account in which nothing has moved) is checked once and found again.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, get_args

from pydantic import StringConstraints

from shared.schemas.canonical import Canonical
from shared.schemas.envelope import Event
from shared.schemas.market import Candle, CandleClosed, EquityMarked, EquityMetrics, MarkDetails
from shared.schemas.trusted import filled, setters
from shared.schemas.values import SERVICES, Identity, Instant, Level, Money, Phase, Price, Quantity, Ratio, Symbol

_REPEATING = 4096
"""So many different texts of a type are kept at hand."""
_SETTINGS = 256


def read(kind: type[Event], payload: bytes) -> Event | None:
    """The fact of `kind` that `encode` wrote as `payload`; None where that can't be said here."""
    reading = _READINGS.get(kind)
    if reading is None:
        return None
    try:
        return reading(payload.decode())
    except ValueError:
        return None


def _values(kind: Any) -> Callable[[str], Any]:
    """Reads one value in its canonical form; ValueError for any other text."""
    (canonical,) = (part for part in get_args(kind) if isinstance(part, Canonical))
    fits, make = re.compile(canonical.pattern).fullmatch, canonical.make

    def value(text: str) -> Any:
        if fits(text) is None:
            raise ValueError(text)
        return make(text)

    return value


_moving_money, _moving_ratio = _values(Money), _values(Ratio)
_found_again = lru_cache(_REPEATING)
_money, _ratio = _found_again(_moving_money), _found_again(_moving_ratio)
_instant, _price, _quantity = (_found_again(_values(kind)) for kind in (Instant, Price, Quantity))


def _of(kind: Any) -> str:
    """A group for what a type's pattern, or one of its words, allows."""
    parts = get_args(kind)
    patterns = [str(part.pattern).strip("^$") for part in parts if isinstance(part, StringConstraints)]
    return f"({patterns[0]})" if patterns else f"({'|'.join(parts)})"


_TEXT, _WHOLE = '"([^"]+)"', "(0|[1-9][0-9]{0,8})"
_BEGIN = rf'\{{"timestamp":{_TEXT},"market_time":{_TEXT},'


def _end(kind: type[Event]) -> str:
    """The newest version alone: what an older one means is not said here."""
    return (
        rf'"id":{_TEXT},"correlation_id":{_TEXT},"causation_id":{_TEXT},'
        rf'"version":{kind.model_fields["version"].default},"service":"({"|".join(SERVICES)})"\}}'
    )


_CANDLE = re.compile(
    rf'{_BEGIN}("session_id":[^{{]+"details":\{{"symbol":"[^"]+"),"open_time":{_TEXT},"close_time":{_TEXT},'
    rf'"open":{_TEXT},"high":{_TEXT},"low":{_TEXT},"close":{_TEXT},"volume":{_TEXT}\}},{_end(CandleClosed)}'
).fullmatch
_MARK = re.compile(
    rf'{_BEGIN}("session_id":[^{{]+"metrics":)(\{{[^}}]+\}}),'
    rf'"details":\{{"close_time":{_TEXT},"awaits_guard":(true|false)\}},{_end(EquityMarked)}'
).fullmatch
_METRICS = re.compile(
    rf'\{{"equity":{_TEXT},"cash":{_TEXT},"exposure":{_TEXT},"pnl":{_TEXT},"fees":{_TEXT},'
    rf'"drawdown":{_TEXT},"max_drawdown":{_TEXT},"trades":{_WHOLE},"wins":{_WHOLE},"losses":{_WHOLE},'
    r'"win_rate":([01]\.[0-9]{1,22})\}'
).fullmatch
_KINDS_OF_LETTER = bytes(
    ord("0") if chr(code) in "0123456789abcdef" else code if chr(code) == "-" else ord("?") for code in range(256)
)
_THREE_IDENTITIES = 3 * b"00000000-0000-0000-0000-000000000000"


def _are_identities(one: str, other: str, third: str) -> bool:
    """Whether all are as `Identity` has it; three patterns would take as long as all the rest."""
    return f"{one}{other}{third}".encode().translate(_KINDS_OF_LETTER) == _THREE_IDENTITIES


class _Setting(NamedTuple):
    """What stays from fact to fact: `values` names all parts of the event in their order, `given` those it tells."""

    values: Mapping[str, Any]
    given: set[str]
    symbol: str


_TOLD = frozenset(
    ("timestamp", "market_time", "session_id", "type", "level", "id", "correlation_id", "causation_id", "version")
) | {"service", "details"}


def _settings(kind: type[Event], rest: str, told: frozenset[str]) -> Callable[[str], _Setting]:
    """Reads what stands between a fact's instants and its content; ValueError for anything but what is written."""
    defaults = {name: field.default for name, field in kind.model_fields.items()}
    form = re.compile(
        rf'"session_id":"{_of(Identity)}","type":"{defaults["type"]}"'
        rf'(?:,"phase":"{_of(Phase)}")?,"level":"{_of(Level)}",{rest}'
    ).fullmatch

    @lru_cache(_SETTINGS)
    def setting(text: str) -> _Setting:
        match = form(text)
        if match is None:
            raise ValueError(text)
        session_id, phase, level, symbol = match.groups()
        values = {**defaults, "session_id": session_id, "phase": phase, "level": level}
        return _Setting(values, {*told, "phase"} if phase else set(told), symbol)

    return setting


_candles_setting = _settings(CandleClosed, rf'"details":\{{"symbol":"{_of(Symbol)}"', _TOLD)
_marks_setting = _settings(EquityMarked, '"metrics":()', _TOLD | {"metrics"})
_symbol, _open_time, _close_time, _open, _high, _low, _close, _volume = setters(Candle)


def _candle_closed(text: str) -> CandleClosed | None:
    match = _CANDLE(text)
    if match is None:
        return None
    (
        timestamp, market_time, setting, open_time, close_time, opened, high, low, close, volume,
        identity, correlation_id, causation_id, service,
    ) = match.groups()  # fmt: skip
    if not _are_identities(identity, correlation_id, causation_id):
        return None
    constant, given, symbol = _candles_setting(setting)
    values = {**constant}
    values["timestamp"] = _instant(timestamp)
    values["market_time"] = _instant(market_time)
    values["details"] = candle = object.__new__(Candle)
    _symbol(candle, symbol)
    _open_time(candle, _instant(open_time))
    _close_time(candle, _instant(close_time))
    _open(candle, _price(opened))
    _high(candle, _price(high))
    _low(candle, _price(low))
    _close(candle, _price(close))
    _volume(candle, _quantity(volume))
    values["id"] = identity
    values["correlation_id"] = correlation_id
    values["causation_id"] = causation_id
    values["service"] = service
    return filled(CandleClosed, values, given)


@lru_cache(_SETTINGS)
def _metrics(text: str) -> EquityMetrics:
    match = _METRICS(text)
    if match is None:
        raise ValueError(text)
    equity, cash, exposure, pnl, fees, drawdown, max_drawdown, trades, wins, losses, win_rate = match.groups()
    values = {
        "equity": _moving_money(equity),
        "cash": _money(cash),
        "exposure": _moving_money(exposure),
        "pnl": _moving_money(pnl),
        "fees": _money(fees),
        "drawdown": _moving_ratio(drawdown),
        "max_drawdown": _ratio(max_drawdown),
        "trades": int(trades),
        "wins": int(wins),
        "losses": int(losses),
        "win_rate": float(win_rate),
    }
    return filled(EquityMetrics, values, _METRICS_GIVEN)


_METRICS_GIVEN, _DETAILS_GIVEN = set(EquityMetrics.model_fields), set(MarkDetails.model_fields)


def _equity_marked(text: str) -> EquityMarked | None:
    match = _MARK(text)
    if match is None:
        return None
    (
        timestamp, market_time, setting, metrics, close_time, awaits_guard,
        identity, correlation_id, causation_id, service,
    ) = match.groups()  # fmt: skip
    if not _are_identities(identity, correlation_id, causation_id):
        return None
    constant, given, _ = _marks_setting(setting)
    values = {**constant}
    values["timestamp"] = _instant(timestamp)
    values["market_time"] = _instant(market_time)
    values["metrics"] = _metrics(metrics)
    details = {"close_time": _instant(close_time), "awaits_guard": awaits_guard == "true"}
    values["details"] = filled(MarkDetails, details, _DETAILS_GIVEN)
    values["id"] = identity
    values["correlation_id"] = correlation_id
    values["causation_id"] = causation_id
    values["service"] = service
    return filled(EquityMarked, values, given)


_READINGS: Mapping[type[Event], Callable[[str], Event | None]] = {
    CandleClosed: _candle_closed,
    EquityMarked: _equity_marked,
}
