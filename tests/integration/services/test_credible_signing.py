"""A committee that believes a provider which proved itself, on a chain, over a node.

a provider with ten passed checks, and a policy of audits
├── not drawn: the members sign, and nobody runs the job
│   ├── right: an auditor confirms that the rule was kept
│   └── wrong: an auditor who runs it says so
├── drawn: one member runs the job, and the others sign its word
│   ├── right: passes
│   └── wrong: everybody looks, and it fails
├── outputs that are not uploaded: nothing is drawn, and everybody runs it
│   ├── right: passes, and the members upload what the provider did not
│   └── wrong: fails, whatever the draw would have said
├── another of the panel than the first opens a challenge: nobody looks at it, and an auditor contradicts who did
└── bond too small: everybody runs it
a provider without them, before members who proved themselves: one member runs it, and the others sign its word
├── bond too small: everybody on duty runs it
└── a wrong result: everybody looks, and it fails
a sleeper: is caught, loses more than it got, is believed no more, and its asks are not taken
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.execution.workbench import CLOCK_S, SEED, SMALL, assembled
from tests.integration.ledger_on_chain import (
    BUYER,
    CREDIT,
    OTHER_PROVIDER,
    PROVIDER,
    VERIFIER,
    LedgerOnChain,
    deploy_ledger,
)
from tests.integration.services.conftest import node_on
from tests.integration.services.offers import offer
from tests.integration.waiting import wait

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of, content_id_of_digest
from computility.domain.errors import NodeRefused
from computility.domain.evidence import Evidence, parse_evidence
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32, JobId, keccak_bytes32, parse_bytes32
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import Submission
from computility.domain.task_specification import TaskSpecification
from computility.domain.terms import Terms
from computility.execution.executor import AttemptId, Prepared, run_to_end
from computility.execution.wasm.executor import WasmExecutor, wasm_environment
from computility.services.attestation_aggregate import Bench, aggregate
from computility.services.committee_seat import CommitteeSeat
from computility.services.credit_audit import CreditAudit
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.proof_builder import ProofBuilder
from computility.services.verdict_replay import Agreement, ReplayedVerdict, replay_verdicts
from computility.services.verifier_node import VerifierNode, VerifierSettings
from computility.verification.challenge_seed import ranked
from computility.verification.credible_signing import AuditPolicy
from computility.verification.reexecution import SAME, Finding

MEMBERS = (5, 6, 7)
HALF = AuditPolicy(5_000)
QUIET = '(module (func (export "_start") (nop)))'
URN = "urn:computility:wasm:wasmtime:1x:1g:local:aurora:0001:mfuel"
UNIT_PRICE = CREDIT // 1_000
PRICE = 2 * UNIT_PRICE


class CountingExecutor(WasmExecutor):
    """Counts what it starts."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Bytes32] = []

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """Count, and start."""
        self.started.append(attempt.job)
        super().start(attempt, prepared)


