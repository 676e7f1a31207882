"""Facts of earlier versions, read as those of today."""

import json
from copy import deepcopy
from typing import Any

import pytest

from shared.schemas.catalogue import BY_NAME
from shared.schemas.codec import UndecodableError, decode_as, encode
from shared.schemas.documents.json_schema import version_of
from shared.schemas.lifecycle import UNKNOWN_CORE
from shared.schemas.upcasting import UPCASTS, raised
from tests.golden import sample

Tree = dict[str, Any]
LADDER = {
    ("parcel_sent", 1): lambda tree: {**tree, "weight": "unknown"},
    ("parcel_sent", 2): lambda tree: {**tree, "weight": {"grams": tree["weight"]}},
}


def test_a_fact_climbs_version_by_version() -> None:
    assert raised("parcel_sent", {"version": 1}, 3, LADDER) == {"version": 3, "weight": {"grams": "unknown"}}
    assert raised("parcel_sent", {"version": 2, "weight": 5}, 3, LADDER) == {"version": 3, "weight": {"grams": 5}}
    assert raised("parcel_sent", {"version": 3}, 3, LADDER) == {"version": 3}


def test_there_is_no_way_down_and_none_from_a_version_that_never_was() -> None:
    assert raised("parcel_sent", {"version": 4}, 3, LADDER) is None
    assert raised("parcel_lost", {"version": 1}, 2, LADDER) is None


def test_every_version_that_was_ever_written_has_its_way_to_the_present() -> None:
    assert set(UPCASTS) == {(name, version) for name in BY_NAME for version in range(1, version_of(name))}


@pytest.mark.parametrize(("name", "version"), UPCASTS)
def test_climbing_leaves_the_given_fact_as_it_was(name: str, version: int) -> None:
    given = sample(f"{name}.v{version}")
    before = deepcopy(given)
    raised(name, given, version_of(name))
    assert given == before


def test_a_first_runner_start_says_that_the_code_that_decided_is_not_known() -> None:
    first, second = sample("runner_start.v1"), sample("runner_start.v2")
    second["details"]["core_digest"] = UNKNOWN_CORE
    assert json.loads(encode(decode_as("runner_start", json.dumps(first).encode()))) == second


def test_a_first_runner_start_without_its_details_is_garbage() -> None:
    broken = sample("runner_start.v1")
    del broken["details"]
    with pytest.raises(UndecodableError, match="lacks what its version 1 wrote"):
        decode_as("runner_start", json.dumps(broken).encode())


@pytest.mark.parametrize("details", [None, 5, "text", [], {}])
def test_a_first_runner_start_with_other_details_is_garbage(details: Any) -> None:
    broken = {**sample("runner_start.v1"), "details": details}
    with pytest.raises(UndecodableError):
        decode_as("runner_start", json.dumps(broken).encode())
