"""What service levels make of a pass: fewer payable units where they were missed, and the share that was met."""

from __future__ import annotations

from dataclasses import replace

from computility.domain.attestation import Attestation, Verdict
from computility.domain.service_level import ServiceLevel, ServiceOutcome
from computility.domain.service_record import record_of_run
from computility.domain.statements import Submission


def outcome_of_run(level: ServiceLevel, opened_at: int, submission: Submission) -> ServiceOutcome:
    """Of a job that ran once. Everything that goes in is on the chain or signed by the provider, so that every verifier finds the same.

    ``opened_at`` is the time of the block of the opening, in UTC seconds. The provider's clock is bounded by the node that took its submission
    in; a time before the opening counts as the opening.
    """
    return level.outcome(submission.units, record_of_run(opened_at, submission.submitted_at, submission.units))


def under_service_level(
    attestation: Attestation, level: ServiceLevel, opened_at: int, submission: Submission
) -> Attestation:
    """The attestation with what was missed taken off; only a pass names payable units."""
    if attestation.verdict is not Verdict.PASS:
        return attestation
    outcome = outcome_of_run(level, opened_at, submission)
    return replace(attestation, units=outcome.units, quality_bps=outcome.quality_bps)
