"""A job as the store folds it from the escrow's events, and what surrounds it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from computility.api.schemas.statements import (
    AttestationStatement,
    ChallengeStatement,
    EnvironmentClass,
    MeterContestStatement,
    MeterReadingStatement,
    ResourceUrn,
    SubmissionStatement,
)
from computility.api.schemas.trade import AttestationMessage, TermsMessage
from computility.api.schemas.wire import (
    Address,
    Amount,
    Answer,
    BlockNumber,
    Bps,
    Bytes32,
    Confirmation,
    ContentIdText,
    Page,
    Time,
    Units,
)

JobState = Literal["open", "pending", "disputed", "closed"]
Outcome = Literal["no_fault", "claim", "pass", "fail"]
ClosedBy = Literal["attested", "finalized", "ruled", "agreed", "reclaimed", "disputed_by_default", "cancelled"]
ChainIdText = Annotated[str, Field(description="CAIP-2.", examples=["eip155:31337"])]


class JobRow(Answer):
    """One job. What a close settles is null until then; ``terms`` is null for one cancelled before it opened."""

    id: Bytes32
    chain_id: ChainIdText
    generation: Annotated[int, Field(ge=1, examples=[1])]
    state: JobState
    outcome: Outcome | None
    closed_by: ClosedBy | None
    terms: TermsMessage | None
    fee_bps: Bps | None
    escrow: Amount | None
    from_wallet: Amount | None
    accepted: Units
    pending: Units
    deadline: Annotated[Time | None, Field(description="End of the running window; of an open job, its end.")]
    units: Annotated[Units | None, Field(description="Settled units.")]
    provider_paid: Amount | None
    fee: Amount | None
    refund: Amount | None
    verifier_paid: Amount | None
    arbiter_paid: Amount | None
    bond_returned: Amount | None
    bond_to_buyer: Amount | None
    bond_to_treasury: Amount | None
    to_wallet: Amount | None
    result: Annotated[Bytes32 | None, Field(description="SHA-256 of the output manifest last attested or proposed.")]
    evidence: Bytes32 | None
    opened_at: Time | None
    opened_block: BlockNumber | None
    opened_tx: Bytes32 | None
    closed_at: Time | None
    closed_block: BlockNumber | None
    closed_tx: Bytes32 | None
    confirmation: Confirmation
    resource: Annotated[ResourceUrn | None, Field(description="The URN, where an ask told it.")]
    environment: Annotated[EnvironmentClass | None, Field(description="The environment class, where an ask told it.")]
    specification: Annotated[ContentIdText | None, Field(description="Content id of the job specification.")]


class EventRow(Answer):
    """One event of one of the contracts, decoded."""

    name: Annotated[str, Field(examples=["JobOpened"])]
    contract: Annotated[Address, Field(description="Which contract emitted it.")]
    args: Annotated[
        dict[str, Any], Field(description="By the names in the contract; amounts and units as decimal strings.")
    ]
    job: Bytes32 | None
    chain_id: ChainIdText
    block_number: BlockNumber
    block_hash: Bytes32
    tx_hash: Bytes32
    log_index: Annotated[int, Field(ge=0, examples=[0])]
    timestamp: Time
    confirmation: Confirmation


class OutputFile(Answer):
    """One file that the job wrote."""

    path: Annotated[str, Field(examples=["out.png"])]
    size: Annotated[int, Field(ge=0, examples=[230_520])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["ab" * 32])]
    cid: ContentIdText
    url: Annotated[str, Field(description="Path on this node.", examples=["/v1/content/bafkrei…"])]
    available: Annotated[bool, Field(description="Whether this node holds the file.", examples=[True])]


class JobOutputs(Answer):
    """What a job produced, as its manifest says. Check the files against it, and it against ``result``."""

    job: Bytes32
    result: Annotated[Bytes32, Field(description="SHA-256 of the manifest.")]
    source: Annotated[
        Literal["chain", "submission"], Field(description="Whether the chain or only the provider named the result.")
    ]
    manifest_cid: ContentIdText
    manifest_url: Annotated[str, Field(examples=["/v1/content/bafkrei…"])]
    manifest: Annotated[dict[str, Any], Field(description="The output manifest, as its schema describes it.")]
    files: list[OutputFile]
    confirmation: Annotated[Confirmation, Field(description="Of the job.")]


class AttestationAggregate(Answer):
    """The attestation that most signers share, with their signatures as the escrow takes them."""

    attestation: AttestationMessage
    digest: Bytes32
    signatures: Annotated[
        str,
        Field(
            description="As the escrow takes them: the verifier's signature, or a committee's: the attestation's words, then its panel's signatures.",
            examples=["0x" + "1b" * 130],
        ),
    ]
    signers: list[Address]
    count: Annotated[int, Field(ge=1, examples=[2])]
    threshold: Annotated[int, Field(ge=1, examples=[2])]
    complete: Annotated[bool, Field(description="Enough signatures to send it to the escrow.", examples=[True])]
    reason: Annotated[
        str | None,
        Field(
            description="Why, as the evidence says: a slug; null where the evidence is not on this node.",
            examples=["same", "executor-busy"],
        ),
    ]
    soundness_bits: Annotated[
        float | None,
        Field(
            description="−log2 of the highest probability with which a wrong result passes by the method that was used, as the evidence says: 0 "
            "for whatever is no pass; null where the evidence is not on this node, or of a version before 4.",
            examples=[61.0],
        ),
    ]


class AttestationPage(Page[AttestationStatement]):
    """A job's attestations, and the one that has gathered the most signatures."""

    aggregate: AttestationAggregate | None


class SubmissionPage(Page[SubmissionStatement]):
    """A job's submissions, in the order of arrival."""


class ChallengePage(Page[ChallengeStatement]):
    """Verifiers' challenges to a job, in the order of arrival."""


class MeterReadingPage(Page[MeterReadingStatement]):
    """Readings of a lease's meter, in their order."""


class MeterContestPage(Page[MeterContestStatement]):
    """Contests of readings, in the order of arrival."""


class JobPage(Page[JobRow]):
    """Jobs, the newest first."""


class EventPage(Page[EventRow]):
    """Events. Of one job in the order of the chain, else the newest first."""
