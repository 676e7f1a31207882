"""The house as machine code: a copy of its sources in which mypyc has compiled what decides, folds and reads facts.

`python -m deploy.native` keeps `build/native` up to date: the sources are copied each time, and compiled when one of
them has changed. The copy holds its own sources, so it can't run code that is older than what stands beside it. What is
compiled is the very same code; it only runs faster. Needs a C compiler and the group `compile` of pyproject.toml.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("shared", "services")
COPIED = (*CODE, "deploy", "bench", "tests", "config", "docs", "requirements", "pyproject.toml")
STAMP = "native.sha256"
CORES = os.cpu_count() or 1

GROUPS: Mapping[str, Sequence[str]] = {
    "shared": (
        "shared/domain/*.py",
        "shared/venues/paper/*.py",
        "shared/schemas/as_written.py",
        "shared/schemas/codec.py",
        "shared/schemas/identity.py",
        "shared/schemas/subjects.py",
        "shared/schemas/trusted.py",
        "shared/schemas/upcasting.py",
        "shared/runtime/delivery.py",
        "shared/runtime/inlet.py",
        "shared/runtime/progress.py",
        "shared/runtime/publishing.py",
        "shared/runtime/wire.py",
    ),
    "risk": (
        "services/risk/core/*.py",
        "services/risk/limits/*.py",
        "services/risk/incoming.py",
        "services/risk/watch.py",
    ),
    "runner": (
        "services/runner/core/*.py",
        "services/runner/skimming/*.py",
        "services/runner/replay/difference.py",
        "services/runner/replay/guard.py",
        "services/runner/replay/inputs.py",
        "services/runner/replay/runner.py",
        "services/runner/replay/session.py",
        "services/runner/replay/telling.py",
        "services/runner/feeds/tape.py",
        "services/runner/strategies/indicators.py",
        "services/runner/deciding.py",
        "services/runner/recollection.py",
    ),
}
"""One library a group, so that an image takes along only what its service imports.

Left out are what declares pydantic models (their classes are made at run time) and asynchronous generators, which mypyc
does not know, and classes that others inherit from.
"""
INTERPRETED = frozenset({"shared/venues/paper/venue.py"})


class NativeError(RuntimeError):
    """The house can't be compiled here; the message says what is missing."""


def compiled_modules(root: Path) -> dict[str, list[str]]:
    """The sources that each group compiles, as paths below `root`."""
    return {name: sorted(_matching(root, patterns)) for name, patterns in GROUPS.items()}


def _matching(root: Path, patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        places = [path.relative_to(root).as_posix() for path in root.glob(pattern) if path.name != "__init__.py"]
        if not places:
            raise NativeError(f"deploy/native.py: nothing matches {pattern}")
        yield from (place for place in places if place not in INTERPRETED)


def copy(source: Path, target: Path) -> None:
    """Make `target` hold what `source` holds of the sources; what was compiled there stays."""
    wanted = {path.relative_to(source): path for path in _sources(source, COPIED)}
    for place in [path.relative_to(target) for path in _sources(target, COPIED)]:
        if place not in wanted and place.suffix != ".so":
            (target / place).unlink()
    for place, path in wanted.items():
        copied = target / place
        if not copied.exists() or copied.read_bytes() != path.read_bytes():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copied)


def _sources(root: Path, names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        found = root / name
        if found.is_file():
            yield found
        for path in sorted(found.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def fingerprint(root: Path) -> str:
    """What the machine code follows from: every source it may look at, the interpreter and the compiler (SHA-256)."""
    whole = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()} {version('mypy')}".encode())
    for path in _sources(root, (*CODE, "deploy/native.py", "pyproject.toml")):
        if path.suffix in {".py", ".toml"}:
            content = path.read_bytes()
            whole.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def update(source: Path, target: Path) -> None:
    """Make `target` a compiled copy of `source`; NativeError where that fails, and then it has no machine code.

    Machine code goes before the sources that it was made of do: whoever looks meanwhile finds none rather than old one.
    """
    stamp, wanted = target / STAMP, fingerprint(source)
    if stamp.exists() and stamp.read_text() == wanted:
        copy(source, target)
        return
    discard(target)
    copy(source, target)
    try:
        _compile_in(target)
    except BaseException:
        discard(target)
        raise
    stamp.write_text(wanted)


def discard(target: Path) -> None:
    """Remove all machine code from `target`."""
    (target / STAMP).unlink(missing_ok=True)
    for old in (*target.glob("*.so"), *(path for path in _sources(target, CODE) if path.suffix == ".so")):
        old.unlink()


def _compile_in(target: Path) -> None:
    _require_compiler()
    print(f"Compiling the house into {target} (a few minutes) …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "log").open("w+") as log:
        # In a process of its own: mypyc and setuptools leave their traces in the one they run in.
        command = [sys.executable, __file__, "--build-with", scratch]
        if subprocess.run(command, cwd=target, stdout=log, stderr=subprocess.STDOUT, check=False).returncode:
            log.seek(0)
            raise NativeError(f"mypyc gave up:\n{log.read()[-4000:]}")


def _require_compiler() -> None:
    has_compiler = shutil.which("gcc") or shutil.which("cc")
    if not has_compiler or not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise NativeError(
            "a C compiler and Python's headers are needed; "
            "on Debian and Ubuntu: apt-get install gcc libc6-dev python3-dev"
        )


def _build(scratch: str) -> None:
    """Compile what lies in the working directory; the C code and what else is of no further use goes to `scratch`."""
    from mypyc.build import mypycify
    from setuptools import setup

    groups = compiled_modules(Path())
    extensions = mypycify(
        ["--ignore-missing-imports", *chain.from_iterable(groups.values())],
        separate=[(modules, name) for name, modules in groups.items()],
        opt_level="2",
        debug_level="0",
        target_dir=scratch,
    )
    options = ["build_ext", "--inplace", f"--build-temp={scratch}", f"--build-lib={scratch}", f"--parallel={CORES}"]
    setup(name="leitstand", packages=[], py_modules=[], ext_modules=extensions, script_args=options)


def main() -> int:
    """Exit 0 when the copy is up to date, 1 when it can't be compiled here."""
    parser = argparse.ArgumentParser(prog="python -m deploy.native", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "native", help="where the copy is kept")
    parser.add_argument("--build-with", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build_with:
        _build(given.build_with)
        return 0
    try:
        update(ROOT, given.into)
    except NativeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
