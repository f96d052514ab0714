"""Evidence bundles."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
import rfc8785

from computility.domain.attestation import Verdict
from computility.domain.errors import InvalidEvidence
from computility.domain.evidence import Evidence, parse_evidence
from computility.domain.identifiers import Address, Bytes32, JobId

EVIDENCE = Evidence(
    job=JobId(Bytes32("0x" + "01" * 32)),
    verifier=Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    environment="wasi-p1/wasmtime-50.0.1/0123456789abcdef",
    verdict=Verdict.FAIL,
    reason="result-differs",
    result=Bytes32("0x" + "02" * 32),
    units=2_000,
    submission={"kind": "submission", "message": {"units": "2001"}, "signature": "0x"},
)

SOUND = dataclasses.replace(EVIDENCE, version=4, verdict=Verdict.PASS, reason="same", soundness_centibits=12_800)


@pytest.mark.parametrize(
    "evidence",
    [
        EVIDENCE,
        dataclasses.replace(EVIDENCE, verdict=Verdict.PASS, reason="same"),
        dataclasses.replace(EVIDENCE, verdict=Verdict.NO_FAULT, result=None, units=None, submission=None),
        SOUND,
        dataclasses.replace(SOUND, challenge={"block": 1}, credibility={"passed": []}, soundness_centibits=36),
    ],
    ids=["fail", "pass", "no fault", "sound", "believed"],
)
def test_evidence__written_and_read__is_the_same(evidence: Evidence) -> None:
    assert parse_evidence(evidence.to_bytes()) == evidence
    assert evidence.digest == "0x" + hashlib.sha256(evidence.to_bytes()).hexdigest()


def test_evidence__of_two_members_who_found_the_same__is_the_same_bytes() -> None:
    assert dataclasses.replace(EVIDENCE).to_bytes() == EVIDENCE.to_bytes()
    assert set(EVIDENCE.to_document()) == {
        "version", "job", "verifier", "environment", "verdict", "reason", "result", "units", "submission",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("surprise", 1),
        ("version", 2),
        ("version", True),
        ("job", "0x01"),
        ("job", "0x" + "AA" * 32),
        ("verifier", "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"),
        ("environment", ""),
        ("verdict", "maybe"),
        ("verdict", 1),
        ("reason", "It differs!"),
        ("reason", None),
        ("result", "0x"),
        ("units", -1),
        ("units", "1"),
        ("units", True),
        ("submission", []),
    ],
)
def test_parse__a_field_that_does_not_fit__is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidEvidence):
        parse_evidence(rfc8785.dumps({**EVIDENCE.to_document(), field: value}))


@pytest.mark.parametrize("field", sorted(EVIDENCE.to_document()))
def test_parse__a_field_left_out__is_refused(field: str) -> None:
    document = EVIDENCE.to_document()
    del document[field]
    with pytest.raises(InvalidEvidence):
        parse_evidence(rfc8785.dumps(document))


def test_soundness__is_told_in_bits__and_not_by_evidence_of_before() -> None:
    assert dataclasses.replace(SOUND, soundness_centibits=36).soundness_bits == 0.36
    assert EVIDENCE.soundness_bits is None


@pytest.mark.parametrize(
    "changes",
    [
        {"soundness_centibits": None},
        {"soundness_centibits": -1},
        {"soundness_centibits": 25_601},
        {"soundness_centibits": 61.0},
        {"soundness_centibits": 1, "verdict": Verdict.FAIL},
        {"version": 1},
        {"credibility": {"passed": []}},
        {"challenge": []},
    ],
)
def test_soundness__that_does_not_fit__is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvidence):
        dataclasses.replace(SOUND, **changes)
