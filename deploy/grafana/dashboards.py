"""The dashboards as files: `python -m deploy.grafana.dashboards` writes them, `--check` tells whether they are current.

Grafana reads `deploy/grafana/dashboards/*.json` through its file provisioning; nobody edits them by hand.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import trading

FOLDER = Path(__file__).parent / "dashboards"


def rendered() -> dict[str, str]:
    """File name -> content of every dashboard; the same on each run."""
    return {"trading.json": _as_json(trading.dashboard().build())}


def _as_json(dashboard: object) -> str:
    tree = json.loads(json.dumps(dashboard, cls=JSONEncoder))
    for number, panel in enumerate(tree["panels"], start=1):
        panel["id"] = number
    return json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def outdated(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Names of files in `folder` that are missing, differ from `files`, or should not be there."""
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in present.keys() | files.keys() if present.get(name) != files.get(name))


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make `folder` hold exactly `files`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in outdated(folder, files):
        (folder / name).unlink(missing_ok=True)
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")


def main() -> int:
    """Write or check; exit status 1 when a check finds a file that is not current."""
    parser = argparse.ArgumentParser(description="Write Grafana's dashboards.")
    parser.add_argument("--check", action="store_true", help="only tell whether the files are current")
    if not parser.parse_args().check:
        write(FOLDER, rendered())
        return 0
    stale = outdated(FOLDER, rendered())
    for name in stale:
        print(f"{FOLDER / name} is not current: run python -m deploy.grafana.dashboards", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
