"""Audits over an endpoint that gives few blocks at a time ask for less until it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.faulty_endpoint import Fault, faulty
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain
from computility.chain.rpc import RpcClient
from computility.services.ledger_source import RpcSource, proven_blocks
from computility.services.proof_builder import ProofBuilder

MOST_BLOCKS = 30


def too_many(calls: list[dict[str, Any]]) -> Fault | None:
    """A provider's refusal of more than some blocks."""
    blocks = len(calls)
    for call in calls:
        if call["method"] == "eth_getLogs":
            asked = call["params"][0]
            blocks = max(blocks, int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1)
    if blocks <= MOST_BLOCKS:
        return None
    error = {"code": -32005, "message": f"{MOST_BLOCKS} blocks at most"}
    refusals = [{"jsonrpc": "2.0", "id": call["id"], "error": error} for call in calls]
    return Fault(body=json.dumps(refusals if len(refusals) > 1 else refusals[0]).encode())


@pytest.fixture(scope="module")
def ledger(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    return deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"))


@pytest.fixture
def bounded(ledger: LedgerOnChain) -> Iterator[RpcClient]:
    with faulty(ledger.rpc.url, too_many) as url:
        yield RpcClient(url)


def test_a_proof_and_an_audit__of_more_blocks_than_an_endpoint_gives_at_once__are_made_nevertheless(
    ledger: LedgerOnChain, bounded: RpcClient
) -> None:
    first = ledger.deployments.generations[0].block
    terms = ledger.open()
    ledger.mine(5 * MOST_BLOCKS)
    ledger.attest(terms)
    job = terms.job_id(ledger.deployments.domain)
    everywhere = ProofBuilder(ChainConnection(ledger.rpc), ledger.deployments).build(job)
    assert ProofBuilder(ChainConnection(bounded), ledger.deployments).build(job) == everywhere

    source = RpcSource(bounded, ledger.deployments)
    assert source.last - first > 5 * MOST_BLOCKS
    blocks = list(proven_blocks(source, first, source.last))
    assert blocks == list(proven_blocks(RpcSource(ledger.rpc, ledger.deployments), first, source.last))
    assert sum(len(block.logs) for block in blocks) > 2
