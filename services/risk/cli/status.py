"""What the guard knows, read from the stream: it tells even while no guard runs."""

import json
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from services.risk.core.guard import Guard, evolve, initial
from services.risk.core.usage import Use, limits_in_use
from services.risk.incoming import concerning
from services.risk.recovery import recall
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.schemas.codec import UndecodableError
from shared.schemas.guard import Halt
from shared.schemas.subjects import EVENTS, every_session, parse_event_subject, session_subjects


@dataclass(frozen=True, slots=True)
class Report:
    """The stack's latch, the sessions that have not ended, and when the guard was last heard in each."""

    halt: Halt | None
    guards: list[Guard]
    heard: dict[str, datetime]


async def status(arguments: Namespace, settings: Settings) -> int:
    """Print the stack's latch, the sessions and the limits' use; answers the exit status."""
    bus = await Bus.connect(settings, "risk")
    try:
        await bus.ensure_streams()
        report = await _report(bus)
    finally:
        await bus.close()
    now = clock.now()
    print(json.dumps(as_json(report, now)) if arguments.json else as_text(report, now))
    return 0


async def _report(bus: Bus) -> Report:
    history = await recall(bus)
    beats = await bus.latest(EVENTS, [every_session("risk", "heartbeat")])
    heard = {parse_event_subject(beat.subject)[0]: beat.stored_at for beat in beats}
    return Report(history.halt, [await _guard(bus, name) for name in history.unfinished], heard)


async def _guard(bus: Bus, session_id: str) -> Guard:
    guard = initial(session_id)
    async for delivery in bus.read(EVENTS, [session_subjects(session_id)]):
        with suppress(UndecodableError):
            event = concerning(delivery)
            guard = evolve(guard, event) if event else guard
    return guard


def as_json(report: Report, now: datetime) -> dict[str, object]:
    """The report for other programs."""
    return {
        "halt": _halt(report.halt),
        "sessions": [
            {
                "session_id": guard.session_id,
                "name": guard.config.name if guard.config else None,
                "halt": _halt(guard.halt),
                "guard_heard_at": str(report.heard[guard.session_id]) if guard.session_id in report.heard else None,
                "limits": [_limit(use) for use in limits_in_use(guard, now)],
            }
            for guard in report.guards
        ],
    }


def as_text(report: Report, now: datetime) -> str:
    """The report for people."""
    sessions = [line for guard in report.guards for line in _session(guard, report.heard, now)]
    return "\n".join((f"stack: {_state(report.halt)}", *(sessions or ["no session is running"])))


def _session(guard: Guard, heard: dict[str, datetime], now: datetime) -> list[str]:
    name = guard.config.name if guard.config else "not started"
    word = heard.get(guard.session_id)
    age = f"{(now - word).total_seconds():.0f} s ago" if word else "never"
    head = f"\nsession {guard.session_id} ({name}): {_state(guard.halt)}; guard last heard {age}"
    columns = ("limit", "bound", "in use", "headroom")
    uses = limits_in_use(guard, now)
    rows = [(use.limit, use.bound, use.used or "each order", use.headroom or "") for use in uses]
    return [head, *_aligned([columns, *rows])] if uses else [head]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    pads = [f"  {{:<{first}}}", *(f"{{:>{width}}}" for width in others)]
    return ["  ".join(pads).format(*row).rstrip() for row in rows]


def _limit(use: Use) -> dict[str, str | None]:
    return {"limit": use.limit, "bound": use.bound, "used": use.used, "headroom": use.headroom}


def _halt(halt: Halt | None) -> dict[str, object] | None:
    return halt.model_dump(mode="json") if halt else None


def _state(halt: Halt | None) -> str:
    if halt is None:
        return "trading"
    return f"halted ({halt.kind}) by {halt.operator or 'an unnamed operator'}: {halt.reason}"
