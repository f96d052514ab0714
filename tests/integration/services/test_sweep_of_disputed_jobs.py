"""A node's store is swept while a job on the chain is in dispute, long after its content came in: what the ruling needs stays, however late it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.ledger_on_chain import BUYER, OTHER_PROVIDER, PROVIDER, LedgerOnChain

from computility.domain.content_id import digest_of_content_id
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import Limits
from computility.execution.executor import execution_of
from computility.execution.wasm.executor import wasm_environment
from computility.services.node_client import NodeClient
from computility.services.program import Program, specification_of

WAIT_S = 60.0
OLD_S = 400 * 86_400


def sweep(ledger: LedgerOnChain, folder: Path) -> None:
    """Make every file of the store old, and run `computility node sweep`."""
    for file in (folder / "content").rglob("*"):
        os.utime(file, (time.time() - OLD_S,) * 2)
    settings = {
        "COMPUTILITY_RPC_URL": ledger.rpc.url,
        "COMPUTILITY_DEPLOYMENTS_DIR": str(folder / "deployments"),
        "COMPUTILITY_DATABASE_URL": f"sqlite:///{folder}/node.sqlite",
        "COMPUTILITY_CONTENT_URL": str(folder / "content"),
        "COMPUTILITY_EXAMPLES_DIR": str(folder / "none"),
    }
    command = [sys.executable, "-m", "computility", "node", "sweep", "--keep-days", "1"]
    subprocess.run(command, env={**os.environ, **settings}, check=True, timeout=240)


def test_sweep__of_a_job_in_dispute__keeps_all_that_its_ruling_needs(
    ledger: LedgerOnChain, node: NodeClient, tmp_path: Path
) -> None:
    program = Program("program.wasm", b"a program", ["word"], {"words": b"an input"})
    specification = specification_of(program, wasm_environment(), Limits(10**6, 2**20, 2**20, 4), "0x" + "5e" * 32, 1)
    execution = execution_of(specification.digest, specification.environment, 5, {"answer": b"an output"})
    needed = [
        node.put_content(data)
        for data in (b"a program", b"an input", specification.to_bytes(), b"an output", execution.manifest.to_bytes())
    ]
    unneeded = node.put_content(b"nobody asked for this")
    result = Bytes32(digest_of_content_id(needed[-1]))
    terms = ledger.open(
        spec=specification.digest, arbiter=ledger.accounts[OTHER_PROVIDER].address, ruling_window=10_000
    )
    ledger.accounts[PROVIDER].propose(terms, 1, result)
    ledger.accounts[BUYER].dispute(terms)
    job = terms.job_id(ledger.deployments.domain)
    give_up = time.monotonic() + WAIT_S
    while node.job(job)["state"] != "disputed":
        assert time.monotonic() < give_up
        time.sleep(0.1)

    sweep(ledger, tmp_path)
    assert [node.has_content(cid) for cid in needed] == [True] * len(needed)
    assert not node.has_content(unneeded)
