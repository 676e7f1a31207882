"""Answers as a later version of the venue might give them: with more fields, or without those that may be absent."""

from typing import Any

OPTIONAL = {
    "workingTime",
    "selfTradePreventionMode",
    "origQuoteOrderQty",
    "icebergQty",
    "isWorking",
    "fills",
    "commissionRates",
    "uid",
    "preventSor",
    "requireSelfTradePrevention",
    "isBestMatch",
    "ipRestrict",
    "W",
    "V",
    "I",
    "M",
}
NEW_FILTER = {"filterType": "A_FILTER_OF_TOMORROW", "limit": 1}


def with_unknown_fields(told: Any) -> Any:
    """The same with a field in every object that no document names, and a new kind of filter where filters are."""
    if isinstance(told, list):
        return [with_unknown_fields(part) for part in told]
    if not isinstance(told, dict):
        return told
    grown = {name: with_unknown_fields(part) for name, part in told.items()}
    if "filters" in grown:
        grown["filters"].append(NEW_FILTER)
    return grown | {"aFieldOfTomorrow": {"nested": [1, "two", None]}}


def without_optional_fields(told: Any) -> Any:
    """The same without what may be absent."""
    if isinstance(told, list):
        return [without_optional_fields(part) for part in told]
    if not isinstance(told, dict):
        return told
    return {name: without_optional_fields(part) for name, part in told.items() if name not in OPTIONAL}
