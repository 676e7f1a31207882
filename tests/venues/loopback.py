"""A venue's server on a free loopback port."""

from abc import ABC, abstractmethod
from typing import Self

from aiohttp import web


class LoopbackServer(ABC):
    """An asynchronous context manager; `url` and `ws_url` are origins without a path, known once it is entered."""

    url = ""
    ws_url = ""

    @abstractmethod
    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """The answer to any request."""

    @abstractmethod
    def cut_streams(self) -> None:
        """Cut every WebSocket connection."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.url, self.ws_url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut_streams()
        await self._runner.cleanup()
