"""How often Python looks for garbage that refers to itself. Facts never do; they go when nobody holds them any more."""

import gc

_BORN = 50_000
"""So many objects more than have gone are there before it looks: a stretch of facts, and some megabytes."""
_ROUNDS = 20, 50


def spare_the_collector() -> None:
    """Take what was imported for lasting, and look rarely: by default half of the time to decode facts goes into it."""
    gc.freeze()
    gc.set_threshold(_BORN, *_ROUNDS)
