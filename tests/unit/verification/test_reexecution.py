"""A job is run again, and held against what its provider submitted.

a result that is the same
├── of fuel: has to come to the very units
└── of seconds: passes with the provider's, whatever this verifier needed, up to what is plausible, or what the policy allows
a result that differs, of a kind that promises no equal bits: is no fault
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import make_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.verification.scripted_executor import ENVIRONMENT, Result, ScriptedExecutor

from computility.domain.attestation import Verdict
from computility.domain.identifiers import JobId
from computility.verification.hash_equality import fits_hash_policy
from computility.verification.reexecution import Finding, run_again

RIGHT = {"a.txt": b"1"}
OWN_UNITS = 1
"""Of the scripted executor."""


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return Result(tmp_path / "content")


def found(result: Result, units: int, specification: Any = None, policy: Mapping[str, Any] | None = None) -> Finding:
    """What a verifier finds of the right result and a claim of these units."""
    executor: Any = ScriptedExecutor(lambda _: RIGHT)
    submission = replace(result.submit(RIGHT), units=units)
    return run_again(specification or result.specification, submission, executor, result.content, policy)


@pytest.mark.parametrize("units", [OWN_UNITS, OWN_UNITS + 1, 4 * (OWN_UNITS + 1)])
def test_seconds__that_another_machine_needed__pass_and_are_paid(result: Result, units: int) -> None:
    finding = found(result, units)
    assert (finding.verdict, finding.reason) == (Verdict.PASS, "same")
    # Whoever ran it again in other seconds signs the very same.
    assert finding.units == units
    attestation = finding.attestation(JobId(result.submit(RIGHT).job), result.submit(RIGHT).result)
    assert (attestation.units, attestation.result) == (units, result.submit(RIGHT).result)
    assert finding.execution is not None


def test_seconds__far_beyond_what_a_verifier_needed__are_no_pass(result: Result) -> None:
    finding = found(result, 4 * (OWN_UNITS + 1) + 1)
    assert (finding.verdict, finding.reason) == (Verdict.NO_FAULT, "units-implausible")
    assert finding.units == OWN_UNITS


@pytest.mark.parametrize(("within", "most"), [(0, 2), (4_999, 2), (5_000, 3), (30_000, 8)])
def test_seconds__pass_as_far_as_the_policy_allows(result: Result, within: int, most: int) -> None:
    policy = {"method": "reexec-quorum", "units_within_bps": within}
    assert found(result, most, policy=policy).verdict is Verdict.PASS
    assert found(result, most + 1, policy=policy).reason == "units-implausible"
    # The whole policy of the job, where no part of it is named.
    result.specification = replace(result.specification, verification=policy)
    assert found(result, most).verdict is Verdict.PASS
    assert found(result, most + 1).reason == "units-implausible"


@pytest.mark.parametrize("within", [-1, 30_001, "500", 5.0, True, None])
def test_a_policy__that_cannot_be_read__fits_nothing(result: Result, within: Any) -> None:
    policy = {"method": "reexec-quorum", "units_within_bps": within}
    assert found(result, OWN_UNITS, policy=policy).reason == "policy-unfit"
    assert not fits_hash_policy(policy)


def test_seconds__of_another_result__are_not_looked_at(result: Result) -> None:
    executor: Any = ScriptedExecutor(lambda _: {"a.txt": b"2"})
    finding = run_again(result.specification, result.submit(RIGHT), executor, result.content)
    assert (finding.verdict, finding.reason) == (Verdict.NO_FAULT, "result-differs")


@pytest.mark.parametrize(("units", "verdict"), [(OWN_UNITS, Verdict.PASS), (OWN_UNITS + 1, Verdict.FAIL)])
def test_fuel__has_to_come_to_the_very_units(result: Result, units: int, verdict: Verdict) -> None:
    wasm = make_dataclass("Wasm", ["kind", "environment", "digest", "files", "verification"])(
        "wasm", ENVIRONMENT, result.specification.digest, (), {}
    )
    finding = found(result, units, wasm)
    assert (finding.verdict, finding.reason) == (verdict, "same" if verdict is Verdict.PASS else "units-differ")
