"""Content ids: CIDv1, raw codec, SHA-256, base32. The digest inside is what the chain names, so one follows from the other."""

from __future__ import annotations

import hashlib
import re
from base64 import b32decode, b32encode
from typing import Final, NewType

from computility.domain.errors import InvalidIdentifier
from computility.domain.identifiers import Bytes32, bytes32, parse_bytes32

ContentId = NewType("ContentId", str)
"""``bafkrei…``, 59 characters."""

_PREFIX: Final = bytes([0x01, 0x55, 0x12, 0x20])
"""CIDv1, raw, sha2-256, 32 bytes."""
_FORM: Final = re.compile(r"b[a-z2-7]{58}")


def content_id_of(data: bytes) -> ContentId:
    """The id of some bytes."""
    return _from_raw(hashlib.sha256(data).digest())


def content_id_of_digest(digest: str) -> ContentId:
    """The id of the content whose SHA-256 is ``digest`` (0x hex).

    Raises:
        InvalidIdentifier: not 32 bytes of hex.
    """
    return _from_raw(bytes.fromhex(parse_bytes32(digest)[2:]))


def digest_of_content_id(cid: ContentId) -> Bytes32:
    """The SHA-256 inside an id, 0x hex."""
    return bytes32(_decode(cid)[len(_PREFIX) :])


def parse_content_id(text: str) -> ContentId:
    """Read an id in its one spelling.

    Raises:
        InvalidIdentifier: another version, codec, hash or base, or bits that the spelling does not need.
    """
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        raise InvalidIdentifier(f"a content id here is a CIDv1 in base32 (bafkrei…), not {str(text)[:80]!r}")
    raw = _decode(text)
    if raw[: len(_PREFIX)] != _PREFIX or _from_raw(raw[len(_PREFIX) :]) != text:
        raise InvalidIdentifier(f"content ids here are CIDv1 of raw bytes by SHA-256, and {text} is not")
    return ContentId(text)


def _from_raw(digest: bytes) -> ContentId:
    return ContentId("b" + b32encode(_PREFIX + digest).decode().lower().rstrip("="))


def _decode(text: str) -> bytes:
    body = text[1:].upper()
    return b32decode(body + "=" * (-len(body) % 8))
