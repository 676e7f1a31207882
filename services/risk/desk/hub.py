"""Fans one text out to all browsers; one that does not keep up is dropped, so that it delays nobody."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

BEHIND = 24
"""So many texts may wait for a browser: six seconds' worth at four a second."""


class Reader:
    """One browser's queue. Iterating ends when it has fallen behind."""

    def __init__(self, first: str) -> None:
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._waiting.put_nowait(first)
        self.dropped = False

    def give(self, text: str) -> None:
        """Queue `text`, or give the reader up."""
        if self._waiting.qsize() >= BEHIND:
            self.dropped = True
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)
            return
        self._waiting.put_nowait(text)

    async def texts(self) -> AsyncIterator[str]:
        """What is to be sent, in order."""
        while (text := await self._waiting.get()) is not None:
            yield text


class Hub:
    """All browsers that listen."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()

    def __len__(self) -> int:
        return len(self._readers)

    @contextmanager
    def reader(self, first: str) -> Iterator[Reader]:
        """A reader within the block; `first` is what it is told before all else."""
        reader = Reader(first)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def tell(self, text: str) -> None:
        """Queue `text` for every reader; those that have fallen behind are let go."""
        for reader in tuple(self._readers):
            reader.give(text)
            if reader.dropped:
                self._readers.discard(reader)
