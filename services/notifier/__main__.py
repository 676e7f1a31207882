"""`python -m services.notifier`: tells people what they should know."""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from services.notifier.service import serve
from services.notifier.trial import try_channels
from shared.runtime.errors import LeitstandError
from shared.runtime.service import run
from shared.runtime.settings import load_settings


def main(arguments: Sequence[str]) -> int:
    """Run the service, or what else the arguments ask for; answers the exit status."""
    parser = ArgumentParser(prog="python -m services.notifier", description="Sends alerts about a trading session.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="follow the events and send what deserves a message (the default)")
    commands.add_parser("test", help="send a test message over every configured channel and say what happened")
    if parser.parse_args(arguments).command == "test":
        return _test()
    run("notifier", serve)


def _test() -> int:
    try:
        return asyncio.run(try_channels(load_settings()))
    except LeitstandError as error:
        print(f"notifier: {error}", file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