class Market:
    """A committee at work, and a provider's and a buyer's hand."""

    def __init__(self, ledger: LedgerOnChain, node: NodeClient) -> None:
        self.ledger, self.node = ledger, node
        self.content = NodeContentStore(node)
        self.committee = ledger.deployments.newest.address_of("VerifierCommittee")
        self.executors = {index: CountingExecutor() for index in MEMBERS}
        module = assembled(QUIET)
        self.node.put_content(module)
        self._module = InputFile("program.wasm", content_id_of(module), len(module))
        self._seeds = itertools.count(1)

    def specification(self, policy: dict[str, Any], seed: str = SEED) -> TaskSpecification:
        """Of a program that does nothing. Another seed has another manifest, which no job before it uploaded."""
        specification = TaskSpecification(
            "wasm", wasm_environment(), (self._module,), (), (), replace(SMALL, fuel=2_000_000), CLOCK_S, seed,
            verification=policy,
        )  # fmt: skip
        self.node.put_content(specification.to_bytes())
        return specification

    def open(
        self, specification: TaskSpecification, provider: int = PROVIDER, bond: int = 2 * PRICE, *, arbiter: bool = True
    ) -> Terms:
        """Open a job that the committee verifies, and on which somebody would rule."""
        return self.ledger.open(
            provider, spec=specification.digest, verifier=self.committee, max_units=2, unit_price=UNIT_PRICE, bond=bond,
            verifier_fee=0, arbiter=self.ledger.accounts[VERIFIER].address if arbiter else ZERO_ADDRESS, ruling_window=100,
        )  # fmt: skip

    def submit(
        self,
        terms: Terms,
        specification: TaskSpecification,
        provider: int = PROVIDER,
        *,
        forged: bool = False,
        uploads: bool = True,
    ) -> JobId:
        """Run a job as its provider, or make its result up; show what came out, or keep it back until the draw is known."""
        job = terms.job_id(self.ledger.deployments.domain)
        ran = run_to_end(WasmExecutor(), AttemptId(job, 1), specification, self.content)
        manifest = ran.manifest
        if forged:
            data = b"made up"
            if uploads:
                self.node.put_content(data)
            file = OutputFile("made.up", len(data), hashlib.sha256(data).hexdigest())
            manifest = make_manifest(manifest.spec, manifest.environment, manifest.fuel, [file])
        if uploads:
            self.node.put_content(manifest.to_bytes())
        account = self.ledger.accounts[provider]
        submission = Submission(
            job, 1, manifest.digest, ran.units, keccak_bytes32(wasm_environment().encode()), account.chain_time()
        )
        wait(lambda: bool(self.node.job(job)))
        self.node.publish(account.sign(submission))
        return job

    def pass_a_check(self) -> Terms:
        """A job that two members ran again, and signed."""
        specification = self.specification({})
        terms = self.open(specification)
        self.ledger.mine()
        job = terms.job_id(self.ledger.deployments.domain)
        provider = self.ledger.accounts[PROVIDER]
        ran = run_to_end(WasmExecutor(), AttemptId(job, 1), specification, self.content)
        submission = Submission(
            job, 1, ran.manifest.digest, ran.units, keccak_bytes32(wasm_environment().encode()), provider.chain_time()
        )
        evidence = Finding(Verdict.PASS, SAME, ran).evidence(job, terms, wasm_environment(), provider.sign(submission))
        self.node.put_content(evidence.to_bytes())
        attestation = Finding(Verdict.PASS, SAME, ran).attestation(job, evidence.digest)
        signed = [self.ledger.accounts[index].sign(attestation) for index in MEMBERS]
        wait(lambda: bool(self.node.job(job)))
        for word in signed:
            self.node.publish(word)
        panel: tuple[Address, ...] = CommitteeSeat(provider).panel(job)
        joined = aggregate(signed, Bench(2, panel))
        assert joined is not None
        provider.attest(terms, attestation, joined.signatures)
        return terms

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """The committee serves, and the chain goes on."""
        settings = VerifierSettings(
            poll_interval_s=0.1, standby_s=600.0, send_pass_after_s=0.0, send_step_s=2.0, answer_within_s=1.0
        )
        nodes = [
            VerifierNode(account, self.node, self.executors[index], CommitteeSeat(account), settings)
            for index, account in ((index, self.ledger.accounts[index]) for index in MEMBERS)
        ]
        stop = threading.Event()

        def pulse() -> None:
            while not stop.wait(0.6):
                self.ledger.mine()

        threads = [threading.Thread(target=run, args=(stop,), daemon=True) for run in [node.run for node in nodes]]
        threads.append(threading.Thread(target=pulse, daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    def evidence(self, job: Bytes32) -> Evidence:
        """What two members said of a job, once they did."""
        wait(lambda: bool((self.node.attestations(job)["aggregate"] or {}).get("complete")))
        attestation = self.node.attestations(job)["aggregate"]["attestation"]
        return parse_evidence(self.node.get_content(content_id_of_digest(attestation["evidence"])))

    def ran(self, job: Bytes32) -> int:
        """How often members ran a job."""
        return sum(executor.started.count(job) for executor in self.executors.values())

    def replay(self, job: Bytes32) -> ReplayedVerdict:
        """What an auditor says once the verdict is on the chain."""
        wait(lambda: self.node.job(job)["evidence"] is not None)
        chain, rpc = ChainConnection(self.ledger.rpc), self.ledger.rpc
        _, trade = ProofBuilder(chain, self.ledger.deployments).build(job)
        (verdict,) = replay_verdicts(
            trade,
            WasmExecutor(),
            self.content,
            lambda number: Bytes32(header.hash) if (header := rpc.header(number)) else None,
            credit=CreditAudit(chain, self.ledger.deployments, self.content),
        )
        return verdict

    def until_drawn(self, *, audited: bool, forged: bool, bond: int = 2 * PRICE) -> tuple[JobId, Evidence]:
        """A job that the draw has audited, or left alone. Half of them are: thirty that all come out the other way happen once in 10⁹ runs."""
        specification = self.specification({"method": "reexec-quorum", "audit_bps": HALF.audit_bps})
        for _ in range(30):
            job = self.submit(self.open(specification, bond=bond), specification, forged=forged)
            evidence = self.evidence(job)
            assert evidence.credibility is not None
            if evidence.credibility["audited"] is audited:
                return job, evidence
        raise AssertionError("the draw never came out so")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder: Path = tmp_path_factory.mktemp("committee")
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        ledger = deploy_ledger(chain, folder / "deployments", MEMBERS)
        with node_on(ledger, folder) as node:
            market = Market(ledger, node)
            ledger.accounts[BUYER].deposit(10 * CREDIT)
            for _ in range(HALF.checks_wanted):
                last = market.pass_a_check()
            wait(lambda: node.job(last.job_id(ledger.deployments.domain))["state"] == "closed")
            ledger.mine()
            with market.at_work():
                yield market


def test_a_credible_result_that_is_not_drawn__is_signed_unseen__and_an_auditor_confirms_the_rule(
    market: Market,
) -> None:
    job, evidence = market.until_drawn(audited=False, forged=False)
    assert (evidence.verdict, evidence.reason) == (Verdict.PASS, "credible")
    assert market.ran(job) == 0
    verdict = market.replay(job)
    assert (verdict.agreement, verdict.reason, verdict.found) == (Agreement.CONFIRMED, "credible-by-rule", "same")


def test_a_credible_result_that_is_drawn__is_run_by_one_member__whose_word_another_signs(market: Market) -> None:
    job, evidence = market.until_drawn(audited=True, forged=False)
    assert (evidence.verdict, evidence.reason) == (Verdict.PASS, "same")
    assert market.ran(job) == 1
    assert market.node.attestations(job)["aggregate"]["count"] >= 2
    verdict = market.replay(job)
    assert (verdict.agreement, verdict.reason) == (Agreement.CONFIRMED, "same-evidence")


def test_an_honest_newcomer__is_run_again_by_one_member_that_proved_itself__whose_word_another_signs(
    market: Market,
) -> None:
    specification = market.specification({"method": "reexec-quorum", "audit_bps": HALF.audit_bps})
    job = market.submit(market.open(specification, OTHER_PROVIDER), specification, OTHER_PROVIDER)
    evidence = market.evidence(job)
    assert (evidence.verdict, evidence.reason, evidence.credibility) == (Verdict.PASS, "same", None)
    assert market.ran(job) == 1
    assert market.replay(job).agreement is Agreement.CONFIRMED


def test_a_newcomer_that_makes_its_result_up__is_found_out_by_everybody(market: Market) -> None:
    specification = market.specification({"method": "reexec-quorum", "audit_bps": HALF.audit_bps})
    job = market.submit(market.open(specification, OTHER_PROVIDER), specification, OTHER_PROVIDER, forged=True)
    assert market.evidence(job).verdict is Verdict.FAIL
    assert market.ran(job) >= 2


def test_a_bond_that_does_not_deter__leaves_nobody_credible(market: Market) -> None:
    specification = market.specification({"method": "reexec-quorum", "audit_bps": HALF.audit_bps})
    job = market.submit(market.open(specification, bond=PRICE), specification)
    assert market.evidence(job).credibility is None


def test_a_bond_on_which_nobody_rules__leaves_nobody_credible__as_a_dispute_would_free_it(market: Market) -> None:
    specification = market.specification({"method": "reexec-quorum", "audit_bps": HALF.audit_bps})
    job = market.submit(market.open(specification, arbiter=False), specification)
    assert market.evidence(job).credibility is None
    assert market.ran(job) == 2


def test_a_wrong_result_that_is_not_drawn__passes__and_an_auditor_who_runs_it_says_so(market: Market) -> None:
    job, evidence = market.until_drawn(audited=False, forged=True)
    assert evidence.verdict is Verdict.PASS
    verdict = market.replay(job)
    assert (verdict.agreement, verdict.reason) == (Agreement.CONTRADICTED, "wrong-though-credible")


def test_a_wrong_result_that_is_drawn__fails(market: Market) -> None:
    job, evidence = market.until_drawn(audited=True, forged=True)
    assert (evidence.verdict, evidence.reason) == (Verdict.FAIL, "result-differs")
    # Nobody signs a fail unseen. The third member steps in where the second takes its time.
    assert market.ran(job) in (2, 3)
    assert market.replay(job).agreement is Agreement.CONFIRMED


@pytest.mark.parametrize(("forged", "verdict"), [(True, Verdict.FAIL), (False, Verdict.PASS)])
def test_a_credible_provider_that_keeps_its_outputs_back__learns_no_draw__and_is_run_again(
    market: Market, forged: bool, verdict: Verdict
) -> None:
    specification = market.specification(
        {"method": "reexec-quorum", "audit_bps": HALF.audit_bps}, seed="0x" + f"{verdict:02x}" * 32
    )
    job = market.submit(market.open(specification), specification, forged=forged, uploads=False)
    evidence = market.evidence(job)
    assert (evidence.verdict, evidence.credibility) == (verdict, None)
    assert market.node.challenges(job) == []
    assert market.ran(job) >= 2
    assert market.replay(job).agreement is Agreement.CONFIRMED
    if verdict is Verdict.PASS:
        # What passes, the buyer can have: the members uploaded it.
        assert market.node.has_content(content_id_of_digest(parse_bytes32(market.node.job(job)["result"])))


def test_whose_draw_counts__is_nobodys_choice(market: Market) -> None:
    job, evidence = market.until_drawn(audited=False, forged=False)
    assert evidence.challenge is not None
    panel = CommitteeSeat(market.ledger.accounts[PROVIDER]).panel(job)
    assert evidence.challenge["signer"] == ranked(job, panel)[0]
    assert {row["signer"] for row in market.node.challenges(job)} == {evidence.challenge["signer"]}
    _, trade = ProofBuilder(ChainConnection(market.ledger.rpc), market.ledger.deployments).build(job)
    credit = CreditAudit(ChainConnection(market.ledger.rpc), market.ledger.deployments, market.content)
    assert credit.challengers(trade) == ranked(job, panel)


def test_a_sleeper__is_caught_and_out_of_pocket__and_neither_believed_nor_listed_again(market: Market) -> None:
    """It proved itself by ten right results, and makes up whatever comes then."""
    bond = 40 * PRICE
    before = {row["id"] for row in market.node.jobs(provider=market.ledger.accounts[PROVIDER].address)}
    job, evidence = market.until_drawn(audited=True, forged=True, bond=bond)
    assert evidence.verdict is Verdict.FAIL
    wait(lambda: market.node.job(job)["outcome"] == "fail")
    terms = Terms.from_json(market.node.job(job)["terms"])
    market.ledger.pass_time(terms.dispute_window + 1)
    market.ledger.accounts[BUYER].finalize(terms)
    wait(lambda: market.node.job(job)["state"] == "closed")

    cheated = [row for row in market.node.jobs(provider=terms.provider, state="closed") if row["id"] not in before]
    earned = sum(int(row["provider_paid"] or 0) for row in cheated)
    assert earned < sum(int(row["bond_to_buyer"] or 0) + int(row["bond_to_treasury"] or 0) for row in cheated)

    # Ten right results before do not help any more.
    specification = market.specification({"method": "reexec-quorum", "audit_bps": HALF.audit_bps})
    honest = market.submit(market.open(specification, bond=bond), specification)
    evidence = market.evidence(honest)
    assert (evidence.reason, evidence.credibility, market.ran(honest)) == ("same", None, 2)

    with pytest.raises(NodeRefused) as refused:
        offer(market.ledger.accounts[PROVIDER], market.node, URN, [market.committee])
    assert refused.value.problem_code == "provider-excluded"
