"""The command line of `python -m services.risk`."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter, _SubParsersAction
from collections.abc import Callable, Coroutine, Sequence
from getpass import getuser
from typing import TYPE_CHECKING, Any, NoReturn

from shared.runtime.errors import LeitstandError

if TYPE_CHECKING:
    from shared.runtime.settings import Settings

_EXIT = "exit status: 0 carried out, 1 refused or failed, 2 wrong settings, 3 stored but no guard answered within 10 s"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run what the command line asks for and leave the process."""
    arguments = parser().parse_args(argv)
    sys.exit(arguments.run(arguments))


def parser() -> ArgumentParser:
    """What the command line takes; `run` in the parsed result carries it out."""
    whole = ArgumentParser("python -m services.risk", description=__doc__, epilog=_EXIT)
    whole.set_defaults(run=_run)
    commands = whole.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    commands.add_parser("run", help="stand guard (the default)")
    _add_stop(commands, "kill", "stop everything or one session: no new orders, cancel, flatten; latched")
    _add_stop(commands, "pause", "take no new risk until a resume; latched")
    _add_critical(commands, "resume", "let trading go on after a kill, a pause or a limit")
    _add_critical(commands, "flatten", "close every position; trading goes on afterwards")
    limit = _add_critical(commands, "limit", "lower a limit of the session file at once, or raise it with a code")
    limit.add_argument("limit", metavar="NAME", help="the limit's key in [risk]")
    limit.add_argument("value", metavar="VALUE", help="its value, written as in the session file")
    shown = commands.add_parser("status", help="the latch, the sessions, and each limit's use and headroom")
    shown.add_argument("--json", action="store_true", help="print JSON")
    shown.set_defaults(run=_status)
    enrolment = commands.add_parser("enrol-totp", help="make a secret for the second factor and show it as a QR code")
    enrolment.add_argument("--account", default="operator", help="the name that the authenticator app shows")
    enrolment.set_defaults(run=_enrol)
    return whole


def _add_stop(commands: "_SubParsersAction[ArgumentParser]", name: str, text: str) -> None:
    parser = _add_command(commands, name, text)
    parser.add_argument("words", nargs="?", default="", metavar="REASON", help="why, for the record")
    parser.add_argument("--reason", default="", help="the same")


def _add_critical(commands: "_SubParsersAction[ArgumentParser]", name: str, text: str) -> ArgumentParser:
    parser = _add_command(commands, name, text)
    parser.add_argument("--reason", required=True, help="why, for the record")
    parser.add_argument("--totp", help="the current one-time code, where TOTP_SECRET is set")
    return parser


def _add_command(commands: "_SubParsersAction[ArgumentParser]", name: str, text: str) -> ArgumentParser:
    parser = commands.add_parser(name, help=text, epilog=_EXIT, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--operator", default=_login(), help="who asks (default: %(default)s)")
    parser.add_argument("--session", metavar="ID", help="one session instead of all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_ask)
    return parser


def _login() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "operator"


def _run(_: Namespace) -> NoReturn:
    from services.risk.running import guard
    from shared.runtime.service import run

    run("risk", guard)


def _ask(arguments: Namespace) -> int:
    from services.risk.cli.ask import ask

    return _with_settings(ask, arguments)


def _status(arguments: Namespace) -> int:
    from services.risk.cli.status import status

    return _with_settings(status, arguments)


def _enrol(arguments: Namespace) -> int:
    from services.risk.cli.enrol import enrol

    return enrol(arguments.account)


def _with_settings(work: Callable[[Namespace, "Settings"], Coroutine[Any, Any, int]], arguments: Namespace) -> int:
    from shared.runtime.settings import load_settings

    try:
        return asyncio.run(work(arguments, load_settings()))
    except LeitstandError as error:
        print(f"risk: {error}", file=sys.stderr)
        return error.exit_status
