"""Puts the attestations of a committee's members together as the escrow takes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from computility.domain.attestation import Attestation, Verdict
from computility.domain.identifiers import Address, Bytes32
from computility.domain.signature import signature_bytes
from computility.domain.statements import SignedStatement


@dataclass(frozen=True)
class Aggregate:
    """One attestation and everyone who signed it. ``signatures`` is what ``attest`` takes: those of the first that suffice."""

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


def aggregate(statements: Iterable[SignedStatement], threshold: int) -> Aggregate | None:
    """The attestation to send: a complete one before an incomplete, a verdict before none, then the most signed, the most units.

    ``statements`` are of one job, by those entitled to sign. A committee's contract wants 65 bytes a member, members
    ascending by address.
    """
    by_digest: dict[Bytes32, dict[Address, SignedStatement]] = {}
    for statement in statements:
        by_digest.setdefault(statement.id, {})[statement.signer] = statement
    candidates = [_join(digest, signed, threshold) for digest, signed in by_digest.items()]
    return max(candidates, key=_rank, default=None)


def _rank(candidate: Aggregate) -> tuple[bool, bool, int, int, str]:
    attestation = candidate.attestation
    says_something = attestation.verdict is not Verdict.NO_FAULT
    # The digest comes last, so that every node answers alike.
    return candidate.complete, says_something, candidate.count, attestation.units, candidate.digest


def _join(digest: Bytes32, signed: dict[Address, SignedStatement], threshold: int) -> Aggregate:
    signers = sorted(signed, key=lambda address: int(address, 16))
    attestation = signed[signers[0]].message
    assert isinstance(attestation, Attestation)
    # Each signature more than needed costs the sender gas.
    joined = b"".join(_full_length(signed[signer].signature) for signer in signers[:threshold])
    return Aggregate(attestation, digest, "0x" + joined.hex(), tuple(signers), threshold)


def _full_length(signature: str) -> bytes:
    raw = signature_bytes(signature)
    if len(raw) == 65:
        return raw
    parity = raw[32] >> 7
    return raw[:32] + bytes([raw[32] & 0x7F]) + raw[33:64] + bytes([27 + parity])
