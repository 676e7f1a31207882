"""Answers as a later version of the venue might give them: with more fields and values, or without some fields."""

from typing import Any

OPTIONAL = {
    "subtag",
    "source",
    "hwm",
    "trail_percent",
    "trail_price",
    "position_intent",
    "balance_asof",
    "sma",
    "regt_buying_power",
    "crypto_status",
    "crypto_tier",
    "asset_marginable",
    "settlement_date",
    "event_id",
    "execution_id",
    "position_qty",
    "qty_available",
    "maintenance_margin_requirement",
    "attributes",
}
NEW_FIELD = {"nested": [1, "two", None]}


def with_unknown_fields(told: Any) -> Any:
    """The same with a field in every object that no document names; a working order has a status that none names."""
    if isinstance(told, list):
        return [with_unknown_fields(part) for part in told]
    if not isinstance(told, dict):
        return told
    grown = {name: with_unknown_fields(part) for name, part in told.items()}
    if "client_order_id" in grown and grown.get("status") in ("new", "accepted", "pending_new"):
        grown["status"] = "a_status_of_tomorrow"
    return grown | {"a_field_of_tomorrow": NEW_FIELD}


def without_optional_fields(told: Any) -> Any:
    """The same without what may be absent."""
    if isinstance(told, list):
        return [without_optional_fields(part) for part in told]
    if not isinstance(told, dict):
        return told
    return {name: without_optional_fields(part) for name, part in told.items() if name not in OPTIONAL}
