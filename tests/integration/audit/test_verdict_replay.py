"""Whoever has the chain and what is stored finds out whether a verifier spoke the truth, without having been there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.execution.workbench import CLOCK_S, ENDLESS, SEED, SMALL, assembled
from tests.integration.ledger_on_chain import PROVIDER, VERIFIER, LedgerOnChain, deploy_ledger

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain
from computility.domain.attestation import Verdict
from computility.domain.canonical_json import sha256_bytes32
from computility.domain.content_id import content_id_of
from computility.domain.errors import ExecutorBusy, NotAReader
from computility.domain.identifiers import Bytes32, JobId
from computility.domain.job_specification import InputFile, JobSpecification, Limits
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.specification import Specification
from computility.domain.statements import SignedStatement, Submission
from computility.domain.task_specification import TaskSpecification
from computility.domain.terms import Terms
from computility.execution.content_store import FileContentStore
from computility.execution.executor import AttemptId, Execution, Executor, run_to_end
from computility.execution.executor_set import ExecutorSet
from computility.execution.reader_key import OVERHEAD_BYTES, ReaderKey, seal_specification
from computility.execution.sealed_executor import SealedExecutor
from computility.execution.wasm.executor import WasmExecutor, wasm_environment
from computility.services.proof_builder import ProofBuilder
from computility.services.verdict_replay import Agreement, ReplayedVerdict, overall, replay_verdicts
from computility.verification.reexecution import RESULT_DIFFERS, SAME, Finding, reexecute

QUIET = '(module (func (export "_start") (nop)))'
FORGED = Bytes32("0x" + "f0" * 32)
NOTE = b"the harvest will be poor"
READS_ITS_NOTE = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "note")
  (data (i32.const 16) "\\40\\00\\00\\00\\40\\00\\00\\00")
  (func (export "_start")
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
    (drop (call $read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 36)))
    (i32.store (i32.const 20) (i32.load (i32.const 36)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 36)))))
"""
"""Writes what its input says: sealed wrongly, it would come to something else."""
BUYERS, PROVIDERS, VERIFIERS, STRANGERS = (ReaderKey.of_account(bytes([number]) * 32) for number in range(1, 5))
READERS = (BUYERS, PROVIDERS, VERIFIERS)


class BusyExecutor(WasmExecutor):
    """An auditor's machine that has something else to do."""

    def check(self, specification: Specification) -> None:
        """Refuse."""
        raise ExecutorBusy("this machine runs other jobs: try later")


