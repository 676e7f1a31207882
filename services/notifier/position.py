"""How far the notifier has come in EVENTS: everything up to its position has been told, or told as failed."""

import json
import os
from pathlib import Path

from shared.runtime.errors import FatalError


class Position:
    """The position and the file that keeps it across restarts."""

    def __init__(self, path: Path, stored: int | None) -> None:
        self._path = path
        self._written = stored
        self._seen = stored or 0
        self._begun = False
        self._open: dict[int, int] = {}

    @classmethod
    def load(cls, path: Path) -> "Position":
        """The position in the file `path`, which need not exist; FatalError when it can't be read."""
        try:
            return cls(path, int(json.loads(path.read_text(encoding="utf-8"))["sequence"]))
        except FileNotFoundError:
            return cls(path, None)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FatalError(
                f"{path} can't be read ({error}); remove it to tell only of what comes from now on"
            ) from None

    @property
    def stored(self) -> int | None:
        """What the file says, None before the first time."""
        return self._written

    @property
    def sequence(self) -> int:
        """The last number before which nothing is open."""
        return min(self._open, default=self._seen + 1) - 1

    def forget(self) -> None:
        """Begin anew: the stream that the position belonged to is gone."""
        self._written, self._seen, self._begun = None, 0, False

    def begin(self, sequence: int, messages: int) -> None:
        """The fact `sequence` was decided on and led to so many deliveries."""
        self._seen, self._begun = max(self._seen, sequence), True
        if messages:
            self._open[sequence] = self._open.get(sequence, 0) + messages

    def settle(self, sequence: int) -> None:
        """One delivery about the fact `sequence` has its outcome."""
        self._open[sequence] -= 1
        if not self._open[sequence]:
            del self._open[sequence]

    def save(self) -> None:
        """Write the position, when it has moved: beside the file, then renamed."""
        if not self._begun or self.sequence == self._written:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps({"sequence": self.sequence}), encoding="utf-8")
        aside.replace(self._path)
        self._written = self.sequence
