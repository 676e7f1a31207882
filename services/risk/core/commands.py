"""What follows from an operator's command. A stop never fails; whatever lets risk in again is checked first."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.risk.core import adjusting
from services.risk.core.adjusting import Change
from services.risk.core.stack import Stack
from shared.schemas.commands import Command, LimitRequest, Request, printable
from shared.schemas.envelope import Event
from shared.schemas.guard import (
    ChangedLimit,
    CommandRefused,
    FlattenOrder,
    FlattenOrdered,
    Halt,
    LimitChanged,
    RefusedCommand,
    Resumption,
    TradingHalted,
    TradingResumed,
)
from shared.schemas.identity import Cause, Facts, derived_id
from shared.schemas.values import STACK, iso

OTHERS = frozenset({"rebalance", "report"})
"""Commands that other services carry out."""

MOST_WRONG_CODES, WITHIN = 5, timedelta(minutes=5)
"""After so many wrong one-time codes in that time none is looked at; a stop needs none."""
SecondFactor = Callable[[str, datetime], int | None]
"""The time step for which a one-time code is right at an instant, or None when it is wrong."""


def command_id(sequence: int) -> str:
    """The identity of the command that is number `sequence` in CONTROL: the same however often it is delivered."""
    return derived_id(STACK, "control", sequence)


def decide(stack: Stack, command: Command, second_factor: SecondFactor | None) -> Sequence[Event]:
    """The facts that follow from `command`; a code is checked where there is a `second_factor`."""
    name = command.name.lower()
    if name in ("kill", "pause"):
        return _stop(stack, command, "kill" if name == "kill" else "pause")
    if name in ("resume", "flatten"):
        return _checked(stack, command, second_factor)
    if name == "limit":
        return _limit(stack, command, second_factor)
    return () if name in OTHERS else _refuse(stack, command, "there is no such command")


def spend(stack: Stack, command: Command, second_factor: SecondFactor | None) -> Stack:
    """The stack after the command's one-time code was shown: a right one is used up, a wrong one counted."""
    request = command.request()
    if second_factor is None or isinstance(request, str) or request.totp is None:
        return stack
    step = second_factor(request.totp, command.stored_at)
    if step is None:
        return stack._replace(wrong_codes=(*stack.wrong_codes, command.stored_at)[-MOST_WRONG_CODES:])
    return stack._replace(spent_step=max(step, stack.spent_step))


def kill_switch(stack: Stack, cause_id: str, at: datetime) -> Sequence[Event]:
    """The kill that the setting KILL_SWITCH asks for at a start at `at`; nothing while a kill is latched."""
    if stack.halt is not None and stack.halt.kind == "kill":
        return ()
    halt = Halt(kind="kill", reason="KILL_SWITCH=true at the guard's start", operator="KILL_SWITCH", scope="stack")
    return _tell(stack, [STACK, *stack.guards], cause_id, at, TradingHalted, halt, level="error")


def _stop(stack: Stack, command: Command, kind: Literal["kill", "pause"]) -> Sequence[Event]:
    target = _target(command) or STACK
    if target in stack.ended:
        return _refuse(stack, command, f"session {target} is over")
    if kind == "pause" and _is_killed(stack, target):
        return _refuse(stack, command, "a kill is in force, which is stronger")
    scope: Literal["stack", "session"] = "stack" if target == STACK else "session"
    halt = Halt(
        kind=kind,
        reason=command.reason(),
        operator=_operator(command),
        scope=scope,
        control_sequence=command.sequence,
    )
    level = "error" if kind == "kill" else "warning"
    return _answer(stack, command, _everyone(stack, target), TradingHalted, halt, level=level)


def _checked(stack: Stack, command: Command, second_factor: SecondFactor | None) -> Sequence[Event]:
    request = command.request()
    if isinstance(request, str):
        return _refuse(stack, command, request)
    target = _target(command) or STACK
    problem = (
        _unenrolled(stack, target, second_factor)
        or _wrong_code(stack, request, command.stored_at, second_factor)
        or _wrong_target(stack, command)
    )
    if problem:
        return _refuse(stack, command, problem)
    act = _resume if command.name.lower() == "resume" else _flatten
    return act(stack, command, request, target)


def _unenrolled(stack: Stack, target: str, second_factor: SecondFactor | None) -> str | None:
    live = [name for name, guard in stack.guards.items() if guard.venue.mode == "live" and target in (STACK, name)]
    if not live or second_factor is not None:
        return None
    return "with real money this takes the second factor; set one up with `enrol-totp`, a kill needs none"


def _resume(stack: Stack, command: Command, request: Request, target: str) -> Sequence[Event]:
    if target != STACK and stack.halt is not None:
        return _refuse(stack, command, "the whole stack is halted; resume the stack, not one session")
    halted = stack.halted_sessions()
    if (target not in halted) if target != STACK else (stack.halt is None and not halted):
        return _refuse(stack, command, "nothing is halted there")
    scope: Literal["stack", "session"] = "stack" if target == STACK else "session"
    word = Resumption(
        reason=printable(request.reason),
        operator=printable(request.operator),
        scope=scope,
        control_sequence=command.sequence,
    )
    sessions = stack.guards if stack.halt is not None else halted
    return _answer(stack, command, [STACK, *sessions] if target == STACK else [target], TradingResumed, word)


