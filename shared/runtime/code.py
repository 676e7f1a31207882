"""A fingerprint of the program's own code, to tell whether facts or states come from the same one."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path


@cache
def code_digest(*names: str) -> str:
    """SHA-256 (hexadecimal) over the sources of the packages and modules `names`, found without importing them."""
    whole = sha256()
    for name in names:
        for place, source in _sources(name):
            whole.update(f"{place}\n{len(source)}\n".encode())
            whole.update(source)
    return whole.hexdigest()


def _sources(name: str) -> Iterator[tuple[str, bytes]]:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {name}")
    if not spec.submodule_search_locations:
        yield name, _source_of(Path(spec.origin)).read_bytes()
        return
    folder = Path(spec.origin).parent
    for path in sorted(folder.rglob("*.py")):
        yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _source_of(origin: Path) -> Path:
    """Machine code lies beside the source that it was made of, and decides the same."""
    return origin if origin.suffix == ".py" else origin.with_name(origin.name.partition(".")[0] + ".py")
