"""JSON in its one spelling (RFC 8785), so that a digest names a document (decision 0001)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785

from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Bytes32, bytes32


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """A document as its canonical bytes.

    Raises:
        InvalidMessage: it holds what canonical JSON cannot: an integer beyond 2^53 − 1, a lone surrogate, another type.
    """
    try:
        return rfc8785.dumps(dict(document))
    except (rfc8785.CanonicalizationError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"this document has no canonical JSON form: {error}") from error


def parse_canonical_json(data: bytes, max_bytes: int, refused: type[InvalidMessage]) -> dict[str, Any]:
    """The object that canonical bytes stand for.

    Raises:
        InvalidMessage: of the class ``refused``: too many bytes, no JSON object, or bytes that would not be written the same again.
    """
    if len(data) > max_bytes:
        raise refused(f"the document may have at most {max_bytes} bytes, not {len(data)}")
    try:
        # Unlike json, orjson refuses deep nesting whatever the interpreter's recursion limit.
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise refused(f"the document is not JSON in UTF-8: {error}") from error
    if not isinstance(document, dict):
        raise refused("the document is not a JSON object")
    try:
        canonical = canonical_json(document)
    except InvalidMessage as error:
        raise refused(str(error)) from error
    if canonical != data:
        raise refused("the document is not canonical JSON (RFC 8785): sort its keys and leave out white space")
    return document


def sha256_bytes32(data: bytes) -> Bytes32:
    """SHA-256 of ``data``."""
    return bytes32(hashlib.sha256(data).digest())
