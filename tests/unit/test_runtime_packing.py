"""States survive as bytes, and bytes bring nothing to life that is no state."""

import os
import pickle
import subprocess
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from services.risk.core.state import NOT_ENABLED
from shared.domain.portfolio import opened
from shared.runtime.packing import UnpackableError, pack, unpack
from shared.schemas.values import Side
from tests.guard_story import exit_ticket, ticket, trading

PURE = ("services.risk.core", "services.risk.limits", "shared.domain", "shared.schemas")


class Order:
    """A class of nobody's state."""


@pytest.mark.parametrize(
    "value",
    [
        {"a": (1, 2.5, None, True, "text", b"bytes"), "b": [frozenset({1}), {2}]},
        Decimal("0.10"),
        datetime(2026, 1, 5, 9, 30, 0, 123456, tzinfo=UTC),
        timedelta(minutes=5),
        Side.BUY,
        NOT_ENABLED,
        ticket(),
        opened(Decimal(100), "USDT"),
    ],
)
def test_what_is_packed_comes_back_equal_and_of_the_same_class(value: Any) -> None:
    again = unpack(pack(value), PURE)
    assert again == value
    assert type(again) is type(value)


def test_a_guard_comes_back_as_it_was() -> None:
    guarded = trading(max_open_exposure="1", max_orders_per_minute=3)
    guarded.buy(ticket("a"))
    guarded.judge(ticket("b", qty="5"))
    guarded.judge(exit_ticket("c"))
    again = unpack(pack(guarded.guard), PURE)
    assert again == guarded.guard
    assert again.watch.day_ends.tzinfo is UTC


def test_a_view_that_can_not_be_written_to_stays_one() -> None:
    again = unpack(pack(MappingProxyType({"a": 1})), PURE)
    assert isinstance(again, MappingProxyType)
    assert again == {"a": 1}


class Runs:
    """Pickles as a call of something."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize(
    "evil",
    [
        Runs(os.system, "true"),
        Runs(subprocess.Popen, ["true"]),
        Runs(eval, "1"),
        Runs(getattr, "x", "upper"),
        Runs(opened, Decimal(1), "USDT"),
        Order(),
        OrderedDict(),
    ],
)
def test_nothing_but_values_and_classes_of_pure_packages_comes_to_life(evil: Any) -> None:
    with pytest.raises(UnpackableError, match=r"may not be part of a state|is no class of its own"):
        unpack(pickle.dumps(evil), PURE)


@pytest.mark.parametrize("name", ["datetime", "datetime.fromisoformat", "Any", "ZERO", "no_such_thing"])
def test_what_a_pure_module_has_imported_is_no_part_of_it(name: str) -> None:
    named = b"\x80\x04\x8c\x17shared.domain.portfolio\x8c" + bytes([len(name)]) + name.encode() + b"\x93."
    with pytest.raises(UnpackableError):
        unpack(named, PURE)


@pytest.mark.parametrize("content", [b"", b"garbage", pack(ticket())[:-5]])
def test_garbage_is_no_state(content: bytes) -> None:
    with pytest.raises(UnpackableError):
        unpack(content, PURE)


def test_what_can_not_be_packed_is_said() -> None:
    with pytest.raises(UnpackableError, match="can't be packed"):
        pack({"strategy": lambda bar: bar})
