"""Whole trades whose results are checked by other means than running them again, on a chain, over a node, in the sandbox.

a product, checked by freivalds
├── right: passes, is paid, and an auditor confirms it
├── not uploaded: nothing is drawn before it is there; no fault
└── one entry wrong: fails, and an auditor confirms it
a training, checked by segment-replay
├── honest: the provider keeps its checkpoints until the challenge asks for a few; passes
├── made up between a few real checkpoints: fails
└── a provider that does not answer the challenge: no fault, and the reason is in the evidence
"""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.execution.sandbox_bench import MIB, SEED, needs_bubblewrap
from tests.integration.ledger_on_chain import BUYER, PROVIDER, VERIFIER, LedgerOnChain
from tests.integration.waiting import wait

from computility.chain.connection import ChainConnection
from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of, content_id_of_digest
from computility.domain.evidence import parse_evidence
from computility.domain.identifiers import Bytes32
from computility.domain.job import JobState, Outcome
from computility.domain.job_specification import InputFile
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.delegating_executor import DelegatingExecutor
from computility.execution.executor import AttemptId, Execution, Executor, execution_of
from computility.execution.executor_set import ExecutorSet
from computility.execution.sandbox.python_tools import PYTHON, gather_python
from computility.services.buyer import Buyer
from computility.services.held_outputs import HeldOutputs
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.proof_builder import ProofBuilder
from computility.services.provider_config import ProviderConfig
from computility.services.provider_role import agent_of, executors_of
from computility.services.verdict_replay import Agreement, replay_verdicts
from computility.services.verifier_node import VerifierNode, VerifierSettings

pytestmark = needs_bubblewrap

EXAMPLES = Path(__file__).parents[3] / "examples"
LIMITS = CommandLimits(60, 120, 1024 * MIB, 64 * MIB, 32, 64 * MIB, 64)
SEGMENTS = 8

Tamper = Callable[[dict[str, bytes]], None]


class TamperingExecutor(DelegatingExecutor):
    """A provider that changes what came out before it commits to it."""

    def __init__(self, inner: Executor, tamper: Tamper) -> None:
        super().__init__(inner)
        self._tamper = tamper

    def collect(self, attempt: AttemptId) -> Execution:
        """What came out, changed."""
        ran = super().collect(attempt)
        outputs = dict(ran.outputs)
        self._tamper(outputs)
        return execution_of(ran.manifest.spec, ran.manifest.environment, None, outputs, units=ran.units)


@dataclass(frozen=True)
class Tools:
    """A Python that jobs can reach, and what is in it."""

    folder: Path
    toolset: dict[str, str]


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    # Not below pytest's own folder, into which no other user may look.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        python = Path(folder) / "python"
        yield Tools(python, gather_python(python, ["numpy"]))


