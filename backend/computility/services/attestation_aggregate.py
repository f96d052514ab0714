"""Puts the attestations of a job's verifier, or of a committee's panel, together as the escrow takes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from computility.domain.attestation import Attestation, Verdict
from computility.domain.identifiers import Address, Bytes32
from computility.domain.signature import full_length
from computility.domain.statements import SignedStatement


@dataclass(frozen=True)
class Bench:
    """Who may sign for a job's verifier, and how many have to. ``panel`` is the committee's for this job; None where the verifier signs by itself."""

    threshold: int = 1
    panel: tuple[Address, ...] | None = None


@dataclass(frozen=True)
class Aggregate:
    """One attestation and everyone who signed it. ``signatures`` is what ``attest`` takes: those of the first that suffice; of a committee
    after the attestation itself, in whose words the committee's contract finds the job."""

    attestation: Attestation
    digest: Bytes32
    signatures: str
    signers: tuple[Address, ...]
    threshold: int

    @property
    def count(self) -> int:
        """How many signed."""
        return len(self.signers)

    @property
    def complete(self) -> bool:
        """Whether enough signed."""
        return self.count >= self.threshold


def aggregate(statements: Iterable[SignedStatement], bench: Bench) -> Aggregate | None:
    """The attestation to send: a complete one before an incomplete, a verdict before none, then the most signed, the most units, a final one.

    ``statements`` are of one job; of a committee's members only the panel counts.
    """
    by_digest: dict[Bytes32, dict[Address, SignedStatement]] = {}
    for statement in statements:
        if bench.panel is None or statement.signer in bench.panel:
            by_digest.setdefault(statement.id, {})[statement.signer] = statement
    candidates = [_join(digest, signed, bench) for digest, signed in by_digest.items()]
    return max(candidates, key=_rank, default=None)


def packed_signatures(signed: Iterable[SignedStatement]) -> bytes:
    """Signatures as a committee's contract takes them: 65 bytes a member, members ascending by address."""
    ordered = sorted(signed, key=lambda statement: int(statement.signer, 16))
    return b"".join(full_length(statement.signature) for statement in ordered)


def _rank(candidate: Aggregate) -> tuple[bool, bool, int, int, bool, str]:
    attestation = candidate.attestation
    says_something = attestation.verdict is not Verdict.NO_FAULT
    # The digest comes last, so that every node answers alike.
    return (
        candidate.complete,
        says_something,
        candidate.count,
        attestation.units,
        attestation.is_final,
        candidate.digest,
    )


def _join(digest: Bytes32, signed: dict[Address, SignedStatement], bench: Bench) -> Aggregate:
    signers = sorted(signed, key=lambda address: int(address, 16))
    attestation = signed[signers[0]].message
    assert isinstance(attestation, Attestation)
    # Each signature more than needed costs the sender gas.
    joined = packed_signatures(signed[signer] for signer in signers[: bench.threshold])
    if bench.panel is not None:
        joined = attestation.STRUCT.encode(attestation.values()) + joined
    return Aggregate(attestation, digest, "0x" + joined.hex(), tuple(signers), bench.threshold)
