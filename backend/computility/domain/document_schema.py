"""The JSON schemas that the package carries, and what a document has wrong by one."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def schema_fault(schema: str, document: Any, whole: str) -> str | None:
    """Where a document breaks the named schema, and how; ``whole`` names the document itself. None where it breaks nothing."""
    # A late import: whoever trades without a specification at hand does not wait for it.
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(document))
    if error is None:
        return None
    place = error.json_path.removeprefix("$").removeprefix(".") or whole
    return f"{place}: {error.message[:200]}"


@cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = files("computility.domain").joinpath(f"{schema}.schema.json").read_text()
    return Draft202012Validator(json.loads(text))
