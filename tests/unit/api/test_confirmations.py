"""Every row that the API answers with from the ledger says how settled it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from computility.api.app import create_app
from computility.settings import NodeSettings

_DOCUMENT: Final = create_app(NodeSettings.model_construct()).openapi()
_SCHEMAS: Final[dict[str, Any]] = _DOCUMENT["components"]["schemas"]
_NO_ROW_OF_THE_LEDGER: Final = {
    "Health": "the node itself; it names its blocks",
    "Config": "what the newest contracts answer at the head",
    "AuditReport": "a comparison that names its block",
    "QuoteRequestRow": "signed statements: nothing of it stands on the chain",
}
"""Answers that carry no confirmation, and why. Signed statements need no entry: no reorganisation takes one back."""


def _resolved(schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return name, _SCHEMAS[name] if name else schema


def _item(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema is a list of; itself where it is none."""
    properties = _resolved(schema)[1].get("properties", {})
    return properties["items"]["items"] if {"items", "next"} <= properties.keys() else schema


def _answers() -> Iterator[Any]:
    for path, operations in _DOCUMENT["paths"].items():
        body = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json")
        if body and _resolved(body["schema"])[0]:
            yield pytest.param(_item(body["schema"]), id=f"GET {path}")


def _is_signed(schema: dict[str, Any]) -> bool:
    return {"signature", "signer", "message"} <= schema.get("properties", {}).keys()


@pytest.mark.parametrize("schema", list(_answers()))
def test_every_row__says_how_settled_it_is(schema: dict[str, Any]) -> None:
    name, row = _resolved(schema)
    if name == "Alerts":
        name, row = _resolved(row["properties"]["alerts"]["items"])
    if name in _NO_ROW_OF_THE_LEDGER or _is_signed(row):
        assert "confirmation" not in row["properties"]
    else:
        assert "confirmation" in row["required"], name


def test_what_is_excused__is_answered_somewhere() -> None:
    answered = {_resolved(parameters.values[0])[0] for parameters in _answers()}
    assert answered >= _NO_ROW_OF_THE_LEDGER.keys()


def test_a_confirmation__is_one_of_three_words() -> None:
    words = {
        tuple(schema["properties"]["confirmation"]["enum"])
        for schema in _SCHEMAS.values()
        if "confirmation" in schema.get("properties", {})
    }
    assert words == {("latest", "safe", "finalized")}
