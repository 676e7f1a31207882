"""The lock: one hash-pinned file a dependency group, compiled from pyproject.toml.

`python -m deploy.lock` compiles `requirements/<group>.txt` anew; `--check` tells, without a network, which of them no
longer belong to their group. Each file carries a digest of the requirements that it was compiled from.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Groups = Mapping[str, list[Any]]
ROOT = Path(__file__).parents[1]
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
    "--quiet",
)
SHARED = "all"
"""The group that the others take their versions from, so that a package has one version everywhere."""


def requirements_of(groups: Groups, group: str) -> Iterator[str]:
    """The requirements of `group` and of the groups that it includes (PEP 735)."""
    for entry in groups[group]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from requirements_of(groups, entry["include-group"])


def digest_of(groups: Groups, group: str) -> str:
    """A fingerprint of everything that a group asks for (SHA-256, hexadecimal)."""
    return hashlib.sha256(json.dumps(sorted(set(requirements_of(groups, group)))).encode()).hexdigest()


def header_of(groups: Groups, group: str) -> str:
    """The line that a compiled file begins with."""
    return f"# Dependency group {group} of pyproject.toml, compiled by `make lock` from {digest_of(groups, group)}\n"


def stale(root: Path) -> list[str]:
    """What is wrong with the lock under `root`, a line each; empty when it is up to date."""
    groups = read_groups(root)
    missing = [f"{_file(root, group)}: missing" for group in groups if not _file(root, group).exists()]
    outdated = [
        f"{_file(root, group)}: compiled from other requirements than pyproject.toml now names"
        for group in groups
        if _file(root, group).exists() and not _file(root, group).read_text().startswith(header_of(groups, group))
    ]
    orphans = [f"{path}: no such group" for path in _folder(root).glob("*.txt") if path.stem not in groups]
    return missing + outdated + orphans


def read_groups(root: Path) -> Groups:
    """The dependency groups of the project under `root`."""
    groups: Groups = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    return groups


def compile_all(root: Path) -> None:
    """Compile every group of the project under `root`; needs uv and a package index."""
    groups = read_groups(root)
    for group in sorted(groups, key=lambda name: name != SHARED):
        constraints = () if group == SHARED else ("--constraints", str(_file(root, SHARED)))
        _file(root, group).write_text(header_of(groups, group) + _compiled(root, group, *constraints))
        print(f"compiled {_file(root, group).relative_to(root)}", flush=True)


def _compiled(root: Path, group: str, *constraints: str) -> str:
    command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *constraints, "--group", group]
    return subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout


def _folder(root: Path) -> Path:
    return root / "requirements"


def _file(root: Path, group: str) -> Path:
    return _folder(root) / f"{group}.txt"


def main() -> int:
    """Exit 0 when the lock is compiled, or up to date; 1 when `--check` finds it stale."""
    parser = argparse.ArgumentParser(prog="python -m deploy.lock", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether the lock is up to date")
    if not parser.parse_args().check:
        compile_all(ROOT)
        return 0
    problems = stale(ROOT)
    for problem in problems:
        print(f"{problem}; run `make lock`", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
