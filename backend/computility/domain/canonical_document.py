"""Documents that their digest names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from computility.domain.canonical_json import canonical_json, sha256_bytes32
from computility.domain.content_id import ContentId, content_id_of
from computility.domain.identifiers import Bytes32


class CanonicalDocument(ABC):
    """A document in canonical JSON: signed statements name it by its digest, content stores by its content id."""

    @abstractmethod
    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""

    def to_bytes(self) -> bytes:
        """The canonical document."""
        return canonical_json(self.to_document())

    @property
    def digest(self) -> Bytes32:
        """SHA-256 of the canonical document."""
        return sha256_bytes32(self.to_bytes())

    @property
    def cid(self) -> ContentId:
        """The content id of the canonical document."""
        return content_id_of(self.to_bytes())
