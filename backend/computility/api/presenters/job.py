"""Jobs and what surrounds them in the API's words."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from computility.api.schemas.job import (
    AttestationAggregate,
    AttestationPage,
    ChallengePage,
    EventPage,
    EventRow,
    JobOutputs,
    JobPage,
    JobRow,
    OutputFile,
    SubmissionPage,
)
from computility.api.schemas.statements import AttestationStatement, ChallengeStatement, SubmissionStatement
from computility.api.statement_exchange import outgoing
from computility.domain.content_id import content_id_of_digest
from computility.domain.job import JobRecord
from computility.services.attestation_aggregate import Aggregate
from computility.services.journal import JournalEntry
from computility.services.ledger import LedgerEvent
from computility.services.outputs import OutputsView
from computility.services.pages import PageOf
from computility.services.trades import AttestationsView, JobView
from computility.services.verdict_reason import VerdictReason

_AMOUNTS: Final = (
    "escrow",
    "from_wallet",
    "accepted",
    "pending",
    "units",
    "provider_paid",
    "fee",
    "refund",
    "verifier_paid",
    "bond_returned",
    "bond_to_buyer",
    "bond_to_treasury",
    "to_wallet",
)
_AS_THEY_ARE: Final = (
    "id",
    "fee_bps",
    "deadline",
    "result",
    "evidence",
    "opened_at",
    "opened_block",
    "opened_tx",
    "closed_at",
    "closed_block",
    "closed_tx",
)


def job_row(view: JobView, chain_id: str) -> JobRow:
    """One job."""
    record = view.job.record
    values: dict[str, Any] = {name: getattr(record, name) for name in _AS_THEY_ARE}
    values |= {name: _text(getattr(record, name)) for name in _AMOUNTS}
    return JobRow(
        **values,
        chain_id=chain_id,
        generation=view.job.generation,
        state=_name(record.state),
        outcome=_name(record.outcome),
        closed_by=_name(record.closed_by),
        terms=record.terms.to_json() if record.terms else None,
        arbiter_paid=_text(_arbiter_paid(record)),
        confirmation=view.job.confirmation,
        resource=view.resource,
        environment=view.environment,
        specification=str(content_id_of_digest(record.terms.spec)) if record.terms else None,
    )


def job_page(page: PageOf[JobView], chain_id: str) -> JobPage:
    """One page of jobs."""
    return JobPage(items=[job_row(view, chain_id) for view in page.items], next=page.next)


def event_page(page: PageOf[LedgerEvent]) -> EventPage:
    """One page of events."""
    return EventPage(items=[_event_row(found) for found in page.items], next=page.next)


def submission_page(page: PageOf[JournalEntry]) -> SubmissionPage:
    """One page of submissions."""
    return SubmissionPage(items=[outgoing(entry, SubmissionStatement) for entry in page.items], next=page.next)


def challenge_page(page: PageOf[JournalEntry]) -> ChallengePage:
    """One page of challenges."""
    return ChallengePage(items=[outgoing(entry, ChallengeStatement) for entry in page.items], next=page.next)


def attestation_page(view: AttestationsView) -> AttestationPage:
    """One page of attestations, and what they make together."""
    return AttestationPage(
        items=[outgoing(entry, AttestationStatement) for entry in view.page.items],
        next=view.page.next,
        aggregate=_aggregate(view.aggregate, view.reason) if view.aggregate else None,
    )


def job_outputs(view: OutputsView) -> JobOutputs:
    """What a job produced."""
    return JobOutputs(
        job=view.job,
        result=view.result,
        source=view.source,
        manifest_cid=view.manifest_cid,
        manifest_url=_content_url(view.manifest_cid),
        manifest=dict(view.manifest),
        files=[
            OutputFile(
                path=file.path,
                size=file.size,
                sha256=file.sha256,
                cid=file.cid,
                url=_content_url(file.cid),
                available=file.available,
            )
            for file in view.files
        ],
        confirmation=view.confirmation,
    )


def _content_url(cid: str) -> str:
    return f"/v1/content/{cid}"


def _aggregate(found: Aggregate, said: VerdictReason | None) -> AttestationAggregate:
    return AttestationAggregate(
        attestation=found.attestation.to_json(),
        digest=found.digest,
        signatures=found.signatures,
        signers=list(found.signers),
        count=found.count,
        threshold=found.threshold,
        complete=found.complete,
        reason=said.reason if said is not None else None,
        soundness_bits=said.soundness_bits if said is not None else None,
    )


def _event_row(found: LedgerEvent) -> EventRow:
    origin = found.origin
    return EventRow(
        name=found.event.EVENT.name,
        contract=origin.address,
        args=found.event.to_json(),
        job=found.job,
        chain_id=origin.chain_id,
        block_number=origin.block_number,
        block_hash=origin.block_hash,
        tx_hash=origin.tx_hash,
        log_index=origin.log_index,
        timestamp=origin.timestamp,
        confirmation=found.confirmation,
    )


def _arbiter_paid(record: JobRecord) -> int | None:
    if record.arbiter_from_escrow is None or record.arbiter_from_bond is None:
        return None
    return record.arbiter_from_escrow + record.arbiter_from_bond


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _name(value: IntEnum | None) -> Any:
    return None if value is None else value.name.lower()
