"""When strategies speak next: they look at candles alone, so they can be run ahead of the session."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from services.runner.feeds.tape import Tape
from services.runner.strategies.port import Bars, Stance
from services.runner.strategies.registry import SymbolStrategy

Said = Mapping[str, tuple[Stance | None, ...]]
"""What the strategies of a symbol said, in the plan's order; symbols of which nothing was said are absent."""
AHEAD = 256
"""How many bars a strategy is run ahead at a time."""


class Next(NamedTuple):
    """The bar at which a strategy speaks next, and its state before that bar."""

    at: int
    before: Any


class Voice:
    """One strategy on one symbol. It speaks next at bar `at`; that is the tape's end when it says no more."""

    def __init__(self, strategy: SymbolStrategy, bars: Bars, place: tuple[str, int]) -> None:
        self.place = place
        self.at = -1
        self._strategy, self._bars = strategy, bars
        self._known: tuple[int, Any] = (0, strategy.start)
        self._before: Any = strategy.start

    def ahead(self, start: int, state: Any) -> Next:
        """Where it speaks next from bar `start` on, and its state before that bar, having `state` before `start`."""
        at, end = start, len(self._bars.closes)
        while at < end:
            stop = min(at + AHEAD, end)
            state, at = self._run(state, at, stop)
            if at < stop:
                break
        return Next(at, state)

    def move_to(self, start: int, state: Any, found: Next) -> None:
        """All before bar `start` has been heard, `state` is the state there, and `found` comes next."""
        self._known, self.at, self._before = (start, state), found.at, found.before

    def resume(self, start: int, state: Any) -> None:
        """Go on at bar `start` with `state` before it; what is known of the bars to come is kept."""
        if self.at < start:
            self.move_to(start, state, self.ahead(start, state))
        elif self.at > start:
            self._known = (start, state)

    def said(self) -> tuple[Any, Stance | None]:
        """The state after the bar at which it speaks, and what it says there."""
        return self._strategy.step(self._strategy.params, self._before, self._bars.bar(self.at))

    def state_before(self, bar: int) -> Any:
        """Its state before `bar`, which does not come after the one at which it speaks."""
        if bar == self.at:
            return self._before
        start, state = self._known
        self._known = (bar, self._run(state, start, bar)[0])
        return self._known[1]

    def _run(self, state: Any, start: int, stop: int) -> tuple[Any, int]:
        return self._strategy.run(self._strategy.params, state, self._bars, start, stop)


class _Speaking(NamedTuple):
    number: int
    voice: Voice
    stance: Stance | None
    state: Any
    found: Next


class Voices:
    """All strategies on all symbols of a tape. Asked in the tape's order: the past is forgotten."""

    def __init__(self, strategies: Sequence[SymbolStrategy], tape: Tape) -> None:
        self._voices = {
            symbol: [Voice(strategy, bars, (symbol, number)) for number, strategy in enumerate(strategies)]
            for symbol, bars in tape.columns.items()
        }
        self._silent = (None,) * len(strategies)
        self._agenda: list[tuple[int, int, Voice]] = []
        self._speaking: list[_Speaking] = []

    def resume(self, start: int, states: Mapping[str, Sequence[Any]]) -> None:
        """Go on at bar `start` with the strategies' states before it, however they came about."""
        for symbol, voices in self._voices.items():
            for voice, state in zip(voices, states[symbol], strict=True):
                voice.resume(start, state)
        everyone = (voice for voices in self._voices.values() for voice in voices)
        self._agenda = [(voice.at, number, voice) for number, voice in enumerate(everyone)]
        heapify(self._agenda)

    @property
    def next_at(self) -> int:
        """The bar at which a strategy speaks next."""
        return self._agenda[0][0]

    def said_at(self, bar: int) -> Said:
        """What is said at `bar`, by symbol in the tape's order; all has been heard before it."""
        self._speaking = []
        while self._agenda and self._agenda[0][0] == bar:
            _, number, voice = heappop(self._agenda)
            state, stance = voice.said()
            self._speaking.append(_Speaking(number, voice, stance, state, voice.ahead(bar + 1, state)))
        said: dict[str, list[Stance | None]] = {}
        for one in self._speaking:
            symbol, index = one.voice.place
            said.setdefault(symbol, list(self._silent))[index] = one.stance
        return {symbol: tuple(stances) for symbol, stances in said.items()}

    def move_on(self) -> None:
        """What was said last has been heard."""
        for one in self._speaking:
            one.voice.move_to(one.voice.at + 1, one.state, one.found)
        self.take_back()

    def take_back(self) -> None:
        """What was said last has not been heard after all."""
        for one in self._speaking:
            heappush(self._agenda, (one.voice.at, one.number, one.voice))
        self._speaking = []

    def states_before(self, bar: int) -> dict[str, tuple[Any, ...]]:
        """The strategies' states before `bar`, up to which all has been heard."""
        return {symbol: tuple(voice.state_before(bar) for voice in voices) for symbol, voices in self._voices.items()}
