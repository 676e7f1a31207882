"""The guard as a process: recover, then decide on each fact and each command, one at a time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from services.risk import meters
from services.risk.core import commands, post
from services.risk.core.commands import SecondFactor
from services.risk.core.memory import Memory
from services.risk.core.post import Post
from services.risk.core.stack import Stack
from services.risk.core.state import Guard
from services.risk.core.verdicts import Seal
from services.risk.incoming import concerning
from services.risk.recovery import History
from services.risk.watch import Watch
from shared.domain.once import Once
from shared.runtime import clock
from shared.runtime.bus import Bus
from shared.runtime.delivery import Delivery
from shared.runtime.snapshots import Keeper, Snapshot
from shared.schemas.codec import UndecodableError
from shared.schemas.commands import Command
from shared.schemas.envelope import Event
from shared.schemas.identity import derived_id
from shared.schemas.lifecycle import RunnerEnd
from shared.schemas.subjects import ALL_COMMANDS, ALL_EVENTS, CONTROL, EVENTS
from shared.schemas.values import STACK

_YIELD_EVERY = 64
"""So many facts are taken in a row before commands get their turn."""
_CATCH_UP_SECONDS = 0.01


class GuardService:
    """Facts and commands in, facts out, in order. What is decided is on its way before the next thing is looked at."""

    def __init__(
        self, bus: Bus, watch: Watch, seal: Seal, second_factor: SecondFactor | None, history: History
    ) -> None:
        self._bus = bus
        self._watch = watch
        self._seal = seal
        self._second_factor = second_factor
        self._history = history
        self._answers = dict(history.answers)
        self._post, self._once = _known(history)
        self._turn = asyncio.Lock()
        self._log: structlog.typing.FilteringBoundLogger = structlog.get_logger("risk")
        self.next_event = history.first_event
        self.next_command = history.memory.next_command if history.memory else 1

    @property
    def stack(self) -> Stack:
        """The sessions under guard and the stack's latch."""
        return self._post.stack

    async def snapshot(self) -> Snapshot:
        """All that another guard has to know to go on from here, taken between two facts or commands.

        Whatever it takes for answered has its answer in the stream.
        """
        async with self._turn:
            await self._watch.voice.settled()
            memory = Memory(self._post, self.next_event, self.next_command, *self._once.packed())
        return Snapshot(memory.next_event - 1, memory)

    async def recover(self, kill_switch: bool = False) -> None:
        """Fold what is stored up to the first fact without its answer, then carry out what operators asked meanwhile.

        A kill that came while the guard was down is therefore in force before any open intent gets its verdict.
        """
        last = await self._bus.last_sequence(EVENTS)
        if self.next_event:
            await self._fold_answered()
        else:
            self.next_event = last + 1
        async for delivery in self._bus.read(CONTROL, [ALL_COMMANDS], self.next_command):
            await self.on_command(delivery)
        if kill_switch:
            cause = derived_id(STACK, "kill_switch", last)
            await self._tell(commands.kill_switch(self.stack, cause, clock.now()))
        meters.show(self.stack)
        self._log.info("recovered", sessions=len(self.stack.guards), halted=self.stack.halt is not None)

    async def follow_events(self, keeper: Keeper) -> None:
        """Answer every fact from `next_event` on, without end; a snapshot now and then."""
        async for delivery in self._bus.follow(EVENTS, [ALL_EVENTS], self.next_event):
            await self.on_event(delivery)
            if keeper.due(delivery.sequence):
                keeper.keep(await self.snapshot())
            if delivery.sequence % _YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def follow_commands(self) -> None:
        """Carry out every command from `next_command` on, without end."""
        async for delivery in self._bus.follow(CONTROL, [ALL_COMMANDS], self.next_command):
            await self.on_command(delivery)

    async def on_event(self, delivery: Delivery) -> None:
        """Answer one fact of the stream; what can't be handled is set aside. FencedError when another guard speaks."""
        started = clock.monotonic()
        self._watch.check(delivery)
        event = await self._read(delivery)
        if event is None:
            self.next_event = delivery.sequence + 1
        elif await self._answer(delivery, event):
            meters.DECISION.observe(clock.monotonic() - started)

    async def _answer(self, delivery: Delivery, event: Event) -> bool:
        """Whether there was something to say about the fact."""
        async with self._turn:
            facts = await self._deliver(delivery, event)
            self._note(event)
            if facts:
                await self._store(facts)
            self.next_event = delivery.sequence + 1
        return bool(facts)

    async def on_command(self, delivery: Delivery) -> None:
        """Carry out one command, unless an earlier life did; its one-time code is used up either way."""
        command = Command.read(delivery.subject, delivery.payload, delivery.sequence, delivery.stored_at)
        async with self._turn:
            if command.sequence <= self._history.commands_done:
                stack = commands.spend(self.stack, command, self._second_factor)
                self._post = self._post._replace(stack=stack)
            else:
                await self._carry_out(delivery, command)
            self.next_command = delivery.sequence + 1

    async def _fold_answered(self) -> None:
        async for stretch in self._bus.read_in_stretches(EVENTS, [ALL_EVENTS], self.next_event):
            for delivery in stretch:
                event = await self._read(delivery)
                if event is not None and not await self._fold_one(delivery, event):
                    return
                self.next_event = delivery.sequence + 1

    async def _fold_one(self, delivery: Delivery, event: Event) -> bool:
        """Whether the fact needed no new answer; where it does, nothing has changed."""
        before = self._post
        if await self._deliver(delivery, event):
            self._post = before
            return False
        self._note(event)
        return True

    def _note(self, event: Event) -> None:
        self._once.note(event)
        if type(event) is RunnerEnd:
            self._once.forget(event.session_id)

    async def _read(self, delivery: Delivery) -> Event | None:
        """The fact, None for what is of no concern, can't be read, or has been taken in before."""
        self._watch.heard += 1
        try:
            event = concerning(delivery)
        except UndecodableError as error:
            await self._set_aside(delivery, str(error))
            return None
        return None if event is None or self._once.knows(event) else event

    async def _deliver(self, delivery: Delivery, event: Event) -> Sequence[Event]:
        stored = self._answers.pop(event.id, ())
        try:
            self._post, facts = post.deliver(self._post, event, self._seal, stored)
        except Exception as error:
            self._log.exception("a fact could not be handled", subject=delivery.subject, sequence=delivery.sequence)
            await self._set_aside(delivery, f"{type(error).__name__}: {error}")
            return ()
        return facts

    async def _carry_out(self, delivery: Delivery, command: Command) -> None:
        try:
            after, facts = post.command(self._post, command, self._second_factor)
        except Exception as error:
            self._log.exception("a command could not be read", command=command.name, sequence=command.sequence)
            await self._set_aside(delivery, f"{type(error).__name__}: {error}")
            # Whatever its payload, a stop stops: without it, it can be carried out all the same.
            after, facts = post.command(self._post, replace(command, payload=b""), self._second_factor)
        self._post = after
        self._log.warning("command", name=command.name, answers=[fact.message for fact in facts[:1]])
        await self._store(facts)

    async def tell_of(self, session_id: str, decide: Callable[[Guard], Sequence[Event]]) -> None:
        """Tell what `decide` makes of a session under guard; return when all that was stored until then is known."""
        async with self._turn:
            guard = self.stack.guards.get(session_id)
            facts = decide(guard) if guard is not None else ()
            if facts:
                await self._tell(facts)
            stored = await self._watch.voice.settled()
        while self.next_event <= stored:
            await asyncio.sleep(_CATCH_UP_SECONDS)

    async def _tell(self, facts: Sequence[Event]) -> None:
        self._post = post.tell(self._post, facts)
        await self._store(facts)

    async def _store(self, facts: Sequence[Event]) -> None:
        now = clock.now()
        told = [fact.model_copy(update={"timestamp": now}) for fact in facts]
        # What follows from one fact is stored whole, for a later life takes what it finds there for all of it.
        await (self._watch.voice.say(told) if len(told) == 1 else self._watch.voice.say_together(told))
        meters.count(facts)
        meters.show(self.stack)

    async def _set_aside(self, delivery: Delivery, reason: str) -> None:
        if delivery.sequence in self._history.set_aside and delivery.subject.startswith("events."):
            return
        await self._bus.deadletter("risk", delivery, reason)


def _known(history: History) -> tuple[Post, Once]:
    memory = history.memory
    if memory is None:
        return Post(Stack(halt=history.halt, ended=history.ended)), Once()
    stack = memory.post.stack._replace(halt=history.halt)
    return memory.post._replace(stack=stack), Once.unpacked(memory.ids, memory.bars)
