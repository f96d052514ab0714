"""The description that clients and the page's types are made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from computility.api.app import create_app
from computility.settings import NodeSettings

_DOCUMENT = create_app(NodeSettings.model_construct()).openapi()


def _operations() -> Iterator[Any]:
    for path, operations in _DOCUMENT["paths"].items():
        for method, operation in operations.items():
            yield pytest.param(operation, id=f"{method.upper()} {path}")


def _bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, response in operation["responses"].items():
        for media_type, body in response.get("content", {}).items():
            yield f"{status} {media_type}", body
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {media_type}", body


@pytest.mark.parametrize("operation", list(_operations()))
def test_every_operation__says_what_it_does_and_how_it_fails(operation: dict[str, Any]) -> None:
    assert operation["description"]
    assert "application/problem+json" in operation["responses"]["default"]["content"]


@pytest.mark.parametrize("operation", list(_operations()))
def test_every_json_body__has_an_example_that_fits_its_schema(operation: dict[str, Any]) -> None:
    for name, body in _bodies(operation):
        if not name.endswith("json"):
            continue
        schema = {**body["schema"], "components": _DOCUMENT["components"]}
        problems = [
            f"{name}: {error.json_path}: {error.message}"
            for error in Draft202012Validator(schema).iter_errors(body["example"])
        ]
        assert problems == []


def test_operation_ids__are_unique() -> None:
    identifiers = [
        operation["operationId"] for operations in _DOCUMENT["paths"].values() for operation in operations.values()
    ]

    assert len(identifiers) == len(set(identifiers))
