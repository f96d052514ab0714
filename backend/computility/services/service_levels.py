"""Service levels of real jobs: read from the content store, and checked against what was attested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from computility.chain.rpc import RpcClient
from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ChainMisbehaved, InvalidServiceLevel, StatementRefused
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.service_level import ServiceLevel, ServiceOutcome, parse_service_level
from computility.domain.statements import Submission
from computility.execution.content_store import ContentStore
from computility.services.job_watch import JobWatch, WatchedJob
from computility.verification.service_levels import outcome_of_run


def service_level_of(sla: Bytes32, content: ContentStore) -> ServiceLevel | None:
    """The template that terms name; None if they name none, or a document that is no template: that binds the parties as any text does.

    Raises:
        ContentError: the document is not there.
    """
    if sla == ZERO_BYTES32:
        return None
    try:
        return parse_service_level(content.get(content_id_of_digest(sla)))
    except InvalidServiceLevel:
        return None


def opened_at(rpc: RpcClient, job: WatchedJob) -> int:
    """The time of the block in which a job was opened, in UTC seconds."""
    header = rpc.header(job.chain.opened_in)
    if header is None:
        raise ChainMisbehaved(f"the chain has no block {job.chain.opened_in}, in which job {job.id} was opened")
    return header.timestamp


@dataclass(frozen=True)
class ServiceCheck:
    """What the template makes of a job, and what its verifier attested. ``agrees`` is None while there is no pass to compare."""

    level: ServiceLevel
    metered_units: int
    outcome: ServiceOutcome
    attested: Attestation | None
    agrees: bool | None


def check_service(job: WatchedJob, watch: JobWatch, content: ContentStore, rpc: RpcClient) -> ServiceCheck:
    """Compute again what the service level of a job makes of it.

    Raises:
        StatementRefused: the job has no machine-checked service level, or nothing was submitted.
    """
    level = service_level_of(job.terms.sla, content)
    if level is None:
        raise StatementRefused(f"the terms of job {job.id} name no service level that a machine can check")
    submitted: tuple[Any, Submission] | None = watch.submission(job)
    if submitted is None:
        raise StatementRefused(f"nothing was submitted for job {job.id} yet: ask again later")
    outcome = outcome_of_run(level, opened_at(rpc, job), submitted[1])
    found = watch.aggregate(job)
    attested = found[0] if found and found[0].verdict is Verdict.PASS else None
    agrees = None
    if attested is not None:
        agrees = (attested.units, attested.quality_bps) == (outcome.units, outcome.quality_bps)
    return ServiceCheck(level, submitted[1].units, outcome, attested, agrees)
