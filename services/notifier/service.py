"""The notifier at work: catch up, then follow, and stop without forgetting what is still owed."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from services.notifier.channels.configured import configured
from services.notifier.channels.port import Channel
from services.notifier.core.message import Message, failed_id, sent_id
from services.notifier.dispatch import Dispatch, Due
from services.notifier.position import Position
from services.notifier.reader import Reader
from services.notifier.recovery import FACTS, recover
from shared.runtime.bus import Bus
from shared.runtime.companions import accompanied
from shared.runtime.pulse import beat
from shared.runtime.service import Context
from shared.schemas.subjects import EVENTS

PATIENCE_SECONDS = 300.0
_SAVE_EVERY_SECONDS = 0.5
_DRAIN_SECONDS = 5.0
_log = structlog.get_logger("notifier")


class Notifier:
    """Reads facts from `bus` and hands their messages to `channels`."""

    def __init__(self, bus: Bus, channels: Sequence[Channel], position: Position) -> None:
        self._bus = bus
        self._position = position
        self._dispatches = [Dispatch(channel, bus, position.settle) for channel in channels]

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; what is owed then is sent after the next start."""
        work = [self._follow(), self._keep_position(), *(dispatch.run() for dispatch in self._dispatches)]
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(coroutine) for coroutine in work]
        stopped = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            _raise_failure(tasks)
            tasks[0].cancel()
            await self._drain()
        finally:
            await _cancel([*tasks, stopped])
            self._position.save()

    async def _follow(self) -> None:
        reader = Reader(self._bus)
        recovered = await recover(self._bus, reader, await self._begin_after())
        for sequence, message in recovered.owed:
            self._owe(sequence, [message], recovered.known)
        self._position.begin(recovered.read_up_to, 0)
        async for delivery in self._bus.follow(EVENTS, FACTS, recovered.read_up_to + 1):
            event = await reader.decoded(delivery)
            messages = await reader.messages(delivery, event) if event else ()
            self._owe(delivery.sequence, messages)

    async def _begin_after(self) -> int | None:
        stored, last = self._position.stored, await self._bus.last_sequence(EVENTS)
        if stored is not None and stored > last:
            _log.warning("the stream is a new one; only what comes from now on is told", position=stored, last=last)
            self._position.forget()
            return None
        return stored

    def _owe(self, sequence: int, messages: Iterable[Message], known: Iterable[str] = ()) -> None:
        due = [(d, m) for m in messages for d in self._dispatches if not _outcomes(d, m).intersection(known)]
        self._position.begin(sequence, len(due))
        for dispatch, message in due:
            dispatch.offer(Due(message, sequence))

    async def _keep_position(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY_SECONDS)
            self._position.save()

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await asyncio.gather(*(dispatch.drained() for dispatch in self._dispatches))


def _outcomes(dispatch: Dispatch, message: Message) -> set[str]:
    name = dispatch.channel.name
    return {sent_id(message, name), failed_id(message, name)}


def _raise_failure(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        if task.done():
            task.result()


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def serve(context: Context) -> int:
    """Run until asked to stop; answers the exit status."""
    context.ready()
    channels = configured(context.settings, context.log, PATIENCE_SECONDS)
    context.log.info("channels", names=[channel.name for channel in channels])
    position = Position.load(context.settings.data_dir / "notifier" / "position.json")
    try:
        notifier = Notifier(context.bus, channels, position)
        await accompanied(notifier.run(context.stopping), beat(context.bus, "notifier"))
    finally:
        for channel in channels:
            await channel.close()
    return 0
