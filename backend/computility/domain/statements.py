"""Signed statements that never reach the chain: asks, quotes, submissions. They share the escrow's EIP-712 domain (decision 0004)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, Self

from computility.domain.attestation import Attestation
from computility.domain.eip712 import Eip712Domain, Message, StructType
from computility.domain.errors import InvalidMessage, SignerMismatch
from computility.domain.hardware_claim import HardwareClaim
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, parse_address, parse_bytes32
from computility.domain.metered_lease import MeterContest, MeterReading
from computility.domain.rating import Rating
from computility.domain.rating_round import RatingAnswer, RatingChallenge
from computility.domain.reader_notice import ReaderNotice
from computility.domain.signature import recover_signer, sign_digest
from computility.domain.terms import Terms

MAX_STATEMENT_BYTES: Final = 16 * 1024


class StatementKind(StrEnum):
    """What a statement is, as the journal and the API name it."""

    ASK = "ask"
    ASK_WITHDRAWAL = "ask-withdrawal"
    QUOTE_REQUEST = "quote-request"
    QUOTE = "quote"
    REFUSAL = "refusal"
    SUBMISSION = "submission"
    ATTESTATION = "attestation"
    CHALLENGE = "challenge"
    METER_READING = "meter-reading"
    METER_CONTEST = "meter-contest"
    HARDWARE_CLAIM = "hardware-claim"
    RATING_CHALLENGE = "rating-challenge"
    RATING_ANSWER = "rating-answer"
    RATING = "rating"
    READER_NOTICE = "reader-notice"


@dataclass(frozen=True)
class Ask(Message):
    """A provider's offer to anybody, until it expires or is withdrawn."""

    STRUCT: ClassVar[StructType] = StructType(
        "Ask(address provider,string resource,string environment,uint104 unitPrice,uint64 minUnits,uint64 maxUnits,uint16 bondBps,"
        "uint32 maxConcurrent,address[] verifiers,address[] arbiters,uint32 disputeWindow,bytes32 sla,uint40 validUntil,uint48 nonce)"
    )

    provider: Address
    resource: str
    environment: str
    unit_price: int
    min_units: int
    max_units: int
    bond_bps: int
    max_concurrent: int
    verifiers: tuple[Address, ...]
    arbiters: tuple[Address, ...]
    dispute_window: int
    sla: Bytes32
    valid_until: int
    nonce: int


@dataclass(frozen=True)
class AskWithdrawal(Message):
    """The provider takes an ask back."""

    STRUCT: ClassVar[StructType] = StructType("AskWithdrawal(address provider,bytes32 ask,uint40 at)")

    provider: Address
    ask: Bytes32
    at: int


@dataclass(frozen=True)
class QuoteRequest(Message):
    """A buyer asks the provider behind an ask for signed terms. ``end`` zero leaves it to the provider."""

    STRUCT: ClassVar[StructType] = StructType(
        "QuoteRequest(address buyer,address payer,bytes32 ask,bytes32 spec,uint64 maxUnits,address verifier,address arbiter,"
        "uint104 verifierFee,uint104 arbiterFee,uint40 end,uint40 validUntil,uint48 nonce)"
    )

    buyer: Address
    payer: Address
    ask: Bytes32
    spec: Bytes32
    max_units: int
    verifier: Address
    arbiter: Address
    verifier_fee: int
    arbiter_fee: int
    end: int
    valid_until: int
    nonce: int


@dataclass(frozen=True)
class Refusal(Message):
    """The provider declines a request; ``reason`` is an error code, ``detail`` for people."""

    STRUCT: ClassVar[StructType] = StructType(
        "Refusal(address provider,bytes32 request,string reason,string detail,uint40 at)"
    )

    provider: Address
    request: Bytes32
    reason: str
    detail: str
    at: int


@dataclass(frozen=True)
class Submission(Message):
    """The provider commits to the result of an attempt at a job. The first of an attempt wins."""

    STRUCT: ClassVar[StructType] = StructType(
        "Submission(bytes32 job,uint32 attempt,bytes32 result,uint64 units,bytes32 environment,uint40 submittedAt)"
    )

    job: Bytes32
    attempt: int
    result: Bytes32
    units: int
    environment: Bytes32
    submitted_at: int


@dataclass(frozen=True)
class Challenge(Message):
    """A verifier binds itself to how it will draw what it checks of an attempt: first with ``secret`` zero, once the result is submitted; then, when
    the chain has reached ``block``, with the secret of which ``promise`` is the hash. A verifier of a kind that draws nothing makes none."""

    STRUCT: ClassVar[StructType] = StructType(
        "Challenge(bytes32 job,uint32 attempt,bytes32 promise,uint64 block,bytes32 secret)"
    )

    job: Bytes32
    attempt: int
    promise: Bytes32
    block: int
    secret: Bytes32

    @property
    def is_open(self) -> bool:
        """Whether it tells the secret."""
        return self.secret != ZERO_BYTES32


