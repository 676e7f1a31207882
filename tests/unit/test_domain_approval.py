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
from shared.schemas.values import Side
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
    return _signed(_read(sample("order_approved.v2")), sign)


def _signed(draft: OrderApproved, sign: Sign) -> OrderApproved:
    word = draft.details
    signed = approval_bytes(draft.session_id, word.intent_id, draft.order, word.expires_at, word.epoch)
    return draft.model_copy(update={"details": word.model_copy(update={"signature": sign(signed)})})


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
        (("details", "epoch"), 48212),
        (("details", "epoch"), 0),
        (("details", "signature"), ""),
        (("details", "signature"), "not base64"),
        (("details", "signature"), "QUJD"),
    ],
)
def test_a_change_of_what_surrounds_the_order_is_found(
    approval: OrderApproved, keys: tuple[Sign, Verify], place: Place, value: object
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


def test_what_an_earlier_guard_allowed_counts_for_nothing_once_another_stands_guard(
    approval: OrderApproved, keys: tuple[Sign, Verify]
) -> None:
    epoch = approval.details.epoch
    assert admit(approval, keys[1], EXPIRY, epoch).epoch == epoch
    assert admit(approval, keys[1], EXPIRY, epoch - 1).epoch == epoch
    with pytest.raises(UnapprovedError, match=f"by the guard of epoch {epoch}, and {epoch + 1} stands guard"):
        admit(approval, keys[1], EXPIRY, epoch + 1)


def test_what_only_reduces_a_position_is_not_held_up_by_a_new_guard(
    approval: OrderApproved, keys: tuple[Sign, Verify]
) -> None:
    reducing = approval.order.model_copy(update={"side": Side.SELL, "reduce_only": True, "purpose": "exit"})
    signed = _signed(approval.model_copy(update={"order": reducing}), keys[0])
    assert admit(signed, keys[1], EXPIRY, approval.details.epoch + 1).ticket == reducing


def test_an_approval_that_was_signed_before_there_were_epochs_keeps_its_signature(keys: tuple[Sign, Verify]) -> None:
    first = sample("order_approved.v1")
    old = _read(first)
    before = f"leitstand-approval-1\n{old.session_id}\n{old.details.intent_id}\n{first['details']['expires_at']}\n"
    signed = approval_bytes(old.session_id, old.details.intent_id, old.order, old.details.expires_at, 0)
    assert old.details.epoch == 0
    assert signed.startswith(before.encode() + b"{")
    first["details"]["signature"] = keys[0](signed)
    assert admit(_read(first), keys[1], EXPIRY).ticket == old.order
