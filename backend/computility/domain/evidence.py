"""Why a verifier says what it says: the document behind ``Attestation.evidence``.

The members of a committee sign one attestation, so each has to write the same bytes: nothing here depends on who checked, or when.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import parse_canonical_json
from computility.domain.environment_class import parse_environment_class
from computility.domain.errors import InvalidEvidence, InvalidMessage
from computility.domain.identifiers import Address, Bytes32, JobId, parse_address, parse_bytes32

VERSION: Final = 1
CHALLENGED: Final = 2
CREDITED: Final = 3
SOUND: Final = 4
NEWEST: Final = SOUND
MOST_CENTIBITS: Final = 25_600
MAX_EVIDENCE_BYTES: Final = 64 * 1024
_MAX_INTEGER: Final = 2**53 - 1
_REASON: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_VERDICTS: Final = {Verdict.NO_FAULT: "no-fault", Verdict.PASS: "pass", Verdict.FAIL: "fail"}
_FIELDS: Final = frozenset(
    {"version", "job", "verifier", "environment", "verdict", "reason", "result", "units", "submission"}
)
_FIELDS_OF: Final = {
    VERSION: _FIELDS,
    CHALLENGED: _FIELDS | {"challenge"},
    CREDITED: _FIELDS | {"challenge", "credibility"},
    SOUND: _FIELDS | {"challenge", "credibility", "soundness_centibits"},
}


@dataclass(frozen=True)
class Evidence(CanonicalDocument):
    """A verdict and what it rests on.

    ``verifier`` is the job's (the committee, not its member). ``environment`` is the job's class. ``result`` and ``units`` are
    what the verifier found, None where its run came to no end. ``reason`` is a slug: ``same``, or the code of the error or difference.
    ``submission`` is the provider's signed statement as it travels, None where there was none. ``challenge`` is how it was drawn what was checked
    (`OpenedChallenge.to_document`); version 1 has none. ``credibility`` is why it was believed (`Credibility.to_document`); version 3 has it.
    ``soundness_centibits`` are hundredths of −log2 of the highest probability with which the method lets a wrong result pass, 0 for whatever is no
    pass. From version 4 on it is told, and the two others may be null.
    ``Attestation.evidence`` is the document's digest.

    Raises:
        InvalidEvidence: a field that does not fit.
    """

    job: JobId
    verifier: Address
    environment: str
    verdict: Verdict
    reason: str
    result: Bytes32 | None
    units: int | None
    submission: Mapping[str, Any] | None
    version: int = VERSION
    challenge: Mapping[str, Any] | None = None
    credibility: Mapping[str, Any] | None = None
    soundness_centibits: int | None = None

    def __post_init__(self) -> None:
        if type(self.version) is not int or self.version not in _FIELDS_OF:
            raise InvalidEvidence(f"evidence of versions {VERSION} to {NEWEST} is known here, not {self.version!r}")
        self._check_parts()
        try:
            parse_environment_class(self.environment)
            spellings = [(self.job, parse_bytes32(self.job)), (self.verifier, parse_address(self.verifier))]
            if self.result is not None:
                spellings.append((self.result, parse_bytes32(self.result)))
        except InvalidMessage as error:
            raise InvalidEvidence(str(error)) from error
        for given, canonical in spellings:
            if given != canonical:
                raise InvalidEvidence(f"write {canonical}, not {given}")
        if not isinstance(self.reason, str) or not _REASON.fullmatch(self.reason):
            raise InvalidEvidence(
                f"a reason is a slug of lower-case letters, digits and hyphens, not {str(self.reason)[:80]!r}"
            )
        if self.units is not None and (type(self.units) is not int or not 0 <= self.units <= _MAX_INTEGER):
            raise InvalidEvidence(f"units have to be an integer between 0 and 2^53 − 1, not {self.units!r}")
        if self.submission is not None and not isinstance(self.submission, Mapping):
            raise InvalidEvidence("the submission is an envelope or null")

    def _check_parts(self) -> None:
        for part in (self.challenge, self.credibility):
            if part is not None and not isinstance(part, Mapping):
                raise InvalidEvidence("a challenge and a credibility are objects or null")
        if (self.version >= SOUND) != (self.soundness_centibits is not None):
            raise InvalidEvidence("evidence tells how sound its method is from version 4 on")
        if self.version >= SOUND:
            bits = self.soundness_centibits
            if type(bits) is not int or not 0 <= bits <= MOST_CENTIBITS or (bits and self.verdict is not Verdict.PASS):
                raise InvalidEvidence(f"a pass is sound by 0 to {MOST_CENTIBITS} hundredths of a bit, else it is 0")
            if self.credibility is not None and self.challenge is None:
                raise InvalidEvidence("who is believed is believed by a draw: evidence of credibility has a challenge")
            return
        if (self.challenge is not None) != (self.version >= CHALLENGED):
            raise InvalidEvidence("evidence has a challenge from version 2 on")
        if (self.credibility is not None) != (self.version == CREDITED):
            raise InvalidEvidence("evidence tells of credibility in version 3")

    @property
    def soundness_bits(self) -> float | None:
        """−log2 of the highest probability with which a wrong result passes by this method; None where the evidence is older than that."""
        return None if self.soundness_centibits is None else self.soundness_centibits / 100

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        document = {
            "version": self.version,
            "job": self.job,
            "verifier": self.verifier,
            "environment": self.environment,
            "verdict": _VERDICTS[self.verdict],
            "reason": self.reason,
            "result": self.result,
            "units": self.units,
            "submission": None if self.submission is None else dict(self.submission),
        }
        for name, part in (("challenge", self.challenge), ("credibility", self.credibility)):
            if part is not None:
                document[name] = dict(part)
            elif self.version >= SOUND:
                document[name] = None
        if self.version >= SOUND:
            document["soundness_centibits"] = self.soundness_centibits
        return document


def parse_evidence(data: bytes) -> Evidence:
    """Read an evidence bundle. The submission's signature is the reader's to prove.

    Raises:
        InvalidEvidence: not canonical JSON, or an unknown, missing or ill-formed field.
    """
    document = parse_canonical_json(data, MAX_EVIDENCE_BYTES, InvalidEvidence)
    version = document.get("version")
    fields = _FIELDS_OF.get(version) if type(version) is int else None
    if fields is None:
        raise InvalidEvidence(f"evidence of versions {VERSION} to {NEWEST} is known here, not {str(version)[:60]}")
    if document.keys() != fields:
        raise InvalidEvidence(f"evidence has exactly the fields {', '.join(sorted(fields))}")
    for verdict, name in _VERDICTS.items():
        if document["verdict"] == name:
            return Evidence(**{**document, "verdict": verdict})
    raise InvalidEvidence(f"a verdict is one of {', '.join(_VERDICTS.values())}")
