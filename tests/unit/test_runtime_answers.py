import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from shared.runtime.answers import Answers
from shared.runtime.errors import RetryableError

WITHIN = 0.2


class SilentClient:
    """Takes requests and answers those that the test answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Any = None

    def new_inbox(self) -> str:
        return "_INBOX.test"

    async def subscribe(self, subject: str, cb: Any) -> None:
        self.answer = cb

    async def publish(self, subject: str, payload: bytes, reply: str, headers: Mapping[str, str] | None) -> None:
        self.asked.append(reply)


@pytest.fixture
def client() -> SilentClient:
    return SilentClient()


@pytest.fixture
async def answers(client: SilentClient) -> Answers:
    listening = Answers(client, WITHIN)  # type: ignore[arg-type]
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


async def test_every_request_gets_its_own_answer(client: SilentClient, answers: Answers) -> None:
    one, other = [await answers.post("a", b"", None) for _ in range(2)]
    await client.answer(SimpleNamespace(subject=client.asked[1], data=b"second"))
    await client.answer(SimpleNamespace(subject=client.asked[0], data=b"first"))
    assert ((await one).data, (await other).data) == (b"first", b"second")


async def test_a_request_without_an_answer_fails_in_its_time_and_others_live_on(
    client: SilentClient, answers: Answers, time: Time
) -> None:
    early = await answers.post("a", b"", None)
    await time.passes(WITHIN / 2)
    late = await answers.post("a", b"", None)
    await time.passes(WITHIN / 2 + 0.01)
    with pytest.raises(RetryableError, match="none within"):
        await early
    assert not late.done()
    await client.answer(SimpleNamespace(subject=client.asked[1], data=b"in time"))
    assert (await late).data == b"in time"


async def test_those_that_wait_on_are_watched_as_well(answers: Answers, time: Time) -> None:
    waiting = [await answers.post("a", b"", None)]
    await time.passes(WITHIN / 2)
    waiting.append(await answers.post("a", b"", None))
    await time.passes(WITHIN)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RetryableError, RetryableError]
    again = await answers.post("a", b"", None)
    await time.passes(WITHIN + 0.01)
    with pytest.raises(RetryableError):
        await again


async def test_a_late_answer_is_passed_over(client: SilentClient, answers: Answers) -> None:
    answer = await answers.post("a", b"", None)
    answers.fail("connection lost")
    with pytest.raises(RetryableError, match="connection lost"):
        await answer
    await client.answer(SimpleNamespace(subject=client.asked[0], data=b"late"))
