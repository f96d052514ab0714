"""``Rating``: what a verifier measured of a provider's resource, one attribute at a time, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from computility.domain.eip712 import Eip712Domain, Message, StructType
from computility.domain.errors import SignerMismatch, StatementExpired
from computility.domain.identifiers import Address, Bytes32
from computility.domain.signature import recover_signer

INT8_GEMM: Final = "int8-gemm"
"""Millionths of a compute unit that each device sustained by integer products."""


KNOWN_ANSWERS: Final = "known-answers"


@dataclass(frozen=True)
class Rating(Message):
    """``attribute`` says what ``value`` measures: ``int8-gemm`` is millionths of a compute unit a card, sustained by integer products.
    `KNOWN_ANSWERS` is 0 for a provider that made up the result of a job whose answer was known; ``evidence`` is then the job.

    ``devices`` were challenged together. ``evidence`` is the commitment that was checked. Times are UTC seconds; after ``valid_until`` it is void.
    """

    STRUCT: ClassVar[StructType] = StructType(
        "Rating(address verifier,address provider,bytes32 resource,string attribute,uint64 value,uint32 devices,bytes32 evidence,"
        "uint40 measuredAt,uint40 validUntil)"
    )

    verifier: Address
    provider: Address
    resource: Bytes32
    attribute: str
    value: int
    devices: int
    evidence: Bytes32
    measured_at: int
    valid_until: int


def check_rating(rating: Rating, signature: str, domain: Eip712Domain, now: int) -> None:
    """Prove that the verifier signed, and that the rating holds at ``now``.

    Raises:
        InvalidSignature: no signature.
        SignerMismatch: somebody else's, or of another chain, escrow or rating.
        StatementExpired: not measured yet, or no longer valid.
    """
    signer = recover_signer(rating.digest(domain), signature)
    if signer != rating.verifier:
        raise SignerMismatch(f"the rating names the verifier {rating.verifier}, and {signer} signed")
    if not rating.measured_at <= now <= rating.valid_until:
        raise StatementExpired(
            f"the rating holds from {rating.measured_at} to {rating.valid_until}, and it is {now}: ask for a new one"
        )
