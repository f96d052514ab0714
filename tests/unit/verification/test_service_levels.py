"""What a service level makes of an attestation."""

from __future__ import annotations

import dataclasses

from computility.domain.attestation import Attestation, Verdict
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.service_level import Metric, ServiceLevel, ServiceTerm
from computility.domain.statements import Submission
from computility.verification.service_levels import under_service_level

OPENED_AT = 1_800_000_000
LEVEL = ServiceLevel("Speed", "A thousand units an hour.", (ServiceTerm(Metric.THROUGHPUT, 1_000, 0, 5_000),))
PASS = Attestation(
    job=Bytes32("0x" + "11" * 32),
    verdict=Verdict.PASS,
    result=Bytes32("0x" + "22" * 32),
    units=500,
    is_final=True,
    quality_bps=10_000,
    meter_root=ZERO_BYTES32,
    evidence=Bytes32("0x" + "33" * 32),
)


def submitted(after_s: int) -> Submission:
    return Submission(PASS.job, 1, PASS.result, 500, ZERO_BYTES32, OPENED_AT + after_s)


def test_a_fast_pass__is_paid_in_full() -> None:
    assert under_service_level(PASS, LEVEL, OPENED_AT, submitted(1_800)) == PASS


def test_a_slow_pass__pays_what_the_template_says() -> None:
    slow = under_service_level(PASS, LEVEL, OPENED_AT, submitted(3_600))
    assert (slow.units, slow.quality_bps) == (375, 5_000)
    assert dataclasses.replace(slow, units=500, quality_bps=10_000) == PASS


def test_a_fail__stays_as_it_is() -> None:
    fail = dataclasses.replace(PASS, verdict=Verdict.FAIL, units=0, quality_bps=0)
    assert under_service_level(fail, LEVEL, OPENED_AT, submitted(9_999)) == fail


def test_a_submission_from_before_the_opening__counts_as_of_the_opening() -> None:
    assert under_service_level(PASS, LEVEL, OPENED_AT, submitted(-100)) == PASS
