"""How far the session files reach: the stream's sequence, the sizes of growing files, and the hash chains."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.recorder.core.audit import Chain, Mark
from shared.runtime.errors import FatalError

POSITION_FILE = ".position"


@dataclass(frozen=True, slots=True)
class FilePosition:
    """Everything up to and with `sequence` is on disk; `sizes` are bytes by path below the sessions folder.

    `chains` are the hash chains over what is on disk, by session.
    """

    sequence: int
    sizes: Mapping[str, int]
    chains: Mapping[str, Chain] = field(default_factory=dict)


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
        chains = {str(session_id): _chain(told) for session_id, told in kept.get("chains", {}).items()}
        sizes = {str(name): int(size) for name, size in kept["files"].items()}
        return FilePosition(int(kept["sequence"]), sizes, chains)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FatalError(
            f"{path} is damaged ({error}); delete it and run `python -m services.recorder rebuild`"
        ) from error


def write_position(root: Path, position: FilePosition) -> None:
    """Keep `position` in the sessions folder `root`."""
    chains = {session_id: _spelled(chain) for session_id, chain in position.chains.items()}
    kept = {"sequence": position.sequence, "files": dict(position.sizes), "chains": chains}
    write_aside(root / POSITION_FILE, json.dumps(kept).encode())


def _spelled(chain: Chain) -> dict[str, Any]:
    told = {"count": chain.told.count, "head": chain.told.head.hex(), "offset": chain.told.offset}
    return {"count": chain.count, "head": chain.head.hex(), "substance": chain.substance, "told": told}


def _chain(kept: dict[str, Any]) -> Chain:
    told = Mark(int(kept["told"]["count"]), bytes.fromhex(kept["told"]["head"]), int(kept["told"]["offset"]))
    return Chain(int(kept["count"]), bytes.fromhex(kept["head"]), int(kept["substance"]), told)
