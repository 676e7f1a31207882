"""The guard's signature covers every part of an approval, and no longer than it says."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.domain.approval import Sign, UnapprovedError, Verify, admit, approval_bytes
from shared.runtime.keys import load_or_create_seed, signer, verifier
from shared.schemas.codec import decode, encode, subject_of
from shared.schemas.identity import derived_id
from shared.schemas.orders import OrderApproved
from tests.golden import Place, places, replaced, sample

EXPIRY = datetime.fromisoformat("2026-01-05T09:40:10+00:00")
OTHER = {
    "client_order_id": "lt-another",
    "strategy": "another",
    "symbol": "ETHUSDT",
    "side": "sell",
    "type": "market",
    "time_in_force": "ioc",
    "qty": "0.10251",
    "price": "92650.01",
    "stop_price": "1",
    "reference_price": "92680.51",
    "protective_stop": "90800.01",
    "take_profit": "99800.01",
    "extended_hours": True,
    "reduce_only": True,
    "purpose": "exit",
}


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Sign, Verify]:
    public, sign = signer(load_or_create_seed(tmp_path / "risk.seed"))
    return sign, verifier(public)


def _read(tree: Any) -> OrderApproved:
    event = decode("events.{session_id}.{service}.{type}".format(**tree), json.dumps(tree).encode())
    assert isinstance(event, OrderApproved)
    return event


@pytest.fixture
def approval(keys: tuple[Sign, Verify]) -> OrderApproved:
    sign, _ = keys
    draft = _read(sample("order_approved.v1"))
    signed = approval_bytes(draft.session_id, draft.details.intent_id, draft.order, draft.details.expires_at)
    return draft.model_copy(update={"details": draft.details.model_copy(update={"signature": sign(signed)})})


def test_an_approval_that_has_travelled_over_the_bus_is_admitted(
    approval: OrderApproved, keys: tuple[Sign, Verify]
) -> None:
    arrived = decode(subject_of(approval), encode(approval))
    assert isinstance(arrived, OrderApproved)
    order = admit(arrived, keys[1], EXPIRY)
    assert (order.ticket, order.expires_at, order.approval_id) == (approval.order, EXPIRY, approval.id)


def test_an_approval_is_worth_nothing_once_it_has_expired(approval: OrderApproved, keys: tuple[Sign, Verify]) -> None:
    with pytest.raises(UnapprovedError, match="expired"):
        admit(approval, keys[1], EXPIRY + timedelta(microseconds=1))


@pytest.mark.parametrize("field", sorted(OTHER))
def test_a_change_of_any_field_of_the_order_is_found(
    approval: OrderApproved, keys: tuple[Sign, Verify], field: str
) -> None:
    tampered = _read(replaced(json.loads(encode(approval)), ("order", field), OTHER[field]))
    with pytest.raises(UnapprovedError, match="does not carry the guard's signature"):
        admit(tampered, keys[1], EXPIRY)


def test_every_field_of_a_ticket_is_tried() -> None:
    assert set(OTHER) == set(OrderApproved.model_fields["order"].annotation.model_fields)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("session_id",), "3f0d2c5e-9a41-4c1b-8a77-0d5b6e1f2a91"),
        (("details", "intent_id"), derived_id("3f0d2c5e-9a41-4c1b-8a77-0d5b6e1f2a90", "another")),
        (("details", "expires_at"), "2026-01-05T09:40:11.000000Z"),
        (("details", "signature"), ""),
        (("details", "signature"), "not base64"),
        (("details", "signature"), "QUJD"),
    ],
)
def test_a_change_of_what_surrounds_the_order_is_found(
    approval: OrderApproved, keys: tuple[Sign, Verify], place: Place, value: str
) -> None:
    with pytest.raises(UnapprovedError, match="signature"):
        admit(_read(replaced(json.loads(encode(approval)), place, value)), keys[1], EXPIRY)


def test_another_guards_signature_is_not_the_guards(approval: OrderApproved, tmp_path: Path) -> None:
    public, _ = signer(load_or_create_seed(tmp_path / "another.seed"))
    with pytest.raises(UnapprovedError, match="signature"):
        admit(approval, verifier(public), EXPIRY)


def test_an_absent_price_is_signed_as_absent(approval: OrderApproved, keys: tuple[Sign, Verify]) -> None:
    tree = json.loads(encode(approval))
    for place, _ in list(places(tree["order"])):
        if place in (("price",), ("protective_stop",)):
            without = {key: value for key, value in tree["order"].items() if key != place[0]}
            with pytest.raises(UnapprovedError, match="signature"):
                admit(_read({**tree, "order": without}), keys[1], EXPIRY)