def _flatten(stack: Stack, command: Command, request: Request, target: str) -> Sequence[Event]:
    if not stack.guards:
        return _refuse(stack, command, "no session is running")
    order = FlattenOrder(
        reason=printable(request.reason), operator=printable(request.operator), control_sequence=command.sequence
    )
    return _answer(stack, command, _everyone(stack, target), FlattenOrdered, order)


def _limit(stack: Stack, command: Command, second_factor: SecondFactor | None) -> Sequence[Event]:
    """One limit of a session, or of all that run; it is changed everywhere or nowhere."""
    request = command.request()
    if not isinstance(request, LimitRequest):
        return _refuse(stack, command, str(request))
    target = _target(command)
    guards = [guard for name, guard in stack.guards.items() if target in (None, STACK, name)]
    problem = _wrong_target(stack, command) or (None if guards else "no session is running")
    if problem:
        return _refuse(stack, command, problem)
    changes = [adjusting.change(guard, request) for guard in guards]
    problems = [each for each in changes if isinstance(each, str)]
    right = [each for each in changes if isinstance(each, Change)]
    if not problems and any(each.raises for each in right):
        unenrolled = "a limit is raised with the second factor only; set one up with `enrol-totp`"
        wrong = _wrong_code(stack, request, command.stored_at, second_factor) if second_factor else unenrolled
        problems = [wrong] if wrong else []
    if problems:
        return _refuse(stack, command, problems[0])
    return [fact for each in right for fact in _changed(stack, command, request, each)]


def _changed(stack: Stack, command: Command, request: LimitRequest, change: Change) -> Sequence[Event]:
    return _answer(stack, command, [change.session_id], LimitChanged, change.told(request, command.sequence))


def _wrong_code(stack: Stack, request: Request, at: datetime, second_factor: SecondFactor | None) -> str | None:
    if second_factor is None:
        return None
    if request.totp is None:
        return "the second factor is missing: send the current code as totp"
    if len(stack.wrong_codes) == MOST_WRONG_CODES and at - stack.wrong_codes[0] < WITHIN:
        return f"{MOST_WRONG_CODES} wrong codes within {WITHIN}; try again at {iso(stack.wrong_codes[0] + WITHIN)}"
    step = second_factor(request.totp, at)
    if step is None:
        return "the one-time code is wrong or out of date"
    return "the one-time code was used before; wait for the next one" if step <= stack.spent_step else None


def _wrong_target(stack: Stack, command: Command) -> str | None:
    if command.session_id is None:
        return None
    target = _target(command)
    if target is None:
        return f"{printable(command.session_id)!r} is no session id"
    return None if target == STACK or target in stack.guards else f"session {target} is not running"


def _target(command: Command) -> str | None:
    """The session that is meant, in canonical form; None for no or no well-formed one."""
    try:
        return str(UUID(command.session_id)) if command.session_id else None
    except ValueError:
        return None


def _operator(command: Command) -> str | None:
    request = command.request()
    return None if isinstance(request, str) else printable(request.operator) or None


def _is_killed(stack: Stack, target: str) -> bool:
    if stack.halt is not None and stack.halt.kind == "kill":
        return True
    guard = stack.guards.get(target)
    return guard is not None and guard.halt is not None and guard.halt.kind == "kill"


def _everyone(stack: Stack, target: str) -> list[str]:
    return [STACK, *stack.guards] if target == STACK else [target]


def _refuse(stack: Stack, command: Command, reason: str) -> Sequence[Event]:
    target = _target(command)
    refused = RefusedCommand(
        command=printable(command.name),
        reason=reason,
        operator=_operator(command),
        control_sequence=command.sequence,
    )
    return _answer(stack, command, [target if target in stack.guards else STACK], CommandRefused, refused)


def _answer(
    stack: Stack, command: Command, sessions: Iterable[str | None], kind: type[Event], details: Any, **fields: Any
) -> Sequence[Event]:
    names = [name or STACK for name in sessions]
    return _tell(stack, names, command_id(command.sequence), command.stored_at, kind, details, **fields)


def _tell(
    stack: Stack, sessions: Iterable[str], cause_id: str, at: datetime, kind: type[Event], details: Any, **fields: Any
) -> Sequence[Event]:
    told: list[Event] = []
    for name in sessions:
        guard = stack.guards.get(name)
        market_time = guard.market_time if guard and guard.started_by else at
        # Each session's fact needs an identity of its own, though one command causes them all.
        cause = cause_id if name == STACK else derived_id(cause_id, name)
        facts = Facts(Cause(cause, name, at, market_time, cause_id), "risk")
        facts.tell(kind, message=_line(kind, details), details=details, **fields)
        told += facts.told
    return tuple(told)


def _line(kind: type[Event], details: Any) -> str:
    if isinstance(details, Halt):
        return f"{details.kind} by {details.operator or 'an unnamed operator'}: {details.reason}"
    if isinstance(details, RefusedCommand):
        return f"{details.command} refused: {details.reason}"
    if isinstance(details, ChangedLimit):
        return f"{details.limit} is {details.after}, was {details.before}, by {details.operator}: {details.reason}"
    verb = "trading resumed" if kind is TradingResumed else "flatten ordered"
    return f"{verb} by {details.operator}: {details.reason}"
