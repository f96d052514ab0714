"""Whole trades on a GPU: a chain, a node, a provider's agent with every card of this machine, and a verifier on the same cards.

    PYTHONPATH=backend:. python scripts/gpu/market.py

Rounds of the hardware challenge while the cards are free and while a job has one; a training checked by segment replay and products checked by
Freivalds, each in the sandbox, attested, and looked at again by an auditor; how far honest and cheating trainings are apart. Prints one JSON object;
a part that fails says why under its own key. Wants anvil, bubblewrap, PyTorch and CuPy, and the tests beside it; takes about two minutes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.integration.ledger_on_chain import BUYER, PROVIDER, VERIFIER, LedgerOnChain, deploy_ledger
from tests.integration.services.conftest import node_on

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of, content_id_of_digest
from computility.domain.errors import NodeRefused
from computility.domain.evidence import parse_evidence
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import InputFile
from computility.domain.rating import Rating
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.nvml_cards import find_cards
from computility.services import rating_book
from computility.services.buyer import Buyer
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.proof_builder import ProofBuilder
from computility.services.provider_config import ProviderConfig
from computility.services.provider_role import agent_of, executors_of
from computility.services.rater import Rater, RaterSettings
from computility.services.verdict_replay import replay_verdicts
from computility.services.verifier_node import VerifierNode, VerifierSettings
from computility.verification.segment_replay import update_distance

GIB: Final = 1024**3
WAIT_S: Final = 120.0
EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
PYTHON: Final = str(Path(sys.prefix) / "bin" / "python3")
LIMITS: Final = CommandLimits(120, 120, 32 * GIB, 2 * GIB, 512, 64 * 1024**2, 64, 1)
ROUNDS: Final = ((8_192, 8_192), (32_768, 16_384), (32_768, 32_768), (65_536, 32_768))
"""Rows and size."""
SEGMENTS, STEPS, SAMPLED = 16, 25, 1
MEASURED_SEGMENTS: Final = 50
BUSY: Final = """
import time, torch
a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
end = time.time() + 12
while time.time() < end:
    b = a @ a
    torch.cuda.synchronize()
