"""The same bytes: run again, or known.

a result
├── run again
│   ├── the same bytes: passes
│   ├── other bytes, and the run comes to its own again: fails
│   ├── other bytes, and the run does not: no fault, as the program kept no promise
│   ├── other files than those that are compared: passes
│   ├── one of those that are compared left out, or one more where all are: fails
│   ├── a machine that cannot run it: no fault
│   └── the same bytes for more units: of fuel a fail, of seconds no fault where they are implausible
├── known by hash: right passes, and nothing is run; wrong or absent fails
│   └── what the program does not come to: no fault
├── no manifest: no fault where it is not there, a fail where it is none
└── a policy that does not fit: no fault
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.verification.scripted_executor import Result, ScriptedExecutor, on

from computility.domain.attestation import Verdict
from computility.domain.errors import JobFailed
from computility.domain.identifiers import Bytes32
from computility.execution.executor import Prepared
from computility.verification.check_result import CheckResult
from computility.verification.hash_equality import HashEqualityVerifier

RIGHT = {"a.txt": b"1", "b.txt": b"2"}
SEED = bytes(32)


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return Result(tmp_path)


def check(
    result: Result, submitted: Mapping[str, bytes], policy: dict[str, Any] | None = None, executor: Any = None
) -> CheckResult:
    executor = executor or ScriptedExecutor(lambda _: RIGHT)
    verifier = HashEqualityVerifier(on(executor), result.content)
    return verifier.verify(result.specification, result.submit(submitted), policy or {}, SEED)


def test_the_same_bytes__pass(result: Result) -> None:
    executor = ScriptedExecutor(lambda _: RIGHT)
    found = check(result, RIGHT, executor=executor)
    assert (found.verdict, found.reason, found.soundness_bits) == (Verdict.PASS, "same-bytes", 128.0)
    assert executor.ran == 1


def test_other_bytes__fail_once_the_run_has_come_to_its_own_again(result: Result) -> None:
    executor = ScriptedExecutor(lambda _: RIGHT)
    found = check(result, {**RIGHT, "b.txt": b"3"}, executor=executor)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "bytes-differ")
    assert executor.ran == 2


def test_a_program_that_is_not_deterministic__fails_nobody(result: Result) -> None:
    numbers = itertools.count()
    found = check(result, RIGHT, executor=ScriptedExecutor(lambda _: {"a.txt": b"%d" % next(numbers)}))
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "not-reproducible")


def test_files_that_are_not_compared__may_differ(result: Result) -> None:
    assert check(result, {**RIGHT, "b.txt": b"3"}, {"files": ["a.txt"]}).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("submitted", "policy"),
    [
        ({"b.txt": b"2"}, {"files": ["a.txt"]}),
        ({**RIGHT, "c.txt": b"3"}, {}),
        ({"a.txt": b"1"}, {}),
    ],
)
def test_a_file_too_few_or_too_many__fails(result: Result, submitted: dict[str, bytes], policy: dict[str, Any]) -> None:
    assert check(result, submitted, policy).verdict is Verdict.FAIL


def test_a_known_answer__needs_no_run(result: Result) -> None:
    executor = ScriptedExecutor(lambda _: RIGHT)
    expected = {"expected": {"a.txt": hashlib.sha256(b"1").hexdigest()}}
    assert check(result, RIGHT, expected, executor).verdict is Verdict.PASS
    assert executor.ran == 0
    assert check(result, {"a.txt": b"9"}, expected, executor).verdict is Verdict.FAIL
    assert check(result, {"b.txt": b"1"}, expected, executor).verdict is Verdict.FAIL


def test_an_answer_that_the_program_does_not_come_to__fails_nobody(result: Result) -> None:
    garbage = {"expected": {"a.txt": hashlib.sha256(b"what no program writes").hexdigest()}}
    found = check(result, RIGHT, garbage)
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "expected-otherwise")


def test_fuel_that_is_claimed_beyond_what_was_burnt__fails(result: Result) -> None:
    wasm: Any = dataclasses.make_dataclass("Wasm", ["kind", "environment", "digest", "files"])(
        "wasm", result.specification.environment, result.specification.digest, ()
    )
    submitted = result.submit(RIGHT)
    verifier = HashEqualityVerifier(on(ScriptedExecutor(lambda _: RIGHT)), result.content)
    assert verifier.verify(wasm, replace(submitted, units=1), {}, SEED).verdict is Verdict.PASS
    inflated = verifier.verify(wasm, replace(submitted, units=2), {}, SEED)
    assert (inflated.verdict, inflated.reason) == (Verdict.FAIL, "units-differ")


@pytest.mark.parametrize(("units", "verdict"), [(1, Verdict.PASS), (8, Verdict.PASS), (9, Verdict.NO_FAULT)])
def test_seconds_far_beyond_what_the_verifier_needed__are_no_pass(result: Result, units: int, verdict: Verdict) -> None:
    verifier = HashEqualityVerifier(on(ScriptedExecutor(lambda _: RIGHT)), result.content)
    found = verifier.verify(result.specification, replace(result.submit(RIGHT), units=units), {}, SEED)
    assert found.verdict is verdict
    assert found.reason == ("same-bytes" if verdict is Verdict.PASS else "units-implausible")


@pytest.mark.parametrize(("units", "verdict"), [(2, Verdict.PASS), (3, Verdict.NO_FAULT)])
def test_seconds_beyond_what_the_policy_allows__are_no_pass(result: Result, units: int, verdict: Verdict) -> None:
    verifier = HashEqualityVerifier(on(ScriptedExecutor(lambda _: RIGHT)), result.content)
    policy = {"method": "hash-equality", "units_within_bps": 500}
    found = verifier.verify(result.specification, replace(result.submit(RIGHT), units=units), policy, SEED)
    assert found.verdict is verdict


def test_a_job_that_ends_otherwise_here__and_another_class__are_no_fault(result: Result) -> None:
    def fail(_: Prepared) -> Mapping[str, bytes]:
        raise JobFailed("exit 1")

    assert check(result, RIGHT, executor=ScriptedExecutor(fail)).reason == "job-failed"
    result.specification = replace(result.specification, environment="process-linux-x86-64/other-1/0123456789abcdef")
    assert check(result, RIGHT).reason == "environment-mismatch"


def test_a_result_that_is_not_there__is_no_fault__and_one_that_is_no_manifest_fails(result: Result) -> None:
    verifier = HashEqualityVerifier(on(ScriptedExecutor(lambda _: RIGHT)), result.content)
    absent = result.submit(RIGHT, upload=False)
    found = verifier.verify(result.specification, absent, {}, SEED)
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "content-not-found")
    result.content.put(b"no manifest")
    unfit = replace(absent, result=Bytes32("0x" + hashlib.sha256(b"no manifest").hexdigest()))
    found = verifier.verify(result.specification, unfit, {}, SEED)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "manifest-unfit")


@pytest.mark.parametrize(
    "policy", [{"files": []}, {"files": "a.txt"}, {"files": [1]}, {"expected": {}}, {"expected": {"a.txt": 1}}]
)
def test_a_policy_that_does_not_fit__is_no_fault(result: Result, policy: dict[str, Any]) -> None:
    found = check(result, RIGHT, policy)
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "policy-unfit")
