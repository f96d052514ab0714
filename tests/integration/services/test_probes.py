"""Known-answer probes on a chain, over a node: a job that looks like one that was traded shows who did the work.

a probe
├── of a provider that nothing was traded with yet: there is nothing to look like
├── answered rightly: passes as any job does, and nothing is said of it
├── answered wrongly: fails, is signed as a rating, and its provider is believed unseen no more
├── of the verifiers, by a provider that answers its own buyer wrongly: who signs that without a look is named, and no provider is rated
└── ordered by the verifier itself: within its budget, never like one of the same provider before, and by no account that a rating made known
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.execution.workbench import Bench, assembled
from tests.integration.ledger_on_chain import BUYER, CREDIT, OTHER_PROVIDER, PROVIDER, VERIFIER, LedgerOnChain
from tests.integration.waiting import wait

from computility.domain.errors import LimitReached, UnknownAsk
from computility.domain.identifiers import parse_address
from computility.domain.rating import KNOWN_ANSWERS, Rating
from computility.execution.content_store import FileContentStore
from computility.execution.delegating_executor import DelegatingExecutor
from computility.execution.executor import AttemptId, Execution, Executor, execution_of
from computility.execution.executor_set import ExecutorSet
from computility.execution.wasm.executor import WasmExecutor
from computility.services.buyer import Buyer
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.planted_results import planting
from computility.services.probe_keeper import ProbeKeeper, ProbeSettings
from computility.services.prober import Prober
from computility.services.provider_agent import ProviderAgent
from computility.services.provider_config import ProviderConfig
from computility.services.provider_role import agent_of
from computility.services.track_record import TrackRecords
from computility.services.verifier_node import VerifierNode, VerifierSettings

WAIT_S = 240.0
PROGRAM = assembled('(module (func (export "_start")))')


class CheatingOnDemand(DelegatingExecutor):
    """A provider that makes results up once ``cheats`` is set."""

    def __init__(self, inner: Executor, cheats: threading.Event) -> None:
        super().__init__(inner)
        self._cheats = cheats

    def collect(self, attempt: AttemptId) -> Execution:
        """What came out, or something else."""
        ran = super().collect(attempt)
        if not self._cheats.is_set():
            return ran
        made_up = {"made.up": b"by nobody"}
        return execution_of(ran.manifest.spec, ran.manifest.environment, ran.manifest.fuel, made_up, units=ran.units)


@contextlib.contextmanager
def market(
    ledger: LedgerOnChain, node: NodeClient, folder: Path, cheats: threading.Event
) -> Iterator[tuple[ProviderAgent, VerifierNode]]:
    """A provider and a verifier serve, the chain goes on, and windows pass quickly."""
    config = ProviderConfig.model_validate(
        {
            "trust": {"verifiers": [ledger.accounts[VERIFIER].address]},
            "work": {"held": str(folder / "held")},
            "collect": {"patience_s": 100_000},
            "offer": [
                {
                    "kind": "wasm",
                    "resource": "urn:computility:wasm:wasmtime:2x:1g:local:aurora:0001:mfuel",
                    "price": "0.001",
                    "max_units": 1_000,
                    "dispute_window_s": 100,
                }
            ],
        }
    )
    agent = agent_of(config, ledger.accounts[PROVIDER], node, None)
    agent._executors = ExecutorSet([CheatingOnDemand(executor, cheats) for executor in agent._executors])
    checker = VerifierNode(
        ledger.accounts[VERIFIER], node, WasmExecutor(), settings=VerifierSettings(send_pass_after_s=60.0)
    )
    stop = threading.Event()

    def pulse() -> None:
        while not stop.wait(0.5):
            ledger.mine()
            if node.jobs(state=("pending",)):
                ledger.pass_time(200)

    threads = [threading.Thread(target=run, args=(stop,), daemon=True) for run in (agent.run, checker.run)]
    threads.append(threading.Thread(target=pulse, daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield agent, checker
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def trade_once(ledger: LedgerOnChain, node: NodeClient, folder: Path) -> None:
    """An order, of which there will be one that looks like it."""
    specification = Bench(FileContentStore(folder, 1_000_000), WasmExecutor()).specification(PROGRAM)
    node.put_content(PROGRAM)
    node.put_content(specification.to_bytes())
    buyer = Buyer(ledger.accounts[BUYER], node)
    units = specification.max_units
    wait(lambda: bool(buyer.offers(kind="wasm", units=units)))
    quoted = buyer.request_quote(
        buyer.offers(kind="wasm")[0], specification, verifier=ledger.accounts[VERIFIER].address, timeout_s=WAIT_S
    )
    buyer.open(quoted)
    wait(lambda: node.job(quoted.job)["state"] == "closed")
    assert node.job(quoted.job)["outcome"] == "pass"


def test_a_probe__shows_who_did_the_work(ledger: LedgerOnChain, node: NodeClient, tmp_path: Path) -> None:
    verifier, provider = ledger.accounts[VERIFIER], ledger.accounts[PROVIDER].address
    prober = Prober(verifier, ledger.accounts[BUYER], node, ExecutorSet([WasmExecutor()]))
    records = TrackRecords(verifier, node, NodeContentStore(node))
    cheats = threading.Event()
    with market(ledger, node, tmp_path, cheats) as (agent, checker):
        with pytest.raises(UnknownAsk, match="nothing to probe"):
            prober.probe(provider, WAIT_S)
        trade_once(ledger, node, tmp_path / "uploads")

        right = prober.probe(provider, WAIT_S)
        assert (right.reason, right.mistaken, right.rating) == ("right", (), None)
        assert node.job(right.job)["terms"]["verifier"] == verifier.address
        assert not records.gave_wrong_answers(provider, [verifier.address])

        others = ledger.accounts[OTHER_PROVIDER]
        unknown = [Prober(verifier, others, node, ExecutorSet([WasmExecutor()]))]
        with pytest.raises(LimitReached):
            ProbeKeeper(verifier, node, unknown, ProbeSettings(1.0, CREDIT // 10**6, WAIT_S)).probe_once()
        keeper = ProbeKeeper(verifier, node, unknown, ProbeSettings(1.0, 50 * CREDIT, WAIT_S))
        by_itself = keeper.probe_once()
        assert by_itself is not None
        assert by_itself.reason == "right"
        assert parse_address(node.job(by_itself.job)["terms"]["buyer"]) == others.address
        assert keeper.probe_once() is None

        cheats.set()
        wrong = prober.probe(provider, WAIT_S)
        burnt = ProbeKeeper(verifier, node, [prober], ProbeSettings(1.0, 50 * CREDIT, WAIT_S))
        assert burnt.probe_once() is None

        cheats.clear()
        agent._executors = planting(agent._executors, ledger.accounts[PROVIDER], node, [others.address])
        looked_at = unknown[0].probe(provider, WAIT_S, planted=True)
        assert (looked_at.reason, looked_at.mistaken, looked_at.rating) == ("wrong", (), None)
        # A verifier that comes to whatever the provider said.
        checker._check_of._executors = planting(ExecutorSet([WasmExecutor()]), verifier, node, [others.address])
        signed = unknown[0].probe(provider, WAIT_S, planted=True)
        assert (signed.reason, signed.mistaken, signed.rating) == ("wrong", (verifier.address,), None)
    assert (wrong.reason, wrong.mistaken) == ("wrong", ())
    assert wrong.rating is not None
    rating = wrong.rating.message
    assert isinstance(rating, Rating)
    assert (rating.attribute, rating.value, rating.evidence) == (KNOWN_ANSWERS, 0, wrong.job)
    assert records.gave_wrong_answers(provider, [verifier.address])
    # What a stranger signs is not heard.
    assert not records.gave_wrong_answers(provider, [ledger.accounts[OTHER_PROVIDER].address])
