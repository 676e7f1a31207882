"""Reads facts of earlier versions: each is raised, version by version, to the one that the program knows.

A registered function takes the JSON object of one version and answers that of the next, `version` excepted, which is
set here. It is pure and total over everything that its version allowed, and it never changes what was given to it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.schemas.lifecycle import UNKNOWN_CORE

Tree = dict[str, Any]
Upcast = Callable[[Tree], Tree]


def _runner_start_1(tree: Tree) -> Tree:
    """Version 2 tells which code decided; version 1 did not know."""
    return {**tree, "details": {**tree["details"], "core_digest": UNKNOWN_CORE}}


def _order_approved_1(tree: Tree) -> Tree:
    """Version 2 tells which incarnation of the guard judged; version 1 did not know, and 0 was never one."""
    return {**tree, "details": {**tree["details"], "epoch": 0}}


UPCASTS: Mapping[tuple[str, int], Upcast] = {
    ("runner_start", 1): _runner_start_1,
    ("order_approved", 1): _order_approved_1,
}
"""How a fact of a type is raised from a version to the next."""


def raised(name: str, tree: Tree, version: int, upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS) -> Tree | None:
    """The fact `tree` of type `name` as `version` writes it; None when no way leads there from its own version.

    KeyError and TypeError for a tree that its own version would not have allowed.
    """
    while (present := tree["version"]) != version:
        upcast = upcasts.get((name, present))
        if upcast is None:
            return None
        tree = {**upcast(tree), "version": present + 1}
    return tree
