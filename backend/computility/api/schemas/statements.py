"""Signed statements as they travel: the message, its signature, and what the node derives from them."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from computility.api.schemas.trade import AttestationMessage, TermsMessage
from computility.api.schemas.wire import (
    Address,
    Amount,
    Answer,
    Bytes32,
    Message,
    Nonce,
    Signature,
    Time,
    Units,
    Window,
)

MessageT = TypeVar("MessageT", bound=BaseModel)
KindT = TypeVar("KindT", bound=str)

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$"), Field(examples=["bond-too-small"])]
Detail = Annotated[str, StringConstraints(max_length=1000), Field(examples=["I stake at most 5 credits on one job."])]
ResourceUrn = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    Field(
        description="Canonical compute identifier.",
        examples=["urn:computility:wasm:wasmtime:1x:2g:eu-west:aurora:0001:mfuel"],
    ),
]
EnvironmentClass = Annotated[
    str, StringConstraints(min_length=1, max_length=255), Field(examples=["wasi-p1/wasmtime-50.0.1/3f9a0c12d4e5b678"])
]


class AskMessage(Message):
    """A provider's offer to anybody, until it expires or is withdrawn."""

    provider: Address
    resource: ResourceUrn
    environment: EnvironmentClass
    unit_price: Amount
    min_units: Units
    max_units: Units
    bond_bps: Annotated[
        int,
        Field(
            ge=0,
            le=2**16 - 1,
            description="Bond on one job, in basis points of unitPrice · maxUnits; more than 10,000 makes a provider credible sooner.",
            examples=[2_000],
        ),
    ]
    max_concurrent: Annotated[int, Field(ge=1, le=2**32 - 1, examples=[2])]
    verifiers: Annotated[list[Address], Field(max_length=16, description="Verifiers that it accepts; empty means any.")]
    arbiters: Annotated[
        list[Address], Field(max_length=16, description="Arbiters that it accepts; empty means any, or none.")
    ]
    dispute_window: Window
    sla: Bytes32
    valid_until: Time
    nonce: Nonce


class AskWithdrawalMessage(Message):
    """The provider takes an ask back."""

    provider: Address
    ask: Bytes32
    at: Time


class QuoteRequestMessage(Message):
    """A buyer asks the provider behind an ask for signed terms."""

    buyer: Address
    payer: Address
    ask: Bytes32
    spec: Annotated[Bytes32, Field(description="SHA-256 of the canonical job specification.")]
    max_units: Units
    verifier: Address
    arbiter: Address
    verifier_fee: Amount
    arbiter_fee: Amount
    end: Annotated[Time, Field(description="Latest end that the buyer accepts; 0 leaves it to the provider.")]
    valid_until: Time
    nonce: Nonce


class QuoteMessage(Message):
    """Terms that the provider signed in answer to ``request``. The signature is over their digest, the job's id."""

    request: Bytes32
    terms: TermsMessage


class RefusalMessage(Message):
    """The provider declines a request and says why."""

    provider: Address
    request: Bytes32
    reason: Reason
    detail: Detail
    at: Time


class SubmissionMessage(Message):
    """The provider commits to the result of an attempt at a job."""

    job: Bytes32
    attempt: Annotated[int, Field(ge=0, le=2**32 - 1, examples=[1])]
    result: Annotated[Bytes32, Field(description="SHA-256 of the canonical output manifest.")]
    units: Units
    environment: Annotated[Bytes32, Field(description="keccak-256 of the environment class.")]
    submitted_at: Time


class ChallengeMessage(Message):
    """A verifier binds itself to how it draws what it checks."""

    job: Bytes32
    attempt: Annotated[int, Field(ge=0, le=2**32 - 1, examples=[1])]
    promise: Annotated[Bytes32, Field(description="Hash of the secret.")]
    block: Annotated[Units, Field(description="Number of the block whose hash goes into the seed.")]
    secret: Annotated[Bytes32, Field(description="Zero in the promise, the secret once the block is there.")]


