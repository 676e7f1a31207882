"""An order leaves once all that was told is stored, and what was heard meanwhile counts."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from services.runner.conduct import Perform
from services.runner.core.inputs import KillHeard
from services.runner.core.todo import KILLED, Submit
from services.runner.hearing import Hearing
from services.runner.session import Session
from shared.domain.approval import ApprovedOrder
from shared.domain.once import Once
from shared.schemas.codec import decode_as
from shared.schemas.commands import Command
from shared.schemas.orders import OrderApproved
from shared.venues.words import Shown, VenueSaid
from tests.golden import sample


class Steps:
    """Voice and venue in one: notes what is done, and lets `meanwhile` happen while the answers are awaited."""

    def __init__(self, approval: OrderApproved) -> None:
        self.clock = approval.details.expires_at
        self.taken: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    async def settled(self) -> int:
        self.meanwhile()
        self.taken.append("all is stored")
        return 1

    async def submit(self, order: ApprovedOrder) -> tuple[()]:
        self.taken.append("sent")
        return ()


@pytest.fixture
def approval() -> OrderApproved:
    found = decode_as("order_approved", json.dumps(sample("order_approved.v1")).encode())
    assert isinstance(found, OrderApproved)
    return found


@pytest.fixture
def steps(approval: OrderApproved) -> Steps:
    return Steps(approval)


@pytest.fixture
def hearing() -> Hearing:
    return Hearing(cast(Any, None), "a session", lambda *_: True, Once(), 0)


def session(steps: Steps, hearing: Hearing, signed: bool = True) -> Session:
    part = cast(Any, steps)
    return Session(cast(Any, None), part, part, part, hearing, part, lambda *_: signed, None, None)


async def submitted(trading: Session, approval: OrderApproved) -> Any:
    return await trading._answer(Perform(Submit(approval.order.client_order_id, approval)))


def why_not_sent(answer: Any) -> str:
    assert isinstance(answer, VenueSaid)
    word = answer.words[0]
    assert isinstance(word, Shown)
    return word.reason


async def test_an_order_is_sent_once_all_is_stored(steps: Steps, hearing: Hearing, approval: OrderApproved) -> None:
    assert await submitted(session(steps, hearing), approval) == ()
    assert steps.taken == ["all is stored", "sent"]


async def test_a_kill_that_comes_while_the_answers_are_awaited_keeps_the_order_here(
    steps: Steps, hearing: Hearing, approval: OrderApproved
) -> None:
    kill = Command("kill", None, b"", 7, approval.timestamp)
    steps.meanwhile = lambda: hearing.kill(KillHeard(kill))
    assert KILLED in why_not_sent(await submitted(session(steps, hearing), approval))
    assert steps.taken == ["all is stored"]


async def test_an_order_that_the_guard_has_not_signed_is_never_sent(
    steps: Steps, hearing: Hearing, approval: OrderApproved
) -> None:
    answer = await submitted(session(steps, hearing, signed=False), approval)
    assert "signature" in why_not_sent(answer)
    assert "sent" not in steps.taken