class Market:
    """A provider and a verifier at work, and a buyer's hand."""

    def __init__(self, ledger: LedgerOnChain, node: NodeClient, folder: Path, tools: Tools) -> None:
        self.ledger, self.node, self.folder = ledger, node, folder
        self.config = ProviderConfig.model_validate(
            {
                "trust": {
                    "verifiers": [ledger.accounts[VERIFIER].address],
                    "deterministic": [sha256((EXAMPLES / "training" / "train.py").read_bytes()).hexdigest()],
                },
                "work": {"held": str(folder / "held"), "memory_mib": 2048},
                "collect": {"patience_s": 100_000},
                "offer": [
                    {
                        "kind": "process",
                        "resource": "urn:computility:cpu:x86-64:2x:1g:local:aurora:0002:cpu-s",
                        "price": "0.01",
                        "max_units": 100,
                        "dispute_window_s": 100,
                        "tools": {"/opt/python": str(tools.folder)},
                        "toolset": tools.toolset,
                    }
                ],
            }
        )
        self.buyer = Buyer(ledger.accounts[BUYER], node)

    @contextlib.contextmanager
    def open(self, tamper: Tamper | None = None, answer_within_s: float = 20.0) -> Iterator[None]:
        """Everybody serves, and the chain goes on."""
        provider, verifier = self.ledger.accounts[PROVIDER], self.ledger.accounts[VERIFIER]
        agent = agent_of(self.config, provider, self.node, None)
        if tamper is not None:
            agent._executors = ExecutorSet([TamperingExecutor(executor, tamper) for executor in agent._executors])
            # Who cheats does not look either.
            agent._own_fault = lambda *_: None
        checker = VerifierNode(
            verifier,
            self.node,
            executors_of(self.config),
            settings=VerifierSettings(answer_within_s=answer_within_s, send_pass_after_s=30.0),
        )
        stop = threading.Event()

        def pulse() -> None:
            while not stop.wait(0.5):
                self.ledger.mine()

        threads = [threading.Thread(target=run, args=(stop,), daemon=True) for run in (agent.run, checker.run)]
        threads.append(threading.Thread(target=pulse, daemon=True))
        for thread in threads:
            thread.start()
        try:
            wait(lambda: bool(self.node.asks(provider=provider.address)))
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    def buy(self, program: Path, arguments: list[str], inputs: dict[str, bytes], policy: dict[str, Any]) -> Bytes32:
        """Open a job."""
        given = tuple(InputFile(name, content_id_of(data), len(data)) for name, data in sorted(inputs.items()))
        code = program.read_bytes()
        offer = self.buyer.offers()[0]
        specification = TaskSpecification(
            "process", offer.ask.environment, (InputFile(program.name, content_id_of(code), len(code)),),
            (PYTHON, program.name, *arguments), given, LIMITS, 0, SEED, verification=policy,
        )  # fmt: skip
        for data in (code, *inputs.values(), specification.to_bytes()):
            self.node.put_content(data)
        quoted = self.buyer.request_quote(
            offer, specification, verifier=self.ledger.accounts[VERIFIER].address, max_units=LIMITS.cpu_s
        )
        self.buyer.open(quoted)
        return quoted.job

    def attested(self, job: Bytes32) -> tuple[Verdict, str]:
        """What the verifier said, and why."""
        wait(lambda: bool(self.node.attestations(job)["items"]))
        message = self.node.attestations(job)["items"][0]["message"]
        evidence = parse_evidence(self.node.get_content(content_id_of_digest(message["evidence"])))
        return Verdict(message["verdict"]), evidence.reason

    def audited(self, job: Bytes32) -> tuple[Agreement, str]:
        """What an auditor says of the verdict on the chain."""
        _, trade = ProofBuilder(ChainConnection(self.ledger.rpc), self.ledger.deployments).build(job)
        rpc = self.ledger.rpc
        (verdict,) = replay_verdicts(
            trade,
            executors_of(self.config),
            NodeContentStore(self.node),
            lambda number: Bytes32(header.hash) if (header := rpc.header(number)) else None,
        )
        return verdict.agreement, verdict.reason


@pytest.fixture
def market(ledger: LedgerOnChain, node: NodeClient, tmp_path: Path, tools: Tools) -> Market:
    return Market(ledger, node, tmp_path, tools)


def npy(matrix: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, matrix)
    return buffer.getvalue()


def product_job(market: Market) -> Bytes32:
    random = np.random.default_rng(1)
    inputs = {f"{name}.npy": npy(random.integers(-128, 128, (96, 96), dtype=np.int8)) for name in "ab"}
    policy = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
    return market.buy(EXAMPLES / "product" / "multiply.py", [], inputs, policy)


def training_job(market: Market) -> Bytes32:
    text = (EXAMPLES.parent / "LICENSE").read_bytes()
    policy = {
        "method": "segment-replay", "checkpoints": "checkpoints/", "segments": SEGMENTS, "sampled": 2,
        "threshold_ppm": 50_000, "withhold": True, "replay": [PYTHON, "train.py", str(SEGMENTS), "4", "{segment}"],
    }  # fmt: skip
    return market.buy(EXAMPLES / "training" / "train.py", [str(SEGMENTS), "4"], {"text": text}, policy)


