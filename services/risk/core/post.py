"""The guard's post: all sessions under guard and the stack's latch, as one pure fold."""

from collections.abc import Sequence
from typing import NamedTuple

from services.risk.core import commands
from services.risk.core.guard import CONCERNS, decide, evolve, initial
from services.risk.core.stack import Stack, latched
from services.risk.core.state import Guard
from services.risk.core.verdicts import Seal
from shared.domain.decider import react
from shared.domain.replacing import often_replaced
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.guard import TradingHalted
from shared.schemas.lifecycle import RunnerEnd, RunnerStart
from shared.schemas.values import STACK


@often_replaced
class Post(NamedTuple):
    """`told` are ids of own facts that were evolved already and that the stream will yet deliver back."""

    stack: Stack = Stack()
    told: frozenset[str] = frozenset()


def deliver(post: Post, event: Event, seal: Seal, stored: Sequence[Event] = ()) -> tuple[Post, Sequence[Event]]:
    """The post after a fact of the stream, and the new facts that follow.

    `stored` are the facts that followed from it in an earlier life of this service: they are taken as they stand,
    and nothing is decided again.
    """
    if event.id in post.told:
        return post._replace(told=post.told - {event.id}), ()
    guard = _guard_of(post.stack, event)
    if guard is None:
        return post, ()
    if stored:
        guard = _evolved(evolve(guard, event), stored)
        return _kept(post, guard, event, stored), ()
    after, facts = react(evolve, lambda known, fact: decide(known, fact, seal), guard, event)
    return _kept(post, after, event, facts), facts


def command(post: Post, command: Command, second_factor: commands.SecondFactor | None) -> tuple[Post, Sequence[Event]]:
    """The post after an operator's command, and the facts that follow."""
    facts = commands.decide(post.stack, command, second_factor)
    stack = commands.spend(post.stack, command, second_factor)
    return tell(post._replace(stack=stack), facts), facts


def tell(post: Post, facts: Sequence[Event]) -> Post:
    """The post after facts of its own that no fact of the stream has caused."""
    stack = post.stack
    for fact in facts:
        stack = stack._replace(halt=latched(stack.halt, fact))
        guard = _guard_of(stack, fact)
        if guard is not None:
            stack = stack._replace(guards={**stack.guards, fact.session_id: evolve(guard, fact)})
    return Post(stack, post.told | _ids(facts))


_OPENING = frozenset({RunnerStart, TradingHalted})


def _guard_of(stack: Stack, event: Event) -> Guard | None:
    guard = stack.guards.get(event.session_id)
    if guard is not None or event.session_id in stack.ended or event.session_id == STACK:
        return guard
    opens = type(event) in _OPENING
    return initial(event.session_id, stack.halt) if opens else None


def _ids(facts: Sequence[Event]) -> frozenset[str]:
    return frozenset(fact.id for fact in facts if fact.type in CONCERNS)


def _evolved(guard: Guard, facts: Sequence[Event]) -> Guard:
    for fact in facts:
        guard = evolve(guard, fact)
    return guard


def _kept(post: Post, guard: Guard, event: Event, facts: Sequence[Event]) -> Post:
    name, stack = guard.session_id, post.stack
    if not facts and guard is stack.guards.get(name) and type(event) is not RunnerEnd:
        return post
    told = post.told | _ids(facts) if facts else post.told
    if type(event) is RunnerEnd:
        others = {each: kept for each, kept in stack.guards.items() if each != name}
        return Post(stack._replace(guards=others, ended=stack.ended | {name}), told)
    return Post(stack._replace(guards={**stack.guards, name: guard}), told)
