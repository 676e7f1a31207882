import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from shared.runtime.answers import Answers
from shared.runtime.errors import RetryableError
from shared.runtime.wire import Frame

WITHIN = 0.2


class SilentServer:
    """Client, wire and outlet in one: takes requests, and answers those that the test answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.heard: Any = None

    def new_inbox(self) -> str:
        return "_INBOX.test"

    async def subscribe(self, subject: str, cb: Any) -> Any:
        return SimpleNamespace(_id=1)

    def direct(self, number: int, heard: Any) -> None:
        self.heard = heard

    def put(self, subject: str, payload: bytes, headers: Mapping[str, str] | None, reply: str) -> None:
        self.asked.append(reply)

    def answer(self, number: int, payload: bytes) -> None:
        self.heard(Frame(self.asked[number], "", b"", payload))


@pytest.fixture
def server() -> SilentServer:
    return SilentServer()


@pytest.fixture
async def answers(server: SilentServer) -> Answers:
    listening = Answers(server, server, server, WITHIN)  # type: ignore[arg-type]
    await listening.listen()
    return listening


class Time:
    """The loop's clock, which stands still but for what a test lets pass."""

    def __init__(self, now: float) -> None:
        self.now = now

    async def passes(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    loop = asyncio.get_running_loop()
    own = Time(loop.time())
    monkeypatch.setattr(loop, "time", lambda: own.now)
    return own


async def test_every_request_gets_its_own_answer(server: SilentServer, answers: Answers) -> None:
    one, other = [answers.post("a", b"", None) for _ in range(2)]
    server.answer(1, b"second")
    server.answer(0, b"first")
    assert ((await one).payload, (await other).payload) == (b"first", b"second")


async def test_a_request_without_an_answer_fails_in_its_time_and_others_live_on(
    server: SilentServer, answers: Answers, time: Time
) -> None:
    early = answers.post("a", b"", None)
    await time.passes(WITHIN / 2)
    late = answers.post("a", b"", None)
    await time.passes(WITHIN / 2 + 0.01)
    with pytest.raises(RetryableError, match="none within"):
        await early
    assert not late.done()
    server.answer(1, b"in time")
    assert (await late).payload == b"in time"


async def test_those_that_wait_on_are_watched_as_well(answers: Answers, time: Time) -> None:
    waiting = [answers.post("a", b"", None)]
    await time.passes(WITHIN / 2)
    waiting.append(answers.post("a", b"", None))
    await time.passes(WITHIN)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RetryableError, RetryableError]
    again = answers.post("a", b"", None)
    await time.passes(WITHIN + 0.01)
    with pytest.raises(RetryableError):
        await again


async def test_a_late_answer_is_passed_over(server: SilentServer, answers: Answers) -> None:
    answer = answers.post("a", b"", None)
    answers.fail("connection lost")
    with pytest.raises(RetryableError, match="connection lost"):
        await answer
    server.answer(0, b"late")
