"""Why verifiers say what they say, in a word, and how sound it is: what stands in the evidence that an attestation names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidMessage
from computility.domain.evidence import parse_evidence
from computility.domain.identifiers import ZERO_BYTES32, Bytes32, parse_bytes32
from computility.execution.content_store import ContentStore
from computility.services.node_client import NodeClient

_REMEMBERED = 4_096


@dataclass(frozen=True)
class VerdictReason:
    """A slug such as ``same`` or ``executor-busy``, and −log2 of the highest probability with which a wrong result would have passed: None in
    evidence that is older than that."""

    reason: str
    soundness_bits: float | None


class VerdictReasons:
    """Reads reasons from a content store, each once: evidence is named by its hash, and so never changes."""

    def __init__(self, content: ContentStore) -> None:
        self._content = content
        self._read = lru_cache(_REMEMBERED)(self._parse)

    def of(self, evidence: Bytes32) -> VerdictReason | None:
        """What evidence says; None where the attestation names no evidence, or it is not here, or none."""
        if evidence == ZERO_BYTES32:
            return None
        try:
            return self._read(evidence)
        except (ContentError, InvalidMessage):
            return None

    def _parse(self, evidence: Bytes32) -> VerdictReason:
        read = parse_evidence(self._content.get(content_id_of_digest(evidence)))
        return VerdictReason(read.reason, read.soundness_bits)


def verdict_on(node: NodeClient, job: str) -> str:
    """What verifiers have said of a job so far, in a line; empty while they have said nothing."""
    aggregate = node.attestations(parse_bytes32(job), limit=1)["aggregate"]
    if aggregate is None:
        return ""
    verdict = Verdict(aggregate["attestation"]["verdict"]).name.lower().replace("_", " ")
    reason = aggregate["reason"] or "evidence-not-here"
    return f"{job} {verdict}: {reason} ({aggregate['count']} of {aggregate['threshold']})"
