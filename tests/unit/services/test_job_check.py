"""What a verifier's methods are asked of a job, and what they are not; and that a verifier never falls silent."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import tests.unit.services.order_book_parties as given
from tests.unit.services.order_book_parties import DOMAIN, PROVIDER
from tests.unit.verification.scripted_executor import Result, ScriptedExecutor

from computility.domain.attestation import Verdict
from computility.domain.sealing import Reader, Sealing
from computility.domain.statements import read_statement
from computility.execution.executor_set import ExecutorSet
from computility.services.job_check import JobCheck, draws
from computility.verification.check_result import CheckResult

SEALED = Sealing(inputs=False, outputs=True, readers=(Reader("0x" + "11" * 32, "0x" + "22" * 112),))


@pytest.mark.parametrize(
    "policy",
    [
        {"method": "hash-equality", "expected": {"c.npy": "00" * 32}},
        {"method": "all-of", "of": [{"method": "hash-equality"}]},
    ],
)
def test_a_policy_that_reads_what_is_sealed__harms_nobody(tmp_path: Path, policy: dict[str, Any]) -> None:
    def never(_: object) -> dict[str, bytes]:
        raise AssertionError("nothing was to be run")

    result = Result(tmp_path)
    result.specification = replace(result.specification, verification=policy, sealing=SEALED)
    result.content.put(result.specification.to_bytes())
    submission = result.submit({"c.npy": b"sealed bytes of an honest provider"})
    ask = given.ask()
    terms = replace(given.terms(given.request(ask), ask), spec=result.specification.digest)
    check = JobCheck(ExecutorSet([ScriptedExecutor(never)]), result.content)  # type: ignore[list-item]  # as much as a check uses
    finding = check.check(terms, read_statement(PROVIDER.sign(submission), DOMAIN), submission, None)
    assert (finding.verdict, finding.reason) == (Verdict.NO_FAULT, "policy-unfit")


class Broken:
    """A method with an error of its own."""

    def verify(self, *_: object) -> CheckResult:
        """Break."""
        raise RecursionError("as a hostile file may cause it")


@pytest.mark.parametrize(
    ("others", "outputs", "found"),
    [
        ([], {"c.npy": b"right"}, (Verdict.NO_FAULT, "check-broke")),
        (["right"], {"c.npy": b"right"}, (Verdict.NO_FAULT, "check-broke")),
        (["right"], {"c.npy": b"wrong"}, (Verdict.FAIL, "bytes-differ")),
    ],
)
def test_a_method_that_breaks__is_no_fault__and_hides_no_fail_of_another(
    tmp_path: Path, others: list[str], outputs: dict[str, bytes], found: tuple[Verdict, str]
) -> None:
    result = Result(tmp_path)
    known = [{"method": "hash-equality", "expected": {"c.npy": sha256(word.encode()).hexdigest()}} for word in others]
    result.specification = replace(
        result.specification, verification={"method": "all-of", "of": [{"method": "broken"}, *known]}
    )
    result.content.put(result.specification.to_bytes())
    submission = result.submit(outputs)
    ask = given.ask()
    terms = replace(given.terms(given.request(ask), ask), spec=result.specification.digest)
    check = JobCheck(ExecutorSet([ScriptedExecutor(lambda _: {})]), result.content, methods={"broken": Broken()})  # type: ignore[list-item]  # as much as a check uses
    finding = check.check(terms, read_statement(PROVIDER.sign(submission), DOMAIN), submission, None)
    assert (finding.verdict, finding.reason) == found


def test_a_policy_as_deep_as_json_may_be__or_of_odd_kinds__draws_nothing() -> None:
    deep: Any = {"method": "freivalds"}
    for _ in range(5_000):
        deep = {"method": "all-of", "of": [deep]}
    assert not draws(deep)
    assert not draws({"method": ["freivalds"]})
    assert draws({"method": "all-of", "of": [{"method": "any-of", "of": [{"method": "freivalds"}]}]})
