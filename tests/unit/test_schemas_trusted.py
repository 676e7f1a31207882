"""Facts made without validation are the very facts that validation would have made."""

import json
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import encode
from shared.schemas.envelope import Event
from shared.schemas.identity import client_order_id, derived_id
from shared.schemas.orders import OrderSubmitted
from shared.schemas.trusted import trusted
from tests.golden import sample


def validated_sample(name: str) -> Event:
    told = sample(f"{name}.v{BY_NAME[name].model_fields['version'].default}")
    return BY_NAME[name].model_validate_json(json.dumps(told))


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_trusted_fact_equals_the_validated_one_and_is_written_alike(name: str) -> None:
    validated = validated_sample(name)
    kind = type(validated)
    parts = {part: getattr(validated, part) for part in sorted(validated.model_fields_set)}
    made = trusted(kind, parts)
    assert made == validated
    assert repr(made) == repr(validated)
    assert encode(made) == encode(validated)


def test_a_fact_that_lacks_a_part_or_has_one_too_many_is_refused() -> None:
    with pytest.raises(TypeError, match="order"):
        trusted(OrderSubmitted, {"message": "without anything else"})
    whole = validated_sample("order_submitted")
    parts = {part: getattr(whole, part) for part in whole.model_fields_set}
    with pytest.raises(TypeError, match="colour"):
        trusted(OrderSubmitted, {**parts, "colour": "red"})


@given(st.uuids(), st.text(st.characters(codec="utf-8"), max_size=20), st.integers(0, 10**6))
def test_identities_are_version_5_uuids_of_their_cause(cause: UUID, label: str, index: int) -> None:
    assert derived_id(str(cause), label, index) == str(uuid5(cause, f"{label}:{index}"))
    assert client_order_id(str(cause), index) == f"lt-{uuid5(cause, f'order:{index}').hex}"
