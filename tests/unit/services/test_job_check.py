"""What a verifier's methods are asked of a job, and what they are not."""

from __future__ import annotations

from dataclasses import replace
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
from computility.services.job_check import JobCheck

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
