"""An auditor does a verifier's work again, by every method that a policy may name.

a pass by hash-equality, freivalds, a draw, or a vendor's attestation beside another method
├── with its evidence: confirmed
├── whose evidence another check would have written: contradicted
├── under a challenge of another chain: contradicted
└── that this auditor has no root or executor for: unknown
a fail: confirmed as one, and contradicted where the result was right
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tests.unit.services.order_book_parties as given
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.services.order_book_parties import CHAIN_ID, DOMAIN, PROVIDER, VERIFIER
from tests.unit.verification.scripted_executor import ENVIRONMENT, LIMITS, ScriptedExecutor
from tests.unit.verification.tee_reports import AT_S, Chain, chain, tdx_quote

from computility.domain.attestation import Verdict
from computility.domain.evidence import Evidence
from computility.domain.identifiers import ZERO_BYTES32, Bytes32, bytes32
from computility.domain.job import JobRecord, JobState, Outcome
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import Submission, read_statement
from computility.domain.task_specification import TaskSpecification
from computility.domain.terms import Terms
from computility.execution.content_store import FileContentStore
from computility.execution.executor_set import ExecutorSet
from computility.execution.wasm.executor import WasmExecutor
from computility.services.job_check import JobCheck
from computility.services.trade_proof import SignedAttestation, VerifiedTrade
from computility.services.verdict_replay import Agreement, ReplayedVerdict, replay_verdicts
from computility.verification.challenge_seed import Beacon, OpenedChallenge
from computility.verification.tee.tee_jobs import TDX, TeeVerifier, job_nonce

BLOCK_HASH = Bytes32("0x" + "b1" * 32)
SECRET = bytes([7]) * 32
CHALLENGE = OpenedChallenge(VERIFIER.address, Beacon(BLOCK_HASH, SECRET).promise, 12, BLOCK_HASH, bytes32(SECRET))
LEFT, RIGHT = (np.random.default_rng(n).integers(-9, 9, (6, 6), dtype=np.int8) for n in (1, 2))
PRODUCT = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
SAME = {"method": "hash-equality"}
TEE = {"method": "tee", "kind": TDX, "report": "quote", "measurements": {"mr_td": [(b"\x0a" * 48).hex()]}}
POLICIES: dict[str, dict[str, Any]] = {
    "run again": {},
    "hash-equality": SAME,
    "freivalds": PRODUCT,
    "sampled": {"method": "sampled", "bps": 9_900, "of": [SAME]},
    "tee": {"method": "all-of", "of": [{**SAME, "files": ["c.npy"]}, TEE]},
}


def npy(matrix: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, matrix)
    return stream.getvalue()


ANSWER = npy(LEFT.astype(np.int32) @ RIGHT.astype(np.int32))


@dataclass
class Case:
    """A job, what its provider submitted, and what a verifier and an auditor make of it."""

    content: FileContentStore
    policy: dict[str, Any]
    vendor: Chain

    def outcome(self, outputs: Mapping[str, bytes], *, withheld: bool = False) -> tuple[VerifiedTrade, Evidence]:
        """The trade with the verdict of an honest verifier, before whom a draw is opened or withheld."""
        terms, specification = self._terms()
        job = terms.job_id(DOMAIN)
        files = dict(outputs)
        if self.policy is POLICIES["tee"]:
            hashes = {path: hashlib.sha256(data).hexdigest() for path, data in outputs.items()}
            files["quote"] = tdx_quote(self.vendor, job_nonce(TDX, Bytes32(job), 1, hashes))
        manifest = make_manifest(
            specification.digest,
            ENVIRONMENT,
            None,
            [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()],
        )
        for data in (*files.values(), manifest.to_bytes()):
            self.content.put(data)
        submission = Submission(Bytes32(job), 1, manifest.digest, 1, ZERO_BYTES32, AT_S)
        statement = read_statement(PROVIDER.sign(submission), DOMAIN)
        challenge = CHALLENGE if self.policy in (PRODUCT, POLICIES["sampled"]) else None
        finding = self._check().check(terms, statement, submission, None if withheld else challenge, withheld=withheld)
        evidence = finding.evidence(job, terms, ENVIRONMENT, statement)
        return self.trade(terms, evidence), evidence

    def trade(self, terms: Terms, evidence: Evidence) -> VerifiedTrade:
        """A closed trade whose verdict rests on this evidence."""
        self.content.put(evidence.to_bytes())
        passed = evidence.verdict is Verdict.PASS
        attestation = given.attestation(
            terms.job_id(DOMAIN),
            verdict=evidence.verdict,
            result=evidence.result or ZERO_BYTES32,
            units=(evidence.units or 0) if passed else 0,
            evidence=evidence.digest,
        )
        record = JobRecord(
            Bytes32(terms.job_id(DOMAIN)), JobState.CLOSED, terms, Outcome.PASS if passed else Outcome.FAIL
        )
        signed = SignedAttestation(attestation, (VERIFIER.address,), by_verifier=True)
        return VerifiedTrade(
            CHAIN_ID, DOMAIN.escrow, record.id, terms, record, (), (), (signed,), has_institutions=True, has_specification=True, evidence=1,
        )  # fmt: skip

    def replay(self, trade: VerifiedTrade, *, trusted: bool = True, block: Bytes32 = BLOCK_HASH) -> ReplayedVerdict:
        """What an auditor says, who trusts the vendor or does not, on a chain with this block."""
        methods = {"tee": TeeVerifier(self.content, {TDX: [self.vendor.root]} if trusted else {})}
        (found,) = replay_verdicts(trade, self._executors(), self.content, lambda _: block, methods=methods)
        return found

    def _terms(self) -> tuple[Terms, TaskSpecification]:
        inputs = tuple(
            InputFile(path, self.content.put(data), len(data))
            for path, data in (("a.npy", npy(LEFT)), ("b.npy", npy(RIGHT)))
        )
        specification = TaskSpecification(
            "process", ENVIRONMENT, (), ("run",), inputs, LIMITS, 0, ZERO_BYTES32, verification=self.policy
        )
        self.content.put(specification.to_bytes())
        ask = given.ask()
        return replace(given.terms(given.request(ask), ask), spec=specification.digest), specification

    def _executors(self) -> ExecutorSet:
        return ExecutorSet([ScriptedExecutor(lambda _: {"c.npy": ANSWER})])  # type: ignore[list-item]  # as much as a check uses

    def _check(self) -> JobCheck:
        return JobCheck(
            self._executors(), self.content, methods={"tee": TeeVerifier(self.content, {TDX: [self.vendor.root]})}
        )


@pytest.fixture(params=POLICIES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return Case(FileContentStore(str(tmp_path), 1 << 24), POLICIES[request.param], chain(ec.SECP256R1()))


def test_a_pass__is_confirmed_by_doing_it_again(case: Case) -> None:
    trade, evidence = case.outcome({"c.npy": ANSWER})
    assert evidence.verdict is Verdict.PASS
    found = case.replay(trade)
    assert (found.agreement, found.reason) == (Agreement.CONFIRMED, "same-evidence")
    assert found.soundness_bits == evidence.soundness_bits is not None


def test_how_sound_a_method_is__stands_in_its_evidence(case: Case) -> None:
    _, evidence = case.outcome({"c.npy": ANSWER})
    least = {"tee": 0.0, "sampled": 1.0}
    named = next((name for name, policy in POLICIES.items() if policy is case.policy), "product")
    assert evidence.soundness_bits is not None
    assert evidence.soundness_bits >= least.get(named, 61.0)
    _, failed = case.outcome({"c.npy": npy(LEFT.astype(np.int32))})
    assert failed.soundness_bits == 0.0


def test_evidence_that_claims_a_sounder_method__is_contradicted(case: Case) -> None:
    trade, evidence = case.outcome({"c.npy": ANSWER})
    claimed = replace(evidence, soundness_centibits=(evidence.soundness_centibits or 0) + 1)
    assert case.replay(case.trade(trade.terms, claimed)).differences == ("soundness_centibits",)


def test_evidence_of_before_soundness_was_told__is_confirmed_as_it_was_written(case: Case) -> None:
    trade, evidence = case.outcome({"c.npy": ANSWER})
    before = replace(evidence, version=1 if evidence.challenge is None else 2, soundness_centibits=None)
    found = case.replay(case.trade(trade.terms, before))
    assert (found.agreement, found.soundness_bits) == (Agreement.CONFIRMED, None)


def test_a_pass_of_what_is_wrong__is_contradicted(case: Case) -> None:
    """A verifier that was bought signs the evidence of an honest pass over a result that is none."""
    trade, honest = case.outcome({"c.npy": npy(LEFT.astype(np.int32))})
    assert honest.verdict is not Verdict.PASS
    submission = read_statement(honest.submission or {}, DOMAIN).message
    assert isinstance(submission, Submission)
    bought = replace(honest, verdict=Verdict.PASS, reason="same", result=submission.result, units=1)
    found = case.replay(case.trade(trade.terms, bought))
    # Seconds of a process are no proof, so running it again alone accuses nobody of another result.
    wanted = Agreement.UNKNOWN if not case.policy else Agreement.CONTRADICTED
    assert found.agreement is wanted


def test_where_a_draw_is_withheld__everything_is_looked_at__and_an_auditor_finds_the_same(case: Case) -> None:
    trade, right = case.outcome({"c.npy": ANSWER}, withheld=True)
    assert (right.verdict, right.challenge) == (Verdict.PASS, None)
    assert case.replay(trade).agreement is Agreement.CONFIRMED
    _, wrong = case.outcome({"c.npy": npy(LEFT.astype(np.int32))}, withheld=True)
    assert wrong.verdict is not Verdict.PASS


def test_a_fail_of_what_is_right__is_contradicted(case: Case) -> None:
    trade, honest = case.outcome({"c.npy": ANSWER})
    slandered = replace(
        honest, verdict=Verdict.FAIL, reason="product-wrong", result=None, units=None, soundness_centibits=0
    )
    assert case.replay(case.trade(trade.terms, slandered)).agreement is Agreement.CONTRADICTED


def test_a_challenge_of_another_chain__is_contradicted(case: Case) -> None:
    trade, honest = case.outcome({"c.npy": ANSWER})
    found = case.replay(trade, block=Bytes32("0x" + "b2" * 32))
    if honest.challenge is None:
        assert found.agreement is Agreement.CONFIRMED
    else:
        assert found.reason == "challenge-of-another-chain"


def test_an_auditor_that_offers_another_class__confirms_what_needs_no_run__and_contradicts_nothing(case: Case) -> None:
    trade, _ = case.outcome({"c.npy": ANSWER})
    elsewhere = ExecutorSet([WasmExecutor()])
    methods = {"tee": TeeVerifier(case.content, {TDX: [case.vendor.root]})}
    (found,) = replay_verdicts(trade, elsewhere, case.content, lambda _: BLOCK_HASH, methods=methods)
    expected = (
        (Agreement.CONFIRMED, "same-evidence")
        if case.policy is PRODUCT
        else (Agreement.UNKNOWN, "environment-mismatch")
    )
    assert (found.agreement, found.reason) == expected


def test_an_auditor_without_the_vendors_root__cannot_tell(case: Case) -> None:
    trade, _ = case.outcome({"c.npy": ANSWER})
    found = case.replay(trade, trusted=False)
    expected = (
        (Agreement.UNKNOWN, "no-roots") if case.policy is POLICIES["tee"] else (Agreement.CONFIRMED, "same-evidence")
    )
    assert (found.agreement, found.reason) == expected
