"""The API's description: FastAPI's, with the problem schema and an example for every body.

An example is put together from the examples of a schema's fields, so there is one place for each and none can go stale.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from computility.api.problems import MEDIA_TYPE
from computility.api.schemas.problem import InvalidParameter, Problem

_REFERENCE: Final = "#/components/schemas/"


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of ``app``; built once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            license_info=app.license_info,
            routes=app.routes,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in (Problem, InvalidParameter):
            schema = model.model_json_schema(ref_template=_REFERENCE + "{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        for path in document["paths"].values():
            for operation in path.values():
                _add_examples(operation, schemas)
        app.openapi_schema = document
    return app.openapi_schema


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    bodies = [response.get("content", {}) for response in operation["responses"].values()]
    bodies.append(operation.get("requestBody", {}).get("content", {}))
    for content in bodies:
        for media_type, body in content.items():
            if media_type == "application/json" and "example" not in body:
                body["example"] = example_of(body["schema"], schemas)
            elif media_type == MEDIA_TYPE:
                body["example"] = schemas["Problem"]["examples"][0]


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value that fits ``schema``."""
    if "$ref" in schema and "examples" not in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_REFERENCE)], schemas)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    return _example_of_type(schema, schemas)


def _example_of_type(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: example_of(part, schemas) for name, part in properties.items()}
        case "array":
            return [example_of(schema["items"], schemas)] * max(1, schema.get("minItems", 1))
        case "integer":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case "string":
            return "text"
        case _:
            return None
