"""What the long trials are asked for on the command line, and where what they came to is written."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.trials.venues import TRIALS


def add_arguments(parser: argparse.ArgumentParser, minutes: int) -> None:
    """The arguments that all long trials have; by default so many `minutes`."""
    parser.add_argument("--venue", choices=TRIALS, default="binance")
    parser.add_argument("--minutes", type=int, default=minutes)
    parser.add_argument("--results", type=Path, help="write the outcome as JSON, too")


def write(given: argparse.Namespace, outcome: Mapping[str, Any]) -> None:
    """Print the outcome, and write it where that was asked for."""
    text = json.dumps(outcome, indent=2)
    print(text)
    if given.results:
        given.results.parent.mkdir(parents=True, exist_ok=True)
        given.results.write_text(text + "\n")
