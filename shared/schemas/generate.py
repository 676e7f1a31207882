"""Writes what is generated from the schemas: `python -m shared.schemas.generate [--check]`."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.schemas.documents.asyncapi import asyncapi
from shared.schemas.documents.event_table import with_table
from shared.schemas.documents.json_schema import all_schemas, earlier_files, file_name
from shared.schemas.documents.yaml_text import to_yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path("shared/schemas/json")
ASYNCAPI = Path("docs/asyncapi.yaml")
ARCHITECTURE = Path("docs/architecture.md")


def documents(root: Path) -> dict[Path, str]:
    """Every generated file, relative to the project's root, with the text that it should have."""
    files = {SCHEMAS / file_name(name): f"{json.dumps(schema, indent=2)}\n" for name, schema in all_schemas().items()}
    files[ASYNCAPI] = to_yaml(asyncapi())
    files[ARCHITECTURE] = with_table((root / ARCHITECTURE).read_text(encoding="utf-8"))
    return files


def orphans(root: Path, files: Mapping[Path, str]) -> list[Path]:
    """Schemas of types that are gone. Those of versions that are still read stay as they were."""
    present = sorted(path.relative_to(root) for path in (root / SCHEMAS).glob("*.json"))
    kept = {SCHEMAS / name for name in earlier_files()}
    return [path for path in present if path not in files and path not in kept]


def stale(root: Path, files: Mapping[Path, str]) -> list[Path]:
    """The files that are missing, differ from what they should be, or should not be there."""
    return [path for path, text in files.items() if _text(root / path) != text] + orphans(root, files)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def write(root: Path, files: Mapping[Path, str]) -> list[Path]:
    """Bring every generated file up to date; answers those that changed."""
    changed = stale(root, files)
    for path in changed:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Exit status 1 when `--check` finds something stale."""
    parser = ArgumentParser(prog="python -m shared.schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name what is stale and exit with 1")
    files = documents(root)
    if not parser.parse_args(arguments).check:
        for path in write(root, files):
            print(f"written: {path}")
        return 0
    for path in (outdated := stale(root, files)):
        print(f"stale: {path}; run `python -m shared.schemas.generate`", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
