"""What a feed is: validated history in market time, cut into slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.schemas.lifecycle import Repair
from shared.schemas.market import Candle

if TYPE_CHECKING:
    from services.runner.feeds.tape import Tape

Slice = tuple[Candle, ...]
"""The candles of all symbols that close at the same instant, in the session's order of symbols."""


@dataclass(frozen=True, slots=True)
class FeedDescription:
    """What a feed turned out to hold. `slices` is None where it never ends; `repairs` tell how input was mended."""

    source: str
    symbols: tuple[str, ...]
    timeframe: str
    slices: int | None
    repairs: Sequence[Repair]


class Feed(Protocol):
    """Deterministic: asked again, it yields the same slices in the same order."""

    @property
    def description(self) -> FeedDescription:
        """What the feed holds; known before its first slice is asked for."""

    def slices(self) -> Iterator[Slice]:
        """Every slice from the first, in market time."""

    def tape(self) -> "Tape | None":
        """All of it at once, for one that looks at many slices together; None where it does not have that form."""


class FeedError(ValueError):
    """The feed cannot be traded on; the message names the file, the line and the reason."""
