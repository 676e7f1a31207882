"""What the guard makes of messages that it can't read."""

import json
from typing import Any

import pytest

from services.risk.incoming import concerning
from shared.runtime.delivery import Delivery
from shared.runtime.errors import FatalError
from shared.schemas.codec import UndecodableError
from tests.golden import sample


def delivered(name: str, **changed: Any) -> Delivery:
    event = {**sample(name), **changed}
    subject = "events.{session_id}.{service}.{type}".format(**sample(name))
    return Delivery(subject, json.dumps(event).encode(), 7, 0)


def test_a_fact_of_an_earlier_version_is_heard() -> None:
    assert concerning(delivered("runner_start.v1")) is not None
    assert concerning(delivered("runner_start.v2")) is not None


def test_a_newer_version_of_a_fact_that_the_guard_folds_is_fatal_and_says_to_update() -> None:
    with pytest.raises(FatalError, match=r"message 7 of EVENTS: order_filled is of version 2.*update it"):
        concerning(delivered("order_filled.v1", version=2))


def test_a_newer_version_of_a_fact_that_is_none_of_its_business_is_passed_over() -> None:
    assert concerning(delivered("alert_sent.v1", version=2)) is None


def test_garbage_is_not_fatal() -> None:
    with pytest.raises(UndecodableError):
        concerning(delivered("order_filled.v1", order=5))