@dataclass(frozen=True)
class Quote:
    """Terms that the provider signed in answer to a request. The signature is over the terms alone: it is the job's."""

    request: Bytes32
    terms: Terms

    def digest(self, domain: Eip712Domain) -> Bytes32:
        """The job's id."""
        return self.terms.job_id(domain)

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"request": self.request, "terms": self.terms.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a travelled quote.

        Raises:
            InvalidMessage: a field is missing, unknown, or does not fit; or the terms are of another order.
        """
        if not isinstance(document, Mapping) or document.keys() != {"request", "terms"}:
            raise InvalidMessage("a quote has exactly the fields request and terms")
        quote = cls(parse_bytes32(document["request"]), Terms.from_json(document["terms"]))
        if quote.terms.order != quote.request:
            raise InvalidMessage("the quote's terms are of another order than its request")
        return quote


Statement = (
    Ask
    | AskWithdrawal
    | QuoteRequest
    | Quote
    | Refusal
    | Submission
    | Attestation
    | Challenge
    | MeterReading
    | MeterContest
    | HardwareClaim
    | RatingChallenge
    | RatingAnswer
    | Rating
    | ReaderNotice
)

_CLASSES: Final[dict[StatementKind, Any]] = {
    StatementKind.ASK: Ask,
    StatementKind.ASK_WITHDRAWAL: AskWithdrawal,
    StatementKind.QUOTE_REQUEST: QuoteRequest,
    StatementKind.QUOTE: Quote,
    StatementKind.REFUSAL: Refusal,
    StatementKind.SUBMISSION: Submission,
    StatementKind.ATTESTATION: Attestation,
    StatementKind.CHALLENGE: Challenge,
    StatementKind.METER_READING: MeterReading,
    StatementKind.METER_CONTEST: MeterContest,
    StatementKind.HARDWARE_CLAIM: HardwareClaim,
    StatementKind.RATING_CHALLENGE: RatingChallenge,
    StatementKind.RATING_ANSWER: RatingAnswer,
    StatementKind.RATING: Rating,
    StatementKind.READER_NOTICE: ReaderNotice,
}
_KINDS: Final[dict[type, StatementKind]] = {cls: kind for kind, cls in _CLASSES.items()}


def kind_of(message: Statement) -> StatementKind:
    """The kind under which a message is journaled."""
    return _KINDS[type(message)]


def message_from_json(kind: StatementKind, document: Mapping[str, Any]) -> Statement:
    """Read a travelled message of a kind.

    Raises:
        InvalidMessage: it does not fit.
    """
    message: Statement = _CLASSES[kind].from_json(document)
    return message


def required_signer(message: Statement) -> Address | None:
    """Who has to have signed; None where the job says it, and not the message: of a submission, an attestation, a challenge, a meter."""
    match message:
        case Ask() | AskWithdrawal() | Refusal() | HardwareClaim() | RatingAnswer():
            return message.provider
        case RatingChallenge() | Rating():
            return message.verifier
        case QuoteRequest():
            return message.buyer
        case ReaderNotice():
            return message.account
        case Quote():
            return message.terms.provider
        case _:
            return None


def subject_of(message: Statement) -> Bytes32:
    """What the statement is about: the ask withdrawn or asked for, the request answered, the job, the round, the resource. Zero for an ask."""
    match message:
        case AskWithdrawal() | QuoteRequest():
            return message.ask
        case Quote() | Refusal():
            return message.request
        case Submission() | Attestation() | Challenge() | MeterReading() | MeterContest():
            return message.job
        case RatingChallenge() | RatingAnswer():
            return message.promise
        case Rating():
            return message.resource
        case _:
            return ZERO_BYTES32


@dataclass(frozen=True)
class SignedStatement:
    """A message, who signed it, and how. ``id`` is the digest that was signed."""

    kind: StatementKind
    id: Bytes32
    signer: Address
    message: Statement
    signature: str

    def to_json(self) -> dict[str, Any]:
        """The envelope in which it travels."""
        return {
            "kind": self.kind.value,
            "id": self.id,
            "signer": self.signer,
            "message": self.message.to_json(),
            "signature": self.signature,
        }


def sign_statement(message: Statement, domain: Eip712Domain, private_key: bytes, signer: Address) -> SignedStatement:
    """Sign a message with a key whose address is ``signer``."""
    digest = message.digest(domain)
    return SignedStatement(kind_of(message), digest, signer, message, sign_digest(digest, private_key))


def read_statement(envelope: Mapping[str, Any], domain: Eip712Domain) -> SignedStatement:
    """Read an envelope and prove its signature.

    ``id`` and ``signer`` may be absent; where they are given they have to be right.

    Raises:
        InvalidMessage: the envelope or the message does not fit.
        InvalidSignature: the signature is no signature.
        SignerMismatch: it is somebody else's, or for another chain, escrow or message.
    """
    try:
        kind = StatementKind(envelope["kind"])
        document, signature = envelope["message"], envelope["signature"]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidMessage(
            f"an envelope has kind (one of {', '.join(StatementKind)}), message and signature"
        ) from error
    message = message_from_json(kind, document)
    digest = message.digest(domain)
    signer = recover_signer(digest, signature)
    wanted = required_signer(message)
    if wanted is None and envelope.get("signer") is not None:
        wanted = parse_address(envelope["signer"])
    if wanted is not None and signer != wanted:
        raise SignerMismatch(
            f"the signature is not {wanted}'s for this {kind.value} on chain eip155:{domain.chain_number} and escrow {domain.escrow}: "
            "sign exactly this message with that account, on that chain"
        )
    if envelope.get("id") not in (None, digest):
        raise SignerMismatch(f"the id of this {kind.value} is {digest}, not {str(envelope['id'])[:80]}")
    return SignedStatement(kind, digest, signer, message, signature)
