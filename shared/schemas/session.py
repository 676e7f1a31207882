"""The trading session as its TOML file describes it."""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from shared.schemas.market import timeframe_of
from shared.schemas.values import DECIMAL_PATTERN, Instant, OrderType, Symbol, plain

_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in ("d", "h", "m", "s", "ms")))
_DURATION_SCHEMA = {"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$", "minLength": 2}
_NUMBER_SCHEMA = {"anyOf": [{"type": "string", "pattern": DECIMAL_PATTERN}, {"type": "number"}]}
_MAX_DAYS = 36_500
_MAX_DIGITS = 30
_KILL_PATIENCE = timedelta(seconds=10)
_MAX_UNKNOWN_AGE = timedelta(minutes=1)


def duration(text: Any) -> timedelta:
    """A length of time written as 90s, 1h30m, 2d or 250ms; ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write for example 90s, 1h30m or 250ms")
    days, hours, minutes, seconds, millis = (int(part or 0) for part in match.groups())
    if days > _MAX_DAYS:
        raise ValueError(f"{text!r} is longer than {_MAX_DAYS} days")
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=millis)


def spelled(length: timedelta) -> str:
    """A length of time as `duration` reads it."""
    seconds, rest = divmod(length, timedelta(seconds=1))
    millis = rest // timedelta(milliseconds=1)
    return f"{seconds}s{millis}ms" if millis else f"{seconds}s"


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{value!r} is not a decimal number")
    try:
        number = Decimal(value)
    except ArithmeticError:
        raise ValueError(f"{value!r} is not a decimal number") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        raise ValueError(f"{value!r} is not a finite number of up to {_MAX_DIGITS} digits")
    return number


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write for example Europe/Berlin") from None
    return name


def _timeframe(text: str) -> str:
    timeframe_of(text)
    return text


def _clock_time(value: Any) -> time:
    try:
        clock = value if isinstance(value, time) else time.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a time of day; write for example 09:30") from None
    if clock.tzinfo is not None:
        raise ValueError(f"{value!r} names a zone of its own; write for example 09:30 and set schedule.time_zone")
    return clock


def _settled(value: Any) -> Any:
    """A strategy's parameter as it reads after a journey through JSON: decimals are strings, tuples are lists."""
    if isinstance(value, Decimal):
        return plain(_number(value))
    if isinstance(value, Mapping):
        return {str(key): _settled(item) for key, item in value.items()}
    return [_settled(item) for item in value] if isinstance(value, list | tuple) else value


class _Off:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(lambda value: None if value == "off" else value, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"const": "off"}, *handler(schema)["anyOf"]]}