class MeterReadingMessage(Message):
    """The meter of a lease, as its provider read it. Each reading names the one before it."""

    job: Bytes32
    attempt: Annotated[int, Field(ge=0, le=2**32 - 1, examples=[1])]
    sequence: Annotated[int, Field(ge=1, le=2**32 - 1, examples=[1])]
    previous: Annotated[Bytes32, Field(description="Digest of the reading before; zero for the first.")]
    units: Units
    at_ms: Annotated[Units, Field(description="UTC milliseconds.")]
    sample: Annotated[Bytes32, Field(description="SHA-256 of what was measured, a document in the content store.")]
    is_last: Annotated[bool, Field(description="The job ended by itself.", examples=[False])]


class MeterContestMessage(Message):
    """The buyer of a lease does not believe a reading."""

    job: Bytes32
    reading: Bytes32
    reason: Reason
    at: Time


class Signed(BaseModel, Generic[KindT, MessageT]):
    """A signed statement on its way in. ``kind``, ``id`` and ``signer`` may be left out; if given they are checked."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: KindT | None = None
    id: Bytes32 | None = None
    signer: Address | None = None
    message: MessageT
    signature: Signature


class Statement(Answer, Generic[KindT, MessageT]):
    """A signed statement as the journal keeps it."""

    kind: KindT
    id: Annotated[Bytes32, Field(description="EIP-712 digest of the message; of a quote, the job's id.")]
    signer: Address
    message: MessageT
    signature: Signature
    received_at: Time


AskKind = Literal["ask"]
WithdrawalKind = Literal["ask-withdrawal"]
RequestKind = Literal["quote-request"]
QuoteKind = Literal["quote"]
RefusalKind = Literal["refusal"]
SubmissionKind = Literal["submission"]
AttestationKind = Literal["attestation"]
ChallengeKind = Literal["challenge"]
MeterReadingKind = Literal["meter-reading"]
MeterContestKind = Literal["meter-contest"]


class SignedAsk(Signed[AskKind, AskMessage]):
    """An ask on its way in."""


class SignedAskWithdrawal(Signed[WithdrawalKind, AskWithdrawalMessage]):
    """A withdrawal on its way in."""


class SignedQuoteRequest(Signed[RequestKind, QuoteRequestMessage]):
    """A quote request on its way in."""


class SignedQuote(Signed[QuoteKind, QuoteMessage]):
    """A quote on its way in."""


class SignedRefusal(Signed[RefusalKind, RefusalMessage]):
    """A refusal on its way in."""


class SignedSubmission(Signed[SubmissionKind, SubmissionMessage]):
    """A submission on its way in."""


class SignedAttestation(Signed[AttestationKind, AttestationMessage]):
    """A verifier's or a committee member's attestation on its way in."""


class SignedChallenge(Signed[ChallengeKind, ChallengeMessage]):
    """A verifier's challenge on its way in."""


class SignedMeterReading(Signed[MeterReadingKind, MeterReadingMessage]):
    """A reading on its way in."""


class SignedMeterContest(Signed[MeterContestKind, MeterContestMessage]):
    """A contest on its way in."""


class AskStatement(Statement[AskKind, AskMessage]):
    """An ask in the journal."""


class AskWithdrawalStatement(Statement[WithdrawalKind, AskWithdrawalMessage]):
    """A withdrawal in the journal."""


class QuoteRequestStatement(Statement[RequestKind, QuoteRequestMessage]):
    """A quote request in the journal."""


class QuoteStatement(Statement[QuoteKind, QuoteMessage]):
    """A quote in the journal."""


class RefusalStatement(Statement[RefusalKind, RefusalMessage]):
    """A refusal in the journal."""


class SubmissionStatement(Statement[SubmissionKind, SubmissionMessage]):
    """A submission in the journal."""


class AttestationStatement(Statement[AttestationKind, AttestationMessage]):
    """An attestation in the journal."""


class ChallengeStatement(Statement[ChallengeKind, ChallengeMessage]):
    """A verifier's challenge in the journal."""


class MeterReadingStatement(Statement[MeterReadingKind, MeterReadingMessage]):
    """A reading in the journal."""


class MeterContestStatement(Statement[MeterContestKind, MeterContestMessage]):
    """A contest in the journal."""
