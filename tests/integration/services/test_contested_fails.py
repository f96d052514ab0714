"""A provider's agent disputes a fail that its own check contradicts, and no other.

a fail within its window
├── of a result to which the job comes again: disputed
├── of one that was made up: left to stand
└── of an agent that is told not to: left to stand
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest
from tests.integration.execution.workbench import CLOCK_S, SEED, SMALL, assembled
from tests.integration.ledger_on_chain import OTHER_PROVIDER, PROVIDER, VERIFIER, LedgerOnChain

from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of
from computility.domain.errors import NodeRefused
from computility.domain.identifiers import ZERO_BYTES32, keccak_bytes32
from computility.domain.job import JobState
from computility.domain.job_specification import InputFile
from computility.domain.quoting import ProviderPolicy
from computility.domain.statements import Submission
from computility.domain.task_specification import TaskSpecification
from computility.domain.terms import Terms
from computility.execution.wasm.executor import WasmExecutor, wasm_environment
from computility.services.node_client import NodeClient
from computility.services.provider_agent import ProviderAgent, ProviderSettings

WAIT_S = 120.0


def opened(ledger: LedgerOnChain, node: NodeClient) -> Terms:
    """A job of a program that does nothing, on which another account would rule."""
    module = assembled('(module (func (export "_start") (nop)))')
    node.put_content(module)
    specification = TaskSpecification(
        "wasm", wasm_environment(), (InputFile("program.wasm", content_id_of(module), len(module)),), (), (),
        SMALL, CLOCK_S, SEED,
    )  # fmt: skip
    node.put_content(specification.to_bytes())
    terms = ledger.open(
        spec=specification.digest,
        arbiter=ledger.accounts[OTHER_PROVIDER].address,
        ruling_window=100,
        dispute_window=100_000,
    )
    job = terms.job_id(ledger.deployments.domain)
    until(lambda: node.job(job)["state"] == "open")
    return terms


def until(reached: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Until something is so. What the node does not know yet is not so."""
    give_up = time.monotonic() + WAIT_S
    while time.monotonic() < give_up:
        with contextlib.suppress(NodeRefused):
            meanwhile()
            if reached():
                return
        time.sleep(0.1)
    raise AssertionError("it never came to that")


def fail(ledger: LedgerOnChain, terms: Terms) -> None:
    """The verifier says that the result is wrong."""
    job = terms.job_id(ledger.deployments.domain)
    verifier = ledger.accounts[VERIFIER]
    attestation = Attestation(job, Verdict.FAIL, ZERO_BYTES32, 0, True, 0, ZERO_BYTES32, ZERO_BYTES32)
    verifier.attest(terms, attestation, verifier.sign(attestation).signature)


def agent_of(ledger: LedgerOnChain, node: NodeClient, settings: ProviderSettings) -> ProviderAgent:
    return ProviderAgent(ledger.accounts[PROVIDER], node, WasmExecutor(), ProviderPolicy(), settings)


def test_a_wrong_fail__is_disputed__unless_the_agent_is_told_not_to(ledger: LedgerOnChain, node: NodeClient) -> None:
    agent = agent_of(ledger, node, ProviderSettings(patience_s=100_000))
    terms = opened(ledger, node)
    job = terms.job_id(ledger.deployments.domain)
    until(lambda: bool(node.submissions(job)), agent.tick)
    fail(ledger, terms)
    account = ledger.accounts[PROVIDER]
    until(lambda: node.job(job)["state"] == "pending")

    quiet = agent_of(ledger, node, ProviderSettings(contest_fails=False))
    quiet.tick()
    quiet._moves.close()
    assert account.job(job).state is JobState.PENDING

    until(lambda: account.job(job).state is JobState.DISPUTED, agent.tick)


def test_a_right_fail__is_left_to_stand(
    ledger: LedgerOnChain, node: NodeClient, caplog: pytest.LogCaptureFixture
) -> None:
    terms = opened(ledger, node)
    job = terms.job_id(ledger.deployments.domain)
    account = ledger.accounts[PROVIDER]
    environment = keccak_bytes32(wasm_environment().encode())
    made_up = Submission(job, 1, keccak_bytes32(b"made up"), 1, environment, account.chain_time())
    node.publish(account.sign(made_up))
    fail(ledger, terms)
    until(lambda: node.job(job)["state"] == "pending")
    agent = agent_of(ledger, node, ProviderSettings())
    until(lambda: "not disputed" in caplog.text, agent.tick)
    assert account.job(job).state is JobState.PENDING
