"""Which settings hold the key to an account."""

from typing import NamedTuple


class Keys(NamedTuple):
    """The settings of a key and its secret, by name, whether they are there, and what else to do or know of them."""

    names: tuple[str, str]
    present: bool
    advice: str
