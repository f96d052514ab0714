"""Why a provider hands a job back: the document behind the ``result`` of a proposal that claims nothing new. Canonical JSON."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import parse_canonical_json
from computility.domain.errors import InvalidExcuse
from computility.domain.identifiers import JobId, parse_bytes32

VERSION: Final = 1
MAX_EXCUSE_BYTES: Final = 4 * 1024
MAX_DETAIL_CHARACTERS: Final = 1_000
_REASON: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_FIELDS: Final = frozenset({"version", "job", "reason", "detail"})


@dataclass(frozen=True)
class Excuse(CanonicalDocument):
    """``reason`` is the code of the error that ended the run, ``detail`` says it for people. The proposal's ``result`` is its digest.

    Raises:
        InvalidExcuse: a field that does not fit.
    """

    job: JobId
    reason: str
    detail: str
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION or parse_bytes32(self.job) != self.job:
            raise InvalidExcuse(f"an excuse of version {VERSION} names its job")
        if not isinstance(self.reason, str) or not _REASON.fullmatch(self.reason):
            raise InvalidExcuse(f"a reason is a slug, not {str(self.reason)[:80]!r}")
        if not isinstance(self.detail, str) or len(self.detail) > MAX_DETAIL_CHARACTERS:
            raise InvalidExcuse(f"a detail has at most {MAX_DETAIL_CHARACTERS} characters")

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def parse_excuse(data: bytes) -> Excuse:
    """Read an excuse.

    Raises:
        InvalidExcuse: not canonical JSON, or not of this form.
    """
    document = parse_canonical_json(data, MAX_EXCUSE_BYTES, InvalidExcuse)
    if document.keys() != _FIELDS:
        raise InvalidExcuse(f"an excuse has exactly the fields {', '.join(sorted(_FIELDS))}")
    return Excuse(**document)
