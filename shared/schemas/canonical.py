"""Values in the very form that facts are written in, which are read without a call into Python code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import (
    json_or_python_schema,
    lax_or_strict_schema,
    no_info_after_validator_function,
    str_schema,
)


@dataclass(frozen=True, slots=True)
class Canonical:
    """How the type that this annotates is read from JSON when `strict=True` is asked for: in one form alone.

    A string that `pattern` describes is given to `make`; anything else is refused, though it may well be valid. So who
    asks for it and is refused has to ask once more without. Where both ways read a value, both read the same one: the
    pattern must describe nothing that the validators annotated before would refuse or change.
    """

    pattern: str
    make: Callable[[str], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Both ways side by side, of which the careful one is the usual one."""
        careful = handler(source)
        quick = no_info_after_validator_function(self.make, str_schema(pattern=self.pattern))
        return lax_or_strict_schema(careful, json_or_python_schema(quick, careful), strict=False)