"""


class Market:
    """Everybody at work; the chain goes on by itself."""

    def __init__(self, ledger: LedgerOnChain, node: NodeClient, folder: Path) -> None:
        self.ledger, self.node = ledger, node
        self.buyer = Buyer(ledger.accounts[BUYER], node)
        self.cards = find_cards()
        prefixes = {
            str(Path(path).resolve()) for path in (sys.prefix, sys.base_prefix, Path(PYTHON).resolve().parents[1])
        }
        self.settings: dict[str, Any] = {
            "trust": {
                "verifiers": [ledger.accounts[VERIFIER].address],
                "deterministic": [sha256((EXAMPLES / "training" / "train_torch.py").read_bytes()).hexdigest()],
            },
            "work": {"held": str(folder / "held"), "memory_mib": 64 * 1024},
            "collect": {"patience_s": 100_000},
            "offer": [
                {
                    "kind": "process",
                    "resource": "urn:computility:gpu:h100:1x:80g:local:aurora:0001:gpu-s",
                    "price": "0.01",
                    "max_units": 200,
                    "dispute_window_s": 100,
                    "tools": {prefix: prefix for prefix in sorted(prefixes) if not prefix.startswith("/usr")},
                    "toolset": {"torch": importlib.import_module("torch").__version__.partition("+")[0]},
                    "gpus": "all",
                }
            ],
        }
        self.config = ProviderConfig.model_validate(self.settings)

    @contextlib.contextmanager
    def open(self, *, verifies: bool = True, looks: bool = True) -> Iterator[None]:
        """Serve; without ``verifies`` somebody else is the verifier, without ``looks`` the provider submits what it knows to be wrong."""
        provider, verifier = self.ledger.accounts[PROVIDER], self.ledger.accounts[VERIFIER]
        agent = agent_of(self.config, provider, self.node, None)
        if not looks:
            agent._own_fault = lambda *_: None
        settings = VerifierSettings(answer_within_s=60.0, send_pass_after_s=30.0)
        checker = VerifierNode(verifier, self.node, executors_of(self.config), settings=settings)
        stop = threading.Event()

        def pulse() -> None:
            while not stop.wait(0.25):
                self.ledger.mine()

        runs: list[Callable[[], None]] = [lambda: agent.run(stop), pulse]
        if verifies:
            runs.append(lambda: checker.run(stop))
        threads = [threading.Thread(target=run, daemon=True) for run in runs]
        for thread in threads:
            thread.start()
        try:
            wait(lambda: bool(self.node.asks(provider=provider.address)))
            wait(lambda: Rater(verifier, self.node)._claim(provider.address) is not None)
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    def buy(
        self, arguments: list[str], files: Mapping[str, bytes], program: Path | None, policy: dict[str, Any]
    ) -> Bytes32:
        """Open a job with a card."""
        code = program.read_bytes() if program else b""
        artifacts = (InputFile(program.name, content_id_of(code), len(code)),) if program else ()
        given = tuple(InputFile(name, content_id_of(data), len(data)) for name, data in sorted(files.items()))
        offer = self.buyer.offers()[0]
        specification = TaskSpecification(
            "process", offer.ask.environment, artifacts, (PYTHON, *arguments), given, LIMITS, 0, "0x" + "5e" * 32,
            verification=policy,
        )  # fmt: skip
        for data in (*([code] if program else []), *files.values(), specification.to_bytes()):
            self.node.put_content(data)
        quoted = self.buyer.request_quote(
            offer, specification, verifier=self.ledger.accounts[VERIFIER].address, max_units=LIMITS.wall_s
        )
        self.buyer.open(quoted)
        return quoted.job

    def checked(self, job: Bytes32, opened: float) -> dict[str, Any]:
        """What came of a job, and what an auditor says of it."""
        wait(lambda: bool(self.node.submissions(job)))
        submitted_s = time.monotonic() - opened
        wait(lambda: bool(self.node.attestations(job)["items"]))
        attested_s = time.monotonic() - opened
        message = self.node.attestations(job)["items"][0]["message"]
        evidence = parse_evidence(self.node.get_content(content_id_of_digest(message["evidence"])))
        found: dict[str, Any] = {
            "submitted_after_s": round(submitted_s, 1),
            "attested_after_s": round(attested_s, 1),
            "verdict": Verdict(message["verdict"]).name,
            "reason": evidence.reason,
            "gpu_seconds": int(message["units"]),
        }
        wait(lambda: self.node.job(job)["state"] not in ("open", "attested"))
        _, trade = ProofBuilder(ChainConnection(self.ledger.rpc), self.ledger.deployments).build(job)
        rpc = self.ledger.rpc
        started = time.monotonic()
        (verdict,) = replay_verdicts(
            trade,
            executors_of(self.config),
            NodeContentStore(self.node),
            lambda number: Bytes32(header.hash) if (header := rpc.header(number)) else None,
        )
        return found | {"audit": str(verdict.agreement), "audit_s": round(time.monotonic() - started, 1)}

    def rate(self, rows: int, size: int) -> dict[str, Any]:
        """One round."""
        started = time.monotonic()
        settings = RaterSettings(rows=rows, size=size, answer_within_s=60.0)
        outcome = Rater(self.ledger.accounts[VERIFIER], self.node, settings).rate(
            self.ledger.accounts[PROVIDER].address
        )
        ratings = {s.message.attribute: s.message.value for s in outcome.ratings if isinstance(s.message, Rating)}
        return {
            "reason": outcome.reason,
            "elapsed_ms": outcome.elapsed_ms,
            "cu": round(ratings["int8-gemm"] / 1e6, 1) if ratings else None,
            "devices": ratings.get("devices"),
            "memory_shown_gb": round(ratings["memory-shown"] / 1e9, 2) if ratings else None,
            "whole_round_s": round(time.monotonic() - started, 1),
        }


def wait(reached: Callable[[], bool]) -> None:
    """Until something is so. What the node does not know yet is not so."""
    give_up = time.monotonic() + WAIT_S
    while time.monotonic() < give_up:
        with contextlib.suppress(NodeRefused):
            if reached():
                return
        time.sleep(0.1)
    raise TimeoutError("it never came to that")


def rounds(market: Market) -> dict[str, Any]:
    """Free cards, by the size of the work."""
    return {f"{rows}x{size}": told(lambda rows=rows, size=size: market.rate(rows, size)) for rows, size in ROUNDS}  # type: ignore[misc] # bound per round


def round_while_busy(market: Market) -> dict[str, Any]:
    """A job has a card: the provider passes on the round, and keeps its rating."""
    leases = CardLeases([card.uuid for card in market.cards.found()])
    provider = market.ledger.accounts[PROVIDER].address
    before = market.node.provider(provider)["ratings"]
    opened = time.monotonic()
    job = market.buy(["-c", BUSY], {}, None, {})
    wait(lambda: bool(leases.holders()))
    found = {"held_by": next(iter(leases.holders().values())), **market.rate(8_192, 8_192)}
    kept = market.node.provider(provider)["ratings"] == before
    return {**found, "rating_kept": kept, "job": market.checked(job, opened), "afterwards": market.rate(8_192, 8_192)}


def training(market: Market) -> dict[str, Any]:
    """Segments between committed checkpoints are trained again."""
    opened = time.monotonic()
    arguments = ["train_torch.py", str(SEGMENTS), str(STEPS)]
    policy = {
        "method": "segment-replay", "checkpoints": "checkpoints/", "segments": SEGMENTS, "sampled": SAMPLED,
        "threshold_ppm": 50_000, "withhold": True, "replay": [PYTHON, *arguments, "{segment}"],
    }  # fmt: skip
    text = (EXAMPLES / "training" / "text").read_bytes()
    job = market.buy(arguments, {"text": text}, EXAMPLES / "training" / "train_torch.py", policy)
    return market.checked(job, opened)


def product(market: Market, integers: bool) -> dict[str, Any]:
    """A product on the card; the verifier checks it on processors."""
    random = np.random.default_rng(5)
    # A job's inputs are bounded by 64 MiB.
    size = 3_072 if integers else 2_048
    pair: list[Any] = (
        [random.integers(-128, 128, (size, size), dtype=np.int8) for _ in range(2)]
        if integers
        else [random.standard_normal((size, size)).astype(np.float32) for _ in range(2)]
    )
    files = {}
    for name, matrix in zip(("a.npy", "b.npy"), pair, strict=True):
        data = io.BytesIO()
        np.save(data, matrix)
        files[name] = data.getvalue()
    opened = time.monotonic()
    policy = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
    policy |= {} if integers else {"precision": "float32"}
    job = market.buy(["multiply_torch.py"], files, EXAMPLES / "product" / "multiply_torch.py", policy)
    return market.checked(job, opened)


def distances() -> dict[str, Any]:
    """Honest replays on other arithmetic, and cheap checkpoints, without a sandbox; and what a replay costs."""
    torch = importlib.import_module("torch")
    spec = importlib.util.spec_from_file_location("train_torch", EXAMPLES / "training" / "train_torch.py")
    assert spec is not None
    assert spec.loader is not None
    train: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    text = train.tokens_of((EXAMPLES / "training" / "text").read_text(encoding="utf-8"))
    warm = train.on_device(train.fresh_parameters())
    train.train_segment(warm, text, 0, 3)
    torch.cuda.synchronize()
    parameters, checkpoints, losses = train.on_device(train.fresh_parameters()), [train.fresh_parameters()], []
    started = time.perf_counter()
    for segment in range(MEASURED_SEGMENTS):
        losses += train.train_segment(parameters, text, segment, STEPS)
        checkpoints.append(train.on_host(parameters))
    training_s = time.perf_counter() - started
    honest: dict[str, list[float]] = {"same card": [], "doubles": [], "TF32": [], "processor": []}
    cheap: dict[str, list[float]] = {"half of the steps": [], "between": [], "nothing": []}
    replay_s = []
    for segment in (13, MEASURED_SEGMENTS - 1):
        start, committed = checkpoints[segment], checkpoints[segment + 1]

        def distance(found: Any, start: Any = start, committed: Any = committed) -> float:
            return update_distance(start, committed, found)

        for name, found_honest in honest.items():
            again = train.on_device(start)
            if name == "doubles":
                again = {key: tensor.double() for key, tensor in again.items()}
            if name == "processor":
                again = {key: tensor.cpu() for key, tensor in again.items()}
            torch.backends.cuda.matmul.allow_tf32 = name == "TF32"
            began = time.perf_counter()
            train.train_segment(again, text, segment, STEPS)
            result = train.on_host(again)
            if name == "same card":
                replay_s.append(time.perf_counter() - began)
            found_honest.append(distance(result))
            torch.backends.cuda.matmul.allow_tf32 = False
        half = train.on_device(start)
        for number in range(STEPS // 2):
            train.step(half, text, segment * STEPS + number)
        last = checkpoints[-1]
        between = {name: start[name] + (last[name] - start[name]) / len(checkpoints) for name in start}
        for name, found in (("half of the steps", train.on_host(half)), ("between", between), ("nothing", start)):
            cheap[name].append(distance(found))
    farthest = max(max(honest[name]) for name in ("same card", "doubles", "processor"))
    nearest = min(min(found) for found in cheap.values())
    return {
        "parameters": sum(array.size for array in checkpoints[0].values()),
        "segments": MEASURED_SEGMENTS,
        "steps_of_a_segment": STEPS,
        "loss_first_and_last": [round(losses[0], 3), round(losses[-1], 3)],
        "honest_distance": {name: max(found) for name, found in honest.items()},
        "cheating_distance": {name: min(found) for name, found in cheap.items()},
        "segment_separation": round(nearest / farthest, 1),
        "segment_separation_of_tf32": round(nearest / max(honest["TF32"]), 1),
        "training_s": round(training_s, 2),
        "segment_cost": round(2 * sum(replay_s) / len(replay_s) / training_s, 4),
    }


def told(part: Callable[[], Any]) -> Any:
    """What a part found, or why it found nothing, and its seconds."""
    started = time.monotonic()
    try:
        found = part()
    except Exception as error:  # noqa: BLE001 - the other parts still have something to say
        found = {"failed": f"{type(error).__name__}: {str(error)[:600]}", "at": traceback.format_exc()[-900:]}
    found = {**found, "wall_s": round(time.monotonic() - started, 1)}
    # A run that is cut short has told what it had.
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Measure everything, and report."""
    report: dict[str, Any] = {"bench": "gpu-market", "training_distances": told(distances)}
    # Rounds follow each other here; between strangers a minute has to pass.
    rating_book.LEAST_BETWEEN_S = 0  # type: ignore[misc] # a constant of the product
    try:
        with tempfile.TemporaryDirectory() as name, LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
            folder = Path(name)
            ledger = deploy_ledger(chain, folder / "deployments")
            with node_on(ledger, folder) as node:
                market = Market(ledger, node, folder)
                report["cards"] = [card.name for card in market.cards.found()]
                with market.open():
                    report["rounds"] = told(lambda: rounds(market))
                    report["round_while_a_job_has_the_card"] = told(lambda: round_while_busy(market))
                    report["training"] = told(lambda: training(market))
                    report["int8_product"] = told(lambda: product(market, integers=True))
                    report["float32_product"] = told(lambda: product(market, integers=False))
    except Exception:  # noqa: BLE001 - what was measured before is told
        report["failed"] = traceback.format_exc()[-1500:]
    print(json.dumps(report, indent=2), flush=True)


if __name__ == "__main__":
    main()
