"""One connection to NATS: how it is opened, what is known about it, and asking the server something."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Self, TypeVar

import nats.errors
import structlog
from nats.aio.client import Client, RawCredentials
from nats.aio.subscription import Subscription

from shared.runtime import clock, metrics
from shared.runtime.answers import Answers, Heard, content
from shared.runtime.errors import FatalError, RetryableError
from shared.runtime.outlet import Outlet
from shared.runtime.patience import ended_within, set_within
from shared.runtime.settings import Settings
from shared.runtime.wire import Frame, Wire, unheard

OPEN_WITHIN_SECONDS = 30.0
ANSWER_WITHIN_SECONDS = 10.0
BUDGET_SECONDS = 30.0
"""How long a request is repeated across a server's restart before it fails."""
_RECONNECT_WAIT_SECONDS = 0.2
_UNANSWERED_PINGS = 4
"""A dead server is noticed in five seconds; less, and a machine at its limit would lose its connections as well."""
T = TypeVar("T")
_log = structlog.get_logger("bus")


class RefusedError(FatalError):
    """The server answered a request with an error; `code` is its `err_code`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} (NATS error {code})")
        self.code = code
        self.description = description


class Connection:
    """A connection that comes back by itself; what is asked meanwhile is repeated until the budget is spent."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.problem: str | None = "not connected yet"
        """Why the bus is not to be relied upon, None while all is well."""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended for good without our asking."""
        self.when_restored: set[Callable[[], None]] = set()
        self.when_lost: set[Callable[[], None]] = set()
        self._wire = client._transport = Wire()
        self._outlet = Outlet(client)
        self._answers = Answers(client, self._wire, self._outlet, ANSWER_WITHIN_SECONDS)
        self._up = asyncio.Event()
        self._closing = False

    @classmethod
    async def open(cls, settings: Settings, service: str, within: float = OPEN_WITHIN_SECONDS) -> Self:
        """Connect as `service`; FatalError when no server lets us in within `within` seconds."""
        connection = cls(Client())
        try:
            await ended_within(connection.client.connect(**connection._options(settings, service)), within)
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise FatalError(
                f"no connection to NATS within {within:g} s: {connection.problem or error}; "
                "is it running, and is NATS_URL right?"
            ) from None
        await connection._answers.listen()
        connection._is_up()
        return connection

    def _options(self, settings: Settings, service: str) -> dict[str, Any]:
        return {
            "servers": settings.nats_url.split(","),
            "name": f"leitstand-{service}",
            "inbox_prefix": f"_INBOX.{service}",
            "pending_size": 0,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": _RECONNECT_WAIT_SECONDS,
            "ping_interval": 1,
            "max_outstanding_pings": _UNANSWERED_PINGS,
            "error_cb": self._on_error,
            "disconnected_cb": self._on_lost,
            "reconnected_cb": self._on_restored,
            "closed_cb": self._on_closed,
            **_credentials(settings),
        }

    @property
    def connected(self) -> bool:
        """Whether the server can be reached right now, as far as we know."""
        return bool(self.client.is_connected)

    async def request(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask once; the server's JSON answer. RefusedError for an error, RetryableError when there is no answer."""
        return accepted(await self.post(subject, payload, headers))

    def post(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> asyncio.Future[Frame]:
        """Ask once without waiting; what comes is for `accepted`. Requests arrive in the order they were posted."""
        return self._answers.post(subject, payload, headers)

    def ask(self, subject: str, payload: bytes, headers: Mapping[str, str] | None, heard: Heard) -> None:
        """Ask once without waiting; `heard` is given what comes, for `accepted`, without any detour."""
        self._answers.ask(subject, payload, headers, heard)

    def send(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish without waiting for anything; RetryableError when the server can't be reached."""
        self._outlet.put(subject, payload, headers)

    def push(self) -> None:
        """Write what has been published, without waiting for the loop's next turn."""
        self._outlet.push()

    async def api(self, operation: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask JetStream's API, for example `STREAM.INFO.EVENTS`, again and again until the budget is spent."""
        payload = json.dumps(body).encode() if body is not None else b""
        try:
            return await self.persist(lambda: self.request(f"$JS.API.{operation}", payload))
        except RefusedError as error:
            raise RefusedError(error.code, f"{operation}: {error.description}") from None

    async def persist(self, attempt: Callable[[], Awaitable[T]], budget: float = BUDGET_SECONDS) -> T:
        """`attempt()`, repeated while it raises RetryableError and the budget in seconds lasts."""
        deadline = clock.monotonic() + budget
        while True:
            try:
                return await attempt()
            except RetryableError as error:
                if clock.monotonic() >= deadline:
                    raise RetryableError(f"gave up after {budget:g} s: {self.problem or error}") from None
            await self._pause(deadline - clock.monotonic())

    async def _pause(self, longest: float) -> None:
        # The client knows of a loss before it tells: until then, who asks again must not keep it from doing so.
        if self._up.is_set():
            await asyncio.sleep(min(_RECONNECT_WAIT_SECONDS, longest))
        else:
            await set_within(self._up, longest)

    async def subscribe(self, subject: str, heard: Callable[[Frame], None]) -> Subscription:
        """Have `heard` called at once with what comes on `subject`; it must not raise."""
        subscription = await self.client.subscribe(subject, cb=unheard)
        self._wire.direct(subscription._id, heard)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Give up interest; nothing is heard from here on."""
        with suppress(nats.errors.Error):
            await subscription.unsubscribe()
        self._wire.forget(subscription._id)

    async def restored(self) -> None:
        """Wait until the server can be reached; FatalError when the connection has ended for good."""
        if self._up.is_set():
            return
        waiting = asyncio.ensure_future(self._up.wait())
        either: set[asyncio.Future[Any]] = {waiting, self.closed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._up.is_set():
            raise FatalError("the connection to NATS has ended for good; start the service again")

    async def close(self) -> None:
        """End the connection; open requests fail. Nothing happens when it has ended."""
        self._closing = True
        await self.client.close()

    def _is_up(self) -> None:
        self.problem = None
        self._up.set()
        metrics.BUS_CONNECTED.set(1)

    async def _on_error(self, error: Exception) -> None:
        problem = f"NATS: {str(error) or type(error).__name__}"
        if problem != self.problem:  # told once, not with every attempt
            self.problem = problem
            _log.warning("bus trouble", problem=problem)

    async def _on_lost(self) -> None:
        self._up.clear()
        self._drop_unsent()
        self._answers.fail("connection lost")
        metrics.BUS_CONNECTED.set(0)
        if self._closing:
            return
        self.problem = "NATS: connection lost"
        _log.warning("bus lost")
        for notice in tuple(self.when_lost):
            notice()

    def _drop_unsent(self) -> None:
        """Forget what the client has not written yet: it would send that first once it is back.

        So what comes second would be stored before what was lost on its way. Whoever asked is told to ask again, and
        the client itself repeats its subscriptions. There is no public way; `test_bus_append.py` fails without it.
        """
        self.client._pending = []
        self.client._pending_data_size = 0

    async def _on_restored(self) -> None:
        self._is_up()
        _log.info("bus restored")
        for notice in tuple(self.when_restored):
            notice()

    async def _on_closed(self) -> None:
        self._answers.fail("connection closed")
        metrics.BUS_CONNECTED.set(0)
        if not self._closing and not self.closed.done():
            self.problem = "NATS: connection closed for good"
            self.closed.set_result(None)


def accepted(frame: Frame) -> dict[str, Any]:
    """The server's answer as JSON; RefusedError when it tells an error, RetryableError when it is none."""
    answer = content(frame)
    try:
        parsed: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise RetryableError(f"not an answer of JetStream: {answer[:80]!r}") from None
    error = parsed.get("error")
    if error is None:
        return parsed
    if error.get("code") == 503:
        raise RetryableError(str(error.get("description")))
    raise RefusedError(int(error.get("err_code", 0)), str(error.get("description")))


def _credentials(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if settings.nats_ca is not None:
        options["tls"] = ssl.create_default_context(cafile=str(settings.nats_ca))
    if settings.nats_creds is not None:
        options["user_credentials"] = RawCredentials(settings.nats_creds.get_secret_value())
    if settings.nats_nkey_seed is not None:
        options["nkeys_seed_str"] = settings.nats_nkey_seed.get_secret_value()
    return options
