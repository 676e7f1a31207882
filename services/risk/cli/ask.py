"""Sending a command and waiting for the guard's word on it."""

import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncGenerator

from services.risk.cli.outcome import Outcome
from services.risk.recovery import COMMAND_FACTS
from shared.runtime.bus import Bus
from shared.runtime.settings import Settings
from shared.schemas.codec import decode
from shared.schemas.envelope import Event
from shared.schemas.subjects import EVENTS, every_session

ANSWER_WITHIN_SECONDS = 10.0
_QUIET_SECONDS = 0.3
"""The facts of one command are stored together, so the last has come when no other follows at once."""


async def ask(arguments: Namespace, settings: Settings) -> int:
    """Send the command that `arguments` name, print what came of it, answer the exit status."""
    bus = await Bus.connect(settings, "risk")
    try:
        await bus.ensure_streams()
        outcome = await carried_out(bus, arguments.command, arguments.session, _payload(arguments))
    finally:
        await bus.close()
    print(outcome.as_json() if arguments.json else outcome.as_text())
    return outcome.exit_status


def _payload(arguments: Namespace) -> bytes:
    given = vars(arguments)
    reason = arguments.reason or given.get("words") or "no reason given"
    fields = {"reason": reason, "operator": arguments.operator, "totp": given.get("totp")}
    return json.dumps({name: value for name, value in fields.items() if value}).encode()


async def carried_out(bus: Bus, name: str, session_id: str | None, payload: bytes) -> Outcome:
    """Store the command and answer what the guard tells about it; RetryableError when it can't be stored."""
    before = await bus.last_sequence(EVENTS)
    sequence = await bus.command(name, session_id, payload)
    return Outcome(name, sequence, await _facts(bus, before + 1, sequence))


async def _facts(bus: Bus, start: int, sequence: int) -> list[Event]:
    facts: list[Event] = []
    answers = _answers(bus, start, sequence)
    try:
        while True:
            wait = _QUIET_SECONDS if facts else ANSWER_WITHIN_SECONDS
            async with asyncio.timeout(wait):
                facts.append(await anext(answers))
    except TimeoutError:
        return facts
    finally:
        await answers.aclose()


async def _answers(bus: Bus, start: int, sequence: int) -> AsyncGenerator[Event, None]:
    subjects = [every_session("risk", kind) for kind in COMMAND_FACTS]
    async for delivery in bus.follow(EVENTS, subjects, start):
        fact = decode(delivery.subject, delivery.payload)
        if fact.details.control_sequence == sequence:
            yield fact