class Case:
    """A job on the chain, what its provider submitted, and a verifier that says what it is told to."""

    def __init__(
        self,
        ledger: LedgerOnChain,
        content: FileContentStore,
        program: str = QUIET,
        readers: Sequence[ReaderKey] = (),
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        self._ledger = ledger
        self._content = content
        module = assembled(program)
        content.put(module)
        program_file, limits = (
            InputFile("program.wasm", content_id_of(module), len(module)),
            replace(SMALL, fuel=2_000_000),
        )
        specification: Specification = JobSpecification(wasm_environment(), program_file, (), (), limits, CLOCK_S, SEED)
        if readers:
            specification = self._sealed(program_file, limits, readers, policy or {})
        self.executor: Executor = SealedExecutor(WasmExecutor(), PROVIDERS) if readers else WasmExecutor()
        content.put(specification.to_bytes())
        self.terms: Terms = ledger.open(spec=specification.digest)
        self.job = self.terms.job_id(ledger.deployments.domain)
        self._specification = specification

    def _sealed(
        self, program: InputFile, limits: Limits, readers: Sequence[ReaderKey], policy: Mapping[str, Any]
    ) -> TaskSpecification:
        note = InputFile("note", content_id_of(NOTE), len(NOTE))
        plain = TaskSpecification(
            "wasm", wasm_environment(), (program,), (), (note,), limits, CLOCK_S, SEED, verification=policy
        )
        specification, sealed = seal_specification(plain, {"note": NOTE}, [reader.public for reader in readers])
        for data in sealed.values():
            self._content.put(data)
        return specification

    def run(self) -> Execution:
        """As the provider ran it."""
        return run_to_end(self.executor, AttemptId(self.job, 1), self._specification, self._content)

    def submit(self, result: Bytes32, units: int, signer: int = PROVIDER) -> tuple[SignedStatement, Submission]:
        """The provider's commitment."""
        submission = Submission(self.job, 1, result, units, sha256_bytes32(wasm_environment().encode()), CLOCK_S)
        return self._ledger.accounts[signer].sign(submission), submission

    def honest_finding(self, submission: Submission) -> Finding:
        """What a verifier finds that does its work."""
        return reexecute(self.terms, submission, self.executor, self._content)

    def attest(self, finding: Finding, signed: SignedStatement, *, keep: bool = True) -> None:
        """Bring a verdict to the chain, with its evidence in the content store."""
        evidence = finding.evidence(JobId(self.job), self.terms, wasm_environment(), signed)
        if keep:
            self._content.put(evidence.to_bytes())
        attestation = finding.attestation(JobId(self.job), evidence.digest)
        statement = self._ledger.accounts[VERIFIER].sign(attestation)
        self._ledger.accounts[PROVIDER].attest(self.terms, attestation, statement.signature)

    def replay(self, executor: WasmExecutor | None = None, reader: ReaderKey | None = None) -> ReplayedVerdict:
        """What an auditor finds, with a reader's key if it has one."""
        _, trade = ProofBuilder(ChainConnection(self._ledger.rpc), self._ledger.deployments).build(self.job)
        (verdict,) = replay_verdicts(
            trade, ExecutorSet([executor or WasmExecutor()]), self._content, lambda _: None, reader=reader
        )
        return verdict


@pytest.fixture(scope="module")
def ledger(chain: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    return deploy_ledger(chain, tmp_path_factory.mktemp("deployments"))


@pytest.fixture
def case(ledger: LedgerOnChain, tmp_path: Path) -> Case:
    return Case(ledger, FileContentStore(tmp_path / "content", 1 << 20))


def test_a_pass_that_was_right__is_confirmed(case: Case) -> None:
    ran = case.run()
    signed, submission = case.submit(ran.manifest.digest, ran.units)
    case.attest(case.honest_finding(submission), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.claimed, verdict.found) == (Agreement.CONFIRMED, SAME, SAME)
    assert overall([verdict]) is Agreement.CONFIRMED


def test_a_fail_that_was_right__is_confirmed(case: Case) -> None:
    signed, submission = case.submit(FORGED, 1)
    case.attest(case.honest_finding(submission), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.found) == (Agreement.CONFIRMED, RESULT_DIFFERS)


def test_a_fail_because_the_job_never_ends__is_confirmed_where_a_result_was_submitted(
    ledger: LedgerOnChain, tmp_path: Path
) -> None:
    case = Case(ledger, FileContentStore(tmp_path / "content", 1 << 20), ENDLESS)
    signed, submission = case.submit(FORGED, 1)
    case.attest(case.honest_finding(submission), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.found) == (Agreement.CONFIRMED, "fuel-exhausted")


def test_a_pass_of_a_forged_result__is_contradicted_by_name(case: Case) -> None:
    """Provider and verifier collude: the evidence has the right form, and lies."""
    ran = case.run()
    manifest = make_manifest(ran.manifest.spec, wasm_environment(), ran.fuel, [OutputFile("forged.txt", 1, "f0" * 32)])
    forged = replace(ran, manifest=manifest)
    signed, _ = case.submit(manifest.digest, ran.units)
    case.attest(Finding(Verdict.PASS, SAME, forged), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.claimed, verdict.found) == (Agreement.CONTRADICTED, SAME, RESULT_DIFFERS)
    assert set(verdict.differences) == {"reason", "result", "verdict"}


def test_a_fail_of_an_honest_provider__is_contradicted(case: Case) -> None:
    ran = case.run()
    signed, _ = case.submit(ran.manifest.digest, ran.units)
    case.attest(Finding(Verdict.FAIL, "job-trapped", None), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.found) == (Agreement.CONTRADICTED, SAME)


def test_a_fail_for_what_the_provider_never_signed__is_contradicted(case: Case) -> None:
    signed, submission = case.submit(FORGED, 1, signer=VERIFIER)
    case.attest(case.honest_finding(submission), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.reason) == (Agreement.CONTRADICTED, "evidence-without-submission")


def test_evidence_that_nobody_has__accuses_nobody(case: Case) -> None:
    ran = case.run()
    signed, submission = case.submit(ran.manifest.digest, ran.units)
    case.attest(case.honest_finding(submission), signed, keep=False)
    verdict = case.replay()
    assert (verdict.agreement, verdict.reason) == (Agreement.UNKNOWN, "evidence-missing")
    assert overall([verdict]) is Agreement.UNKNOWN


def test_an_auditor_that_is_busy__accuses_nobody(case: Case) -> None:
    signed, submission = case.submit(FORGED, 1)
    case.attest(case.honest_finding(submission), signed)
    verdict = case.replay(BusyExecutor())
    assert (verdict.agreement, verdict.reason) == (Agreement.UNKNOWN, ExecutorBusy.code)


@pytest.fixture
def sealed(ledger: LedgerOnChain, tmp_path: Path) -> Case:
    return Case(ledger, FileContentStore(tmp_path / "content", 1 << 20), READS_ITS_NOTE, READERS)


def test_a_sealed_job__is_checked_again_with_any_readers_key__and_with_no_other(sealed: Case) -> None:
    ran = sealed.run()
    assert [file.size for file in ran.manifest.files] == [len(NOTE) + OVERHEAD_BYTES], "what it read, sealed"
    signed, submission = sealed.submit(ran.manifest.digest, ran.units)
    sealed.attest(sealed.honest_finding(submission), signed)
    for reader in READERS:
        verdict = sealed.replay(reader=reader)
        assert (verdict.agreement, verdict.reason, verdict.found) == (Agreement.CONFIRMED, "same-evidence", SAME)
    verdict = sealed.replay()
    assert (verdict.agreement, verdict.reason, verdict.claimed) == (Agreement.UNKNOWN, "sealed", SAME)
    with pytest.raises(NotAReader, match=f"{STRANGERS.public} is none of them"):
        sealed.replay(reader=STRANGERS)


def test_a_pass_of_a_forged_sealed_result__is_contradicted_by_who_can_read_it(sealed: Case) -> None:
    ran = sealed.run()
    manifest = make_manifest(ran.manifest.spec, wasm_environment(), ran.fuel, [OutputFile("forged.txt", 1, "f0" * 32)])
    signed, _ = sealed.submit(manifest.digest, ran.units)
    sealed.attest(Finding(Verdict.PASS, SAME, replace(ran, manifest=manifest)), signed)
    verdict = sealed.replay(reader=BUYERS)
    assert (verdict.agreement, verdict.found) == (Agreement.CONTRADICTED, RESULT_DIFFERS)


def test_a_verdict_by_a_method_that_cannot_read_the_job__is_contradicted_by_everybody(
    ledger: LedgerOnChain, tmp_path: Path
) -> None:
    content = FileContentStore(tmp_path / "content", 1 << 20)
    case = Case(ledger, content, READS_ITS_NOTE, READERS, {"method": "hash-equality"})
    ran = case.run()
    signed, submission = case.submit(ran.manifest.digest, ran.units)
    case.attest(Finding(Verdict.PASS, "same-bytes", None, submission), signed)
    verdict = case.replay()
    assert (verdict.agreement, verdict.reason) == (Agreement.CONTRADICTED, "sealed-from-its-method")
