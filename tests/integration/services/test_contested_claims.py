"""A buyer contests a claim for work that it cannot see.

a claim
├── whose outputs are on the node: left to the provider
├── of which a file, or the manifest, is not: contested
│   └── without an arbiter: refunded at once
└── of somebody else's job: not this account's to contest
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest
from tests.integration.execution.workbench import CLOCK_S, SEED, SMALL
from tests.integration.ledger_on_chain import BUYER, OTHER_PROVIDER, PROVIDER, LedgerOnChain

from computility.domain.content_id import content_id_of
from computility.domain.errors import NodeRefused
from computility.domain.job import JobState
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.task_specification import TaskSpecification
from computility.execution.wasm.executor import wasm_environment
from computility.services import unshown_outputs
from computility.services.job_watch import JobWatch, WatchedJob
from computility.services.node_client import NodeClient
from computility.services.unshown_outputs import ClaimContester

FILES = {"a.txt": b"shown", "b.txt": b"kept back"}
WAIT_S = 60.0


def claimed(ledger: LedgerOnChain, node: NodeClient, *uploaded: str) -> WatchedJob:
    """A job whose provider claims for two files, with what it uploads of them and of their manifest."""
    module = InputFile("program.wasm", content_id_of(b"m"), 1)
    specification = TaskSpecification(
        "wasm", wasm_environment(), (module,), (), (), replace(SMALL, fuel=2_000_000), CLOCK_S, SEED
    )
    node.put_content(specification.to_bytes())
    manifest = make_manifest(
        specification.digest,
        wasm_environment(),
        0,
        [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in FILES.items()],
    )
    for name in uploaded:
        node.put_content(manifest.to_bytes() if name == "manifest" else FILES[name])
    terms = ledger.open(spec=specification.digest)
    ledger.accounts[PROVIDER].propose(terms, 70, manifest.digest)
    ledger.mine()
    job = terms.job_id(ledger.deployments.domain)
    give_up = time.monotonic() + WAIT_S
    while time.monotonic() < give_up:
        try:
            if node.job(job)["state"] == "pending":
                return JobWatch(ledger.accounts[BUYER], node, 0).one(job)
        except NodeRefused:
            pass
        time.sleep(0.05)
    raise AssertionError("the node never read the claim")


def contester(ledger: LedgerOnChain, node: NodeClient, who: int = BUYER) -> ClaimContester:
    account = ledger.accounts[who]
    return ClaimContester(account, node, JobWatch(account, node, 0))


def test_a_claim_that_shows_its_outputs__is_left_alone__and_one_that_does_not_is_refunded(
    ledger: LedgerOnChain, node: NodeClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unshown_outputs, "LOOKS_FOR_S", 0.0)
    hidden = claimed(ledger, node)
    assert contester(ledger, node).unshown(hidden) == ["an output manifest"]
    partly = claimed(ledger, node, "manifest", "a.txt")
    assert contester(ledger, node).unshown(partly) == ["b.txt"]
    assert contester(ledger, node, OTHER_PROVIDER).contest(partly) is None

    receipt = contester(ledger, node).contest(partly)
    assert receipt is not None
    assert ledger.accounts[BUYER].job(partly.id).state is JobState.CLOSED
    assert "does not show b.txt" in caplog.text
    give_up = time.monotonic() + WAIT_S
    while node.job(partly.id)["state"] != "closed" and time.monotonic() < give_up:
        time.sleep(0.05)
    assert node.job(partly.id)["provider_paid"] == "0"

    shown = claimed(ledger, node, "manifest", *FILES)
    assert contester(ledger, node).contest(shown) is None
    assert ledger.accounts[BUYER].job(shown.id).state is JobState.PENDING


def test_outputs_that_come_late__are_waited_for(ledger: LedgerOnChain, node: NodeClient) -> None:
    late = claimed(ledger, node, "manifest")
    claims = contester(ledger, node)
    assert claims.contest(late) is None
    for data in FILES.values():
        node.put_content(data)
    assert claims.unshown(late) == []
    assert claims.contest(late) is None
