"""Identities and subjects: the same cause gives the same names, for ever."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.schemas.envelope import Event
from shared.schemas.guard import Resumption, TradingResumed
from shared.schemas.identity import Cause, Facts, client_order_id, derived_id
from shared.schemas.lifecycle import Connection, ConnectionLost
from shared.schemas.subjects import (
    STREAM_SUBJECTS,
    command_subject,
    deadletter_subject,
    event_subject,
    every_session,
    parse_command_subject,
    parse_event_subject,
    session_subjects,
    writer_subjects,
)

SESSION = "3f0d2c5e-9a41-4c1b-8a77-0d5b6e1f2a90"
NOW = datetime(2026, 1, 5, 9, 40, tzinfo=UTC)
CAUSE = Cause(SESSION, SESSION, NOW, NOW, SESSION)


def _told(cause: Cause = CAUSE) -> list[Event]:
    facts = Facts(cause, "risk")
    facts.tell(ConnectionLost, level="warning", details=Connection(peer="x"))
    facts.tell(ConnectionLost, details=Connection(peer="x"))
    facts.tell(
        TradingResumed, correlation_id=derived_id(SESSION, "other"), details=Resumption(reason="r", operator="o")
    )
    return list(facts.told)


def test_a_derived_id_is_a_uuid_of_version_5_and_never_changes() -> None:
    assert derived_id(SESSION, "risk.order_approved", 3) == "69c3e425-284e-5842-8c74-6edfa02ccb46"
    assert UUID(derived_id(SESSION, "x")).version == 5


def test_an_orders_name_is_fit_for_both_venues_and_never_changes() -> None:
    assert client_order_id(SESSION, 1) == "lt-99b34a123ab356e7bf3f09e3e0ee49e6"
    assert len(client_order_id(SESSION, 1)) == 35


def test_deciding_again_gives_the_same_facts_the_same_names() -> None:
    assert _told() == _told()
    assert len({fact.id for fact in _told()}) == 3


def test_other_causes_and_other_services_give_other_names() -> None:
    other = Cause(derived_id(SESSION, "x"), SESSION, NOW, NOW, SESSION)
    assert not {fact.id for fact in _told()} & {fact.id for fact in _told(other)}
    runner = Facts(CAUSE, "runner").tell(ConnectionLost, details=Connection(peer="x"))
    assert runner.id not in {fact.id for fact in _told()}


def test_facts_carry_their_cause_and_the_decision_they_belong_to() -> None:
    first, _, third = _told()
    assert (first.causation_id, first.correlation_id, third.correlation_id) == (
        SESSION,
        SESSION,
        derived_id(SESSION, "other"),
    )
    received = datetime(2026, 1, 5, 9, 41, tzinfo=UTC)
    cause = Cause.of(first, received)
    assert (cause.id, cause.timestamp, cause.market_time) == (first.id, received, first.market_time)
    assert Cause.of(first).timestamp == NOW


def test_an_events_subject_names_session_writer_and_type() -> None:
    subject = event_subject(SESSION, "risk", "order_approved")
    assert subject == f"events.{SESSION}.risk.order_approved"
    assert parse_event_subject(subject) == (SESSION, "risk", "order_approved")


@pytest.mark.parametrize("subject", ["", "events", "events.a.b", "events.a.b.c.d", "control.kill", "xevents.a.b.c"])
def test_other_subjects_are_no_events(subject: str) -> None:
    with pytest.raises(ValueError, match="no subject of an event"):
        parse_event_subject(subject)


def test_a_commands_subject_names_the_command_and_perhaps_a_session() -> None:
    assert parse_command_subject(command_subject("kill")) == ("kill", None)
    assert parse_command_subject(command_subject("kill", SESSION)) == ("kill", SESSION)
    assert parse_command_subject("control.kill.by.hand") == ("kill", "by.hand")
    with pytest.raises(ValueError, match="no subject of a command"):
        parse_command_subject("events.kill")


def test_subjects_stay_as_the_contract_has_them() -> None:
    assert set(STREAM_SUBJECTS) == {"EVENTS", "CONTROL", "DEADLETTER"}
    assert deadletter_subject("risk") == "deadletter.risk"
    assert writer_subjects(SESSION, "risk") == f"events.{SESSION}.risk.>"
    assert session_subjects(SESSION) == f"events.{SESSION}.>"
    assert every_session("runner", "runner_start") == "events.*.runner.runner_start"