_AS_STRING = PlainSerializer(plain, return_type=str, when_used="json")
Number = Annotated[Decimal, BeforeValidator(_number), _AS_STRING, WithJsonSchema(_NUMBER_SCHEMA)]
Share = Annotated[Number, Field(ge=0, le=1)]
"""A share: 0.01 is one per cent."""
Fraction = Annotated[Number, Field(gt=0, lt=1)]
"""A share that may be neither nothing nor all."""
Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(spelled, return_type=str, when_used="json"),
    WithJsonSchema(_DURATION_SCHEMA),
]
TimeZone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_clock_time),
    PlainSerializer(time.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?$"}),
]
Params = Annotated[dict[str, Any], BeforeValidator(_settled)]
OFF = _Off()
"""A limit that the session file turns off by writing "off"."""
Timeframe = Annotated[str, AfterValidator(_timeframe)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Section(BaseModel):
    """A table of the session file; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SimulatedFeed(Section):
    """A seeded market with changing regimes. `volatility` is a bar's typical move as a share of the price."""

    kind: Literal["simulated"] = "simulated"
    seed: int = 1
    start: Instant
    bars: int | None = Field(default=None, ge=2)
    start_price: Number = Field(default=Decimal(100), gt=0)
    start_prices: dict[Symbol, Number] = {}
    volatility: Share = Decimal("0.0015")
    regime_bars: int = Field(default=120, ge=2)


class CsvFeed(Section):
    """Recorded candles. One file a symbol, or one with a `symbol` column."""

    kind: Literal["csv"] = "csv"
    files: tuple[str, ...] = Field(min_length=1)


class MarketFeed(Section):
    """The market itself: closed candles as the venue streams them, history and gaps by its REST interface."""

    kind: Literal["binance", "alpaca"]


class StrategyEntry(Section):
    """A strategy by the name of its file, with its parameters and its share of the capital."""

    name: str
    label: str | None = None
    allocation: Share | None = None
    params: Params = {}


def _is_false(value: bool) -> bool:
    return not value


def _is_absent(value: object) -> bool:
    return value is None


class Sizing(Section):
    """How much an entry buys.

    `fraction`: that share of the strategy's equity. `risk`: so much that a stop `stop_distance` (a share of the price)
    away loses `risk_per_trade` of the equity. A `stop_distance` places a protective stop with either method. A
    `profit_distance` asks for the gain to be taken so far above the entry: at the venue, beside the stop, where the
    venue has orders of which one cancels the other; else the runner watches the closes for it.
    """

    method: Literal["fraction", "risk"] = "fraction"
    fraction: Share = Decimal("0.95")
    risk_per_trade: Share = Decimal("0.01")
    stop_distance: Fraction | None = None
    profit_distance: Annotated[Number | None, Field(gt=0, exclude_if=_is_absent)] = None

    @model_validator(mode="after")
    def _risk_needs_a_stop(self) -> Self:
        if self.method == "risk" and not self.stop_distance:
            raise ValueError("sizing.method = 'risk' needs sizing.stop_distance, for example 0.02")
        if self.profit_distance is not None and not self.stop_distance:
            raise ValueError("sizing.profit_distance needs sizing.stop_distance, for example 0.02")
        return self


class Orders(Section):
    """Which orders carry out a decision.

    A `limit` entry stands `limit_offset` (a share of the price) on the passive side and is cancelled after
    `cancel_after_bars`. Protective stops are `stop` or `stop_limit`, the latter `stop_limit_offset` beyond its trigger.
    """

    entry: Literal["market", "limit"] = "market"
    limit_offset: Share = Decimal(0)
    cancel_after_bars: int = Field(default=3, ge=1)
    stop: Literal["stop", "stop_limit"] = "stop"
    stop_limit_offset: Share = Decimal("0.005")


class Schedule(Section):
    """When new risk may be taken, and how long the session lasts in market time.

    With `flat_before_close`, positions in stocks are closed so long before the exchange's close, half days included,
    and nothing is entered from then on. With `extended_hours`, stocks are traded before the opening and after the
    close, too, by limit orders.
    """

    weekdays: tuple[Weekday, ...] = Field(default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1)
    start: TimeOfDay | None = None
    stop: TimeOfDay | None = None
    time_zone: TimeZone = "UTC"
    max_duration: Duration | None = Field(default=None, gt=timedelta(0))
    extended_hours: bool = Field(default=False, exclude_if=_is_false)
    flat_before_close: Annotated[Duration | None, Field(gt=timedelta(0), exclude_if=_is_absent)] = None

    @cached_property
    def is_always_open(self) -> bool:
        """Whether no instant lies outside the schedule."""
        return self.start is None and set(self.weekdays) == set(get_args(Weekday))


class Paper(Section):
    """The simulated venue. Fees, slippage and participation are shares; latency is market time.

    `participation` bounds a fill to that share of a bar's volume; without it every order fills whole.
    """

    maker_fee: Share = Decimal("0.001")
    taker_fee: Share = Decimal("0.001")
    slippage: Share = Decimal(0)
    slippage_jitter: Share = Decimal(0)
    latency: Duration = timedelta(0)
    participation: Share | None = Field(default=None, gt=0)
    seed: int = 1

    @model_validator(mode="after")
    def _prices_stay_positive(self) -> Self:
        if self.slippage + self.slippage_jitter >= 1:
            raise ValueError("paper.slippage and paper.slippage_jitter must stay below 1 together")
        return self


def _is_off(value: Decimal) -> bool:
    return value == 0


def _is_true(value: bool) -> bool:
    return value


Rule = Annotated[Number, Field(ge=0, exclude_if=_is_off)]
"""A rule that came later: a session file without it is the same file as before."""


class Instrument(Section):
    """Trading rules of a symbol; zero turns a rule off.

    `tick_size` and `lot_step` are the grids of prices and quantities. `market_max_qty` bounds market orders;
    `band_down` and `band_up` times the market's price are the limits within which an order may stand; `max_stops`
    orders of a symbol may wait for their trigger. `has_lists` tells whether the venue takes two orders for the symbol
    of which one cancels the other.
    """

    tick_size: Number = Field(default=Decimal("0.01"), ge=0)
    lot_step: Number = Field(default=Decimal("0.00001"), ge=0)
    min_qty: Number = Field(default=Decimal(0), ge=0)
    min_notional: Number = Field(default=Decimal(0), ge=0)
    max_qty: Rule = Decimal(0)
    market_max_qty: Rule = Decimal(0)
    max_notional: Rule = Decimal(0)
    min_price: Rule = Decimal(0)
    max_price: Rule = Decimal(0)
    band_down: Rule = Decimal(0)
    band_up: Rule = Decimal(0)
    max_stops: int = Field(default=0, ge=0, exclude_if=_is_off)
    has_lists: bool = Field(default=True, exclude_if=_is_true)


def _is_usual_age(value: timedelta | None) -> bool:
    return value == _MAX_UNKNOWN_AGE


MOST_AT_RISK_LIVE = Decimal("0.02")
"""With real money no session may lose a larger share of its equity with one trade, whatever its file says."""


class RiskLimits(Section):
    """The guard's limits. Shares are of equity; "off" in the file, None here, turns a limit off.

    `max_position_size` bounds the value of one symbol, `max_open_exposure` of all together, `max_slippage` how far
    from the last price an order may pay. The day of `daily_loss_limit` begins at midnight in `day_time_zone`.
    `max_unknown_age` is how long one order may be unknown before no other takes new risk. A halt for want of something
    that trading depends on (clock, data, a known order, a venue that answers, the guard's word) ends by itself when
    that is restored only with `resume_when_restored`; any other waits for a person.
    The guard acts at the venue itself where the runner has not confirmed a kill within `kill_patience`.
    """

    max_risk_per_trade: Annotated[Share | None, OFF] = Decimal("0.02")
    max_position_size: Annotated[Number | None, OFF] = Field(default=Decimal("0.5"), ge=0)
    daily_loss_limit: Annotated[Share | None, OFF] = Decimal("0.05")
    max_open_exposure: Annotated[Number | None, OFF] = Field(default=Decimal(1), ge=0)
    max_drawdown_limit: Annotated[Share | None, OFF] = Decimal("0.2")
    max_slippage: Annotated[Share | None, OFF] = Decimal("0.01")
    allowed_order_types: tuple[OrderType, ...] = tuple(OrderType)
    max_open_orders: Annotated[int | None, OFF] = Field(default=20, ge=0)
    max_orders_per_minute: Annotated[int | None, OFF] = Field(default=60, ge=0)
    max_data_age: Annotated[Duration | None, OFF] = timedelta(minutes=5)
    max_api_errors: Annotated[int | None, OFF] = Field(default=5, ge=0)
    day_time_zone: TimeZone = "UTC"
    approval_ttl: Duration = timedelta(seconds=10)
    max_unknown_age: Annotated[Duration | None, OFF] = Field(default=_MAX_UNKNOWN_AGE, exclude_if=_is_usual_age)
    resume_when_restored: bool = Field(default=False, exclude_if=_is_false)
    kill_patience: Duration = Field(default=_KILL_PATIENCE, exclude_if=lambda value: value == _KILL_PATIENCE)


class Live(Section):
    """What a session must have shown before it trades real money: `min_testnet_days` on the venue's testnet."""

    min_testnet_days: int = Field(default=7, ge=1)


Combine = Literal["all", "any", "side_by_side"]


class Shadow(Section):
    """What decides on the session's stream beside it, without orders.

    A table that is given stands whole in the place of the session's; what is absent is as in the session.
    """

    strategies: tuple[StrategyEntry, ...] | None = Field(default=None, min_length=1)
    combine: Combine | None = None
    sizing: Sizing | None = None
    orders: Orders | None = None
    risk: RiskLimits | None = None


def _feed(value: Any) -> Any:
    """`feed = "binance"` is short for a table that says no more than its kind."""
    return {"kind": value} if isinstance(value, str) else value


Feed = Annotated[SimulatedFeed | CsvFeed | MarketFeed, Field(discriminator="kind")]


def _is_usual_record(value: Live) -> bool:
    return value == Live()


class SessionConfig(Section):
    """One trading session, whole."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")
    venue: Literal["paper", "binance", "alpaca"] = "paper"
    symbols: tuple[Symbol, ...] = Field(min_length=1)
    timeframe: Timeframe
    quote: str = Field(default="USDT", pattern=r"^[A-Z0-9]{2,12}$")
    initial_capital: Number = Field(gt=0)
    combine: Combine = "side_by_side"
    warmup_bars: int = Field(default=0, ge=0)
    on_stop: Literal["flatten", "keep"] = "flatten"
    on_kill: Literal["flatten", "keep"] | None = None
    feed: Annotated[Feed, BeforeValidator(_feed)]
    strategies: tuple[StrategyEntry, ...] = Field(min_length=1)
    sizing: Sizing = Sizing()
    orders: Orders = Orders()
    schedule: Schedule = Schedule()
    paper: Paper = Paper()
    instrument: Instrument = Instrument()
    instruments: dict[Symbol, Instrument] = {}
    risk: RiskLimits = RiskLimits()
    live: Live = Field(default=Live(), exclude_if=_is_usual_record)
    shadow: Shadow | None = Field(default=None, exclude_if=_is_absent)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("symbols: each symbol once")
        labels = [entry.label or entry.name for entry in self.strategies]
        if len(set(labels)) != len(labels):
            raise ValueError("strategies: two share a name; give each its own label")
        if sum((entry.allocation or Decimal(0) for entry in self.strategies), Decimal(0)) > 1:
            raise ValueError("strategies: the allocations add up to more than 1")
        if bool(self.schedule.start) != bool(self.schedule.stop):
            raise ValueError("schedule: give both start and stop, or neither")
        self._check_hours()
        if unknown := sorted({*self.instruments, *getattr(self.feed, "start_prices", {})} - set(self.symbols)):
            raise ValueError(f"instruments, feed.start_prices: {', '.join(unknown)} not among the symbols")
        self.shadowed()
        return self

    def _check_hours(self) -> None:
        flat, extended = self.schedule.flat_before_close is not None, self.schedule.extended_hours
        if (flat or extended) and self.feed.kind != "alpaca":
            raise ValueError("schedule: flat_before_close and extended_hours are for feed 'alpaca' alone")
        if flat and extended:
            raise ValueError("schedule: flat_before_close and extended_hours contradict each other; give one of them")
        if extended and self.orders.entry != "limit":
            raise ValueError("schedule.extended_hours needs orders.entry = 'limit': no other order fills in them")

    def shadowed(self) -> "SessionConfig | None":
        """The session as its shadow trades it; None without one, ValueError when the two don't go together."""
        if self.shadow is None:
            return None
        own = {name: getattr(self, name) for name in SessionConfig.model_fields}
        other = {name: value for name in Shadow.model_fields if (value := getattr(self.shadow, name)) is not None}
        try:
            return SessionConfig.model_validate({**own, **other, "shadow": None})
        except ValidationError as error:
            problems = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
            raise ValueError(f"shadow: {problems}") from None

    def instrument_of(self, symbol: str) -> Instrument:
        """The trading rules of `symbol`: its own table, else the session's."""
        return self.instruments.get(symbol, self.instrument)

    @property
    def is_live(self) -> bool:
        """Whether the market's time is that of the clock on the wall."""
        return isinstance(self.feed, MarketFeed)

    @property
    def flattens_on_kill(self) -> bool:
        """Whether a kill closes positions: as `on_kill` says, else as `on_stop` does."""
        return (self.on_kill or self.on_stop) == "flatten"

    def digest(self) -> str:
        """A fingerprint of everything that decisions depend on (SHA-256, hexadecimal); the shadow is no part of it."""
        return sha256(self.model_dump_json(exclude={"shadow"}).encode()).hexdigest()

    def ends_at(self, instant: datetime) -> datetime | None:
        """The market time at which `max_duration` ends a session that started at `instant`."""
        return instant + self.schedule.max_duration if self.schedule.max_duration else None
