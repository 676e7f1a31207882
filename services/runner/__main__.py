"""The runner's command line."""

import argparse
import os
import sys
from pathlib import Path

from services.runner.setting_up import Options, duration_of, events_kept, speed_of
from shared.runtime.errors import LeitstandError

DEFAULT_SESSION = "config/demo.toml"


def main() -> None:
    """`python -m services.runner [run|backtest|replay|doctor]`; run by default."""
    arguments = _parser().parse_args(sys.argv[1:] or ["run"])
    try:
        options = arguments.options(arguments)
    except LeitstandError as error:
        print(f"runner: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    sys.exit(arguments.command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="services.runner", description="Trades a session from its TOML file.")
    commands = parser.add_subparsers(required=True)
    for name, command, text in (
        ("run", _run, "trade the session on the bus"),
        ("backtest", _backtest, "trade it over history, without the bus, and write a report"),
        (
            "doctor",
            _doctor,
            "check settings, session, venue, account, limits and stack line by line, and trade nothing",
        ),
    ):
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command, options=_options)
        _add_options(sub)
        if command is _backtest:
            _add_events(sub)
    _add_replay(commands)
    return parser


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "decide a recorded session again, and show the first difference"
    replay = commands.add_parser("replay", help=text, description=text)
    replay.add_argument("session_id", nargs="?", default="", help="the id or its beginning; by default the newest")
    replay.add_argument("--all", action="store_true", dest="every", help="every session in the stream")
    replay.add_argument("--events", type=Path, metavar="FILE", help="an events.jsonl in place of the stream")
    replay.set_defaults(command=_replay, options=lambda arguments: arguments)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--session", default=os.environ.get("SESSION") or DEFAULT_SESSION, metavar="FILE")
    parser.add_argument("--candles", action="append", metavar="FILE", help="CSV in place of the session's feed")
    parser.add_argument("--speed", default=os.environ.get("SPEED") or "60", help="market seconds a second, or max")
    parser.add_argument(
        "--duration", default=os.environ.get("DURATION"), help="end the session after, for example, 60s"
    )


def _add_events(parser: argparse.ArgumentParser) -> None:
    text = "what events.jsonl records: all; trades, without candles and marks; or none. The less, the faster"
    parser.add_argument("--events", default=os.environ.get("EVENTS") or "all", help=text)


def _options(arguments: argparse.Namespace) -> Options:
    candles = arguments.candles or (os.environ.get("CANDLES") or "").split()
    return Options(
        session=Path(arguments.session),
        candles=tuple(Path(path) for path in candles),
        speed=speed_of(arguments.speed),
        duration=duration_of(arguments.duration) if arguments.duration else None,
        events=events_kept(getattr(arguments, "events", "all")),
    )


def _run(options: Options) -> int:
    from services.runner.service import trade
    from shared.runtime.service import run

    run("runner", lambda context: trade(context, options))


def _backtest(options: Options) -> int:
    from services.runner.backtest_command import run_backtest

    return run_backtest(options)


def _replay(arguments: argparse.Namespace) -> int:
    from services.runner.replay.command import Choice, run_replay

    return run_replay(Choice(arguments.session_id, arguments.every, arguments.events))


def _doctor(options: Options) -> int:
    from services.runner.doctor import examine

    return examine(options)


if __name__ == "__main__":
    main()