def test_a_right_product__passes_by_freivalds__and_an_auditor_confirms_it(market: Market) -> None:
    with market.open():
        job = product_job(market)
        assert market.attested(job) == (Verdict.PASS, "product-holds")
        wait(lambda: market.ledger.accounts[PROVIDER].job(job).state is JobState.CLOSED)
        assert market.audited(job) == (Agreement.CONFIRMED, "same-evidence")


def test_a_product_with_one_wrong_entry__fails__and_an_auditor_confirms_it(market: Market) -> None:
    def tamper(outputs: dict[str, bytes]) -> None:
        product = np.load(io.BytesIO(outputs["c.npy"]))
        product[17, 5] += 1
        outputs["c.npy"] = npy(product)

    with market.open(tamper):
        job = product_job(market)
        assert market.attested(job) == (Verdict.FAIL, "product-wrong")
        wait(lambda: market.ledger.accounts[PROVIDER].job(job).state is JobState.PENDING)
        assert market.audited(job) == (Agreement.CONFIRMED, "same-evidence")


def test_a_product_that_is_kept_back__is_told_no_draw(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def store_the_manifest_alone(self: HeldOutputs, specification: Any, execution: Any) -> None:
        market.node.put_content(execution.manifest.to_bytes())

    monkeypatch.setattr(HeldOutputs, "store", store_the_manifest_alone)
    with market.open(answer_within_s=1.0):
        job = product_job(market)
        assert market.attested(job) == (Verdict.NO_FAULT, "outputs-missing")
        assert market.node.challenges(job) == []


def test_an_honest_training__passes__and_uploads_no_more_than_the_challenge_asks_for(market: Market) -> None:
    with market.open():
        job = training_job(market)
        assert market.attested(job) == (Verdict.PASS, "segments-hold")
        wait(lambda: market.ledger.accounts[PROVIDER].job(job).state is JobState.CLOSED)
        files = {file["path"]: file["available"] for file in market.node.outputs(job)["files"]}
        assert files["checkpoints/0000.npz"]
        assert files[f"checkpoints/{SEGMENTS:04d}.npz"]
        assert files["losses.csv"]
        assert sum(not there for there in files.values()) >= SEGMENTS - 5, (
            "at most two segments and the start were asked for"
        )
        assert market.audited(job)[0] is Agreement.CONFIRMED
        _, outputs = market.buyer.outputs(market.node.job(job)["result"])
        assert set(outputs) == {path for path, there in files.items() if there}


def test_checkpoints_that_were_never_trained__fail(market: Market) -> None:
    def tamper(outputs: dict[str, bytes]) -> None:
        first, last = (dict(np.load(io.BytesIO(outputs[f"checkpoints/{place:04d}.npz"]))) for place in (0, SEGMENTS))
        for place in range(1, SEGMENTS):
            share = np.float32(place / SEGMENTS)
            buffer = io.BytesIO()
            np.savez(buffer, **{name: first[name] + share * (last[name] - first[name]) for name in first})
            outputs[f"checkpoints/{place:04d}.npz"] = buffer.getvalue()

    with market.open(tamper):
        job = training_job(market)
        assert market.attested(job) == (Verdict.FAIL, "segment-differs")


def test_a_provider_that_cannot_answer__is_at_no_fault__and_is_told_why(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = market.folder / "held"
    store = HeldOutputs.store

    def store_and_lose(self: HeldOutputs, specification: Any, execution: Any) -> None:
        store(self, specification, execution)
        shutil.rmtree(held)
        held.write_bytes(b"no folder any more")

    monkeypatch.setattr(HeldOutputs, "store", store_and_lose)
    with market.open(answer_within_s=3.0):
        job = training_job(market)
        verdict, reason = market.attested(job)
        assert (verdict, reason) == (Verdict.NO_FAULT, "content-not-found")
        # Whoever brings that word to the chain first, the provider is not blamed and the job goes on.
        on_chain = market.ledger.accounts[PROVIDER].job(job)
        assert on_chain.state in (JobState.OPEN, JobState.PENDING)
        assert on_chain.outcome != Outcome.FAIL
