"""What the exchange's hours forbid and demand: no order while it is closed, no position left over its close."""

from collections.abc import Iterator

from services.runner.core.state import State
from services.runner.core.telling import Telling
from shared.domain.portfolio import Key
from shared.schemas.lifecycle import Checkpoint, CheckpointDetails
from shared.schemas.market import ExchangeStanding, TradingHours, TradingHoursChanged
from shared.schemas.values import iso

WAITING = "waiting for the opening"
"""The checkpoint that tells what is put off until the exchange opens."""


def standing(state: State, symbol: str) -> ExchangeStanding:
    """How the exchange of `symbol` stands; open where nothing else is known.

    The day's last bar closes with the exchange, before anybody has told that.
    """
    told = state.hours
    if told is None or symbol not in told.symbols:
        return "open"
    is_over = told.until is not None and state.market_time is not None and state.market_time >= told.until
    return "closed" if is_over and told.standing in ("open", "closing") else told.standing


def is_closed(state: State, symbol: str) -> bool:
    """Whether no order for `symbol` can be carried out now."""
    return standing(state, symbol) == "closed"


def is_extended(state: State, symbol: str) -> bool:
    """Whether only limit orders for `symbol` that ask for extended hours can be carried out now."""
    return standing(state, symbol) == "extended"


def has_extended(state: State, symbol: str) -> bool:
    """Whether `symbol` is traded in extended hours, too."""
    return state.plan.config.schedule.extended_hours and state.hours is not None and symbol in state.hours.symbols


def passed_stop(state: State, key: Key) -> str | None:
    """Why a position is closed in extended hours, in which no stop works at the venue, or None."""
    trigger, close = state.protective_stops.get(key), state.portfolio.closes.get(key[1])
    if trigger is None or close is None or close > trigger or not is_extended(state, key[1]):
        return None
    return f"the stop of {trigger:f} is passed in extended hours" if key in state.portfolio.positions else None


def closing_in(state: State, symbol: str) -> str | None:
    """Why a position in `symbol` is not to be kept any longer today, or None."""
    return f"the exchange closes {_at(state.hours)}" if standing(state, symbol) == "closing" else None


def tell_hours(telling: Telling, hours: TradingHours) -> None:
    """Tell how the exchange stands now."""
    turns = "opens" if hours.standing == "closed" else "closes"
    message = f"{', '.join(hours.symbols)}: the exchange is {hours.standing}; it {turns} {_at(hours)}"
    telling.tell(TradingHoursChanged, details=hours, message=message)


def tell_waiting(telling: Telling, reasons: dict[str, str]) -> None:
    """Tell which of the symbols that are to be closed for `reasons` have to wait for the opening, if any."""
    waiting = list(_waiting(telling.state, reasons))
    if waiting:
        observed = f"{'; '.join(waiting)}; carried out when the exchange opens {_at(telling.state.hours)}"
        seen = CheckpointDetails(name=WAITING, observed=observed)
        telling.tell(Checkpoint, status="fail", level="warning", details=seen, message=observed)


def _waiting(state: State, reasons: dict[str, str]) -> Iterator[str]:
    for symbol, reason in reasons.items():
        if is_closed(state, symbol):
            yield f"{symbol} is to be closed: {reason}"


def _at(hours: TradingHours | None) -> str:
    return f"at {iso(hours.until)}" if hours is not None and hours.until is not None else "at a time not known yet"
