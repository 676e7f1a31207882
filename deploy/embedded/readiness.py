"""Asks each service whether it is ready, as an orchestrator would."""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

WITHIN_SECONDS = 5.0


class Readiness:
    """`told` has a word a service: ready, not ready, or silent."""

    def __init__(self, urls: Callable[[], Mapping[str, str]], every_seconds: float = 2.0) -> None:
        self._urls = urls
        self._every = every_seconds
        self.told: Mapping[str, str] = {}

    async def watch(self) -> None:
        """Keep `told` up to date, without end."""
        while True:
            urls = self._urls()
            words = await asyncio.gather(*(_ask(url) for url in urls.values()))
            self.told = dict(zip(urls, words, strict=True))
            await asyncio.sleep(self._every)


async def _ask(url: str) -> str:
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            status = await _status_of(url)
    except (OSError, TimeoutError):
        return "silent"
    return "ready" if b" 200 " in status else "not ready"


async def _status_of(url: str) -> bytes:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return (await reader.read()).partition(b"\r\n")[0]
    finally:
        writer.close()
