"""The recorder's commands and their arguments."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from services.recorder.announcements import SERVICE
from services.recorder.catalogue import Filter, as_json, sessions, table
from services.recorder.export import export
from services.recorder.folder import folder_of
from services.recorder.keeping import snapshots_of
from services.recorder.rebuild import rebuild_files, rebuild_tables
from services.recorder.reports import write_report
from services.recorder.serve import record
from services.recorder.sole import sole_writer
from services.recorder.validate import findings
from services.recorder.verify import add_verify
from shared.runtime.bus import Bus
from shared.runtime.errors import LeitstandError
from shared.runtime.service import run
from shared.runtime.settings import Settings, load_settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names; answers the exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.command in (None, "run"):
        run(SERVICE, record)
    try:
        return int(arguments.act(load_settings(), arguments))
    except LeitstandError as error:
        print(f"{SERVICE}: {error}", file=sys.stderr)
        return error.exit_status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m services.recorder", description="Records sessions and reports on them.")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("run", help="record what is told on the bus (the default)")
    _add_sessions(commands)
    for name, act, text in (
        ("report", _report, "write a session's report.html anew"),
        ("validate", _validate, "check a session's folder: schema, order, summary and trades against the events"),
        ("export", _export, "copy a session into one file"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("session", help="the session's id, its first characters, or its folder")
        command.set_defaults(act=act)
        if name == "export":
            command.add_argument(
                "--out", type=Path, required=True, help="NAME.zip for all; .jsonl, .json, .csv, .html for one file"
            )
    add_verify(commands)
    text = "make folders and tables anew from the stream; stop the recorder first"
    rebuild = commands.add_parser("rebuild", help=text, description=text)
    rebuild.add_argument("session", nargs="?", help="the session's id; without one, all sessions")
    rebuild.set_defaults(act=_rebuild)
    return parser


def _add_sessions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listing = commands.add_parser("sessions", help="list recorded sessions", description="List recorded sessions.")
    listing.add_argument("--status", choices=("running", "success", "failed", "killed"))
    since = "started then or later; ISO-8601, UTC unless it says otherwise"
    listing.add_argument("--since", type=_instant, metavar="DATE", help=since)
    listing.add_argument("--symbol")
    listing.add_argument("--strategy")
    listing.add_argument("--min-roi", type=_decimal, metavar="PERCENT")
    listing.add_argument("--json", action="store_true", help="the summaries as a JSON array")
    listing.set_defaults(act=_sessions)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None


def _root(settings: Settings) -> Path:
    return settings.data_dir / "sessions"


def _sessions(settings: Settings, arguments: argparse.Namespace) -> int:
    wanted = Filter(arguments.status, arguments.since, arguments.symbol, arguments.strategy, arguments.min_roi)
    found = sessions(_root(settings), wanted)
    print(as_json(found) if arguments.json else "\n".join(table(found)))
    return 0


def _report(settings: Settings, arguments: argparse.Namespace) -> int:
    print(write_report(folder_of(_root(settings), arguments.session)))
    return 0


def _export(settings: Settings, arguments: argparse.Namespace) -> int:
    export(folder_of(_root(settings), arguments.session), arguments.out)
    print(arguments.out)
    return 0


def _validate(settings: Settings, arguments: argparse.Namespace) -> int:
    folder = folder_of(_root(settings), arguments.session)
    found = 0
    for found, finding in enumerate(findings(folder), start=1):  # noqa: B007 - the count outlives the loop
        print(finding)
    print(f"{folder.name}: {f'{found} findings' if found else 'valid'}")
    return 1 if found else 0


def _rebuild(settings: Settings, arguments: argparse.Namespace) -> int:
    with sole_writer(_root(settings)):
        for folder in asyncio.run(_rebuilt(settings, arguments.session)):
            print(folder)
    return 0


async def _rebuilt(settings: Settings, session_id: str | None) -> list[Path]:
    bus = await Bus.connect(settings, SERVICE)
    try:
        snapshots_of(bus, settings).remove()
        folders = await rebuild_files(bus, _root(settings), session_id)
        if settings.database_url is not None:
            await rebuild_tables(bus, settings.database_url, session_id)
        return folders
    finally:
        await bus.close()
