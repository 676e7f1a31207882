"""How far the session files reach: the stream's sequence and the size of every file that may be appended to."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.runtime.errors import FatalError

POSITION_FILE = ".position"


@dataclass(frozen=True, slots=True)
class FilePosition:
    """Everything up to and with `sequence` is on disk; `sizes` are bytes by path below the sessions folder."""

    sequence: int
    sizes: Mapping[str, int]


def write_aside(path: Path, content: bytes) -> None:
    """Replace `path` in one step: readers see the old file or the new one, whole."""
    aside = path.with_name(f".{path.name}.aside")
    aside.write_bytes(content)
    os.replace(aside, path)


def read_position(root: Path) -> FilePosition | None:
    """The position kept in the sessions folder `root`; None when there is none yet. FatalError when unreadable."""
    path = root / POSITION_FILE
    try:
        kept = json.loads(path.read_bytes())
        return FilePosition(int(kept["sequence"]), {str(name): int(size) for name, size in kept["files"].items()})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FatalError(
            f"{path} is damaged ({error}); delete it and run `python -m services.recorder rebuild`"
        ) from error


def write_position(root: Path, position: FilePosition) -> None:
    """Keep `position` in the sessions folder `root`."""
    kept = {"sequence": position.sequence, "files": dict(position.sizes)}
    write_aside(root / POSITION_FILE, json.dumps(kept).encode())
