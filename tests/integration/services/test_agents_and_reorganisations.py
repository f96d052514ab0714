"""A provider's agent acts on what is deep enough in the chain, and forgets what a reorganisation took away.

a job
├── opened, and not yet as deep as the agent asks → left alone
├── as deep as that → run, and submitted
├── orphaned afterwards → gone: nothing is sent for it, and the agent goes on
└── opened again on the other branch → brought to its end with the result that is there already
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.execution.workbench import Bench, assembled
from tests.integration.ledger_on_chain import PROVIDER, VERIFIER, LedgerOnChain
from tests.integration.waiting import wait

from computility.domain.attestation import Attestation, Verdict
from computility.domain.errors import NodeRefused
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.job import JobState
from computility.domain.quoting import ProviderPolicy
from computility.execution.content_store import FileContentStore
from computility.execution.wasm.executor import WasmExecutor
from computility.services.node_client import NodeClient
from computility.services.provider_agent import ProviderAgent, ProviderSettings

DEPTH = 3
WAIT_S = 60.0
PROGRAM = assembled('(module (func (export "_start")))')


@pytest.fixture
def agent(ledger: LedgerOnChain, node: NodeClient) -> ProviderAgent:
    """The provider's, which waits for three blocks on top of anything."""
    settings = ProviderSettings(confirmations=DEPTH)
    return ProviderAgent(ledger.accounts[PROVIDER], node, WasmExecutor(), ProviderPolicy(), settings)


def uploaded_specification(node: NodeClient, folder: Path) -> Bytes32:
    """A program that does nothing, at the node; its specification's digest."""
    content = FileContentStore(folder, 1_000_000)
    specification = Bench(content, WasmExecutor()).specification(PROGRAM)
    node.put_content(PROGRAM)
    node.put_content(specification.to_bytes())
    return specification.digest


def tick_until(agent: ProviderAgent, reached: Callable[[], bool]) -> None:
    """Let the agent look again and again."""
    give_up = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < give_up, "it never came to that"
        agent.tick()
        time.sleep(0.1)


def knows(node: NodeClient, job: Bytes32) -> bool:
    """Whether the node has the job."""
    try:
        node.job(job)
    except NodeRefused:
        return False
    return True


def test_an_agent__runs_what_is_deep_enough_and_forgets_what_was_orphaned(
    ledger: LedgerOnChain, node: NodeClient, agent: ProviderAgent, tmp_path: Path
) -> None:
    provider = ledger.accounts[PROVIDER]
    spec = uploaded_specification(node, tmp_path / "uploads")
    before_it_opened = ledger.snapshot()
    terms = ledger.open(spec=spec)
    job = terms.job_id(ledger.deployments.domain)
    sent = provider.rpc.call("eth_getTransactionCount", provider.address, "latest")
    wait(lambda: knows(node, job))

    for _ in range(DEPTH - 1):
        agent.tick()
        ledger.mine()
    agent.tick()
    assert node.submissions(job) == [], "it is not deep enough yet"
    ledger.mine()
    tick_until(agent, lambda: bool(node.submissions(job)))
    submitted = node.submissions(job)[0]["message"]

    ledger.revert(before_it_opened)
    ledger.mine(2 * DEPTH)
    wait(lambda: not knows(node, job))
    for _ in range(3):
        agent.tick()
    assert provider.job(job).state is JobState.NONE
    assert provider.rpc.call("eth_getTransactionCount", provider.address, "latest") == sent

    ledger.accounts[1].open_from_wallet(terms, provider.sign_terms(terms))
    ledger.mine(DEPTH)
    attestation = Attestation(
        job, Verdict.PASS, submitted["result"], int(submitted["units"]), True, 10_000, ZERO_BYTES32, ZERO_BYTES32
    )
    wait(lambda: knows(node, job))
    node.publish(ledger.accounts[VERIFIER].sign(attestation))
    tick_until(agent, lambda: provider.job(job).state is JobState.CLOSED)
    assert len(node.submissions(job)) == 1, "what was there already was not made again"
