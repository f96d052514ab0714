"""Products traded on a GPU, whose verifier is the command `verifier serve --device cuda:0`, and whose auditor `audit verdict --device cuda:0`.

    PYTHONPATH=backend:. python scripts/gpu/product_trades.py

A chain, a node and a provider's agent as in `market`; the two commands are processes of their own, as their users start them. Products in int8 and
float32, right and wrong in one entry, are multiplied on the card in the sandbox, judged, and judged again. Prints one JSON object in less than a
minute. Wants anvil, bubblewrap, PyTorch, nvidia-ml-py, and the tests beside it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from scripts.gpu.market import EXAMPLES, PYTHON, Market, told, wait
from tests.integration.ledger_on_chain import VERIFIER, deploy_ledger
from tests.integration.services.conftest import node_on

from computility.chain.keystore import create_keystore, development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, LocalChainSettings
from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.evidence import parse_evidence

DEVICE: Final = "cuda:0"
SIZE: Final = 2_048
PASSWORD: Final = "of a chain that nobody keeps"  # noqa: S105 - as public as its key
CHANGE: Final = "\nnp.save(Path('/out') / 'c.npy', (lambda c: (c.__setitem__((7, 5), c[7, 5] + 1000), c)[1])(np.load('/out/c.npy')))\n"
"""A line more for a program that cheats in one entry."""


class Commands:
    """The verifier's and the auditor's command, against one market."""

    def __init__(self, market: Market, folder: Path) -> None:
        self._folder = folder
        self._config = folder / "checked.toml"
        self._config.write_text(toml_of(market.settings))
        (folder / "password").write_text(PASSWORD + "\n")
        key = development_account(DEVELOPMENT_MNEMONIC, VERIFIER).key
        create_keystore(folder / "verifier.json", PASSWORD, bytes(key), fast=True)
        self._environment = {
            **os.environ,
            "COMPUTILITY_NODE": market.node.url,
            "COMPUTILITY_RPC_URL": market.ledger.rpc.url,
            "COMPUTILITY_KEYSTORE": str(folder / "verifier.json"),
            "COMPUTILITY_PASSWORD_FILE": str(folder / "password"),
            "COMPUTILITY_DEPLOYMENTS_DIR": str(folder / "deployments"),
        }
        self._log = folder / "verifier.log"
        self._serving: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def verifier(self) -> Iterator[None]:
        """`verifier serve`, until the block ends."""
        words = ["verifier", "serve", "--config", str(self._config), "--device", DEVICE]
        with (
            self._log.open("w") as log,
            subprocess.Popen(
                [sys.executable, "-m", "computility", *words], env=self._environment, stdout=log, stderr=log
            ) as serving,
        ):
            self._serving = serving
            try:
                wait(lambda: "products are checked on" in self.said() or serving.poll() is not None)
                if serving.poll() is not None:
                    raise RuntimeError(f"the verifier ended: {self.said()[-1500:]}")
                yield
            finally:
                serving.terminate()
                serving.wait(30)

    def card_mb(self, market: Market) -> list[int]:
        """MB that the verifier's process holds of each card, as the driver says."""
        readings = [market.cards.read(card.uuid) for card in market.cards.found()]
        return [
            (use.memory_bytes or 0) // 10**6
            for reading in readings
            for use in reading.processes
            if self._serving is not None and use.pid == self._serving.pid
        ]

    def said(self) -> str:
        """The verifier's log."""
        return self._log.read_text()

    def audit(self, job: str) -> dict[str, Any]:
        """`audit verdict`: its answer and its seconds."""
        words = ["audit", "verdict", job, "--config", str(self._config), "--device", DEVICE, "--json"]
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "computility", *words],
            env=self._environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        found = {"audit_exit": done.returncode, "audit_s": round(time.monotonic() - started, 1)}
        try:
            return {**found, "audit": json.loads(done.stdout)["agreement"]}
        except (ValueError, KeyError):
            return {**found, "audit": (done.stdout + done.stderr)[-600:]}


def toml_of(settings: Mapping[str, Any]) -> str:
    """As a settings file: sections of strings, numbers, lists, and tables of strings, which TOML writes as JSON does but for the tables."""
    lines = []
    for section, values in settings.items():
        for table in values if isinstance(values, list) else [values]:
            lines.append(f"[[{section}]]" if isinstance(values, list) else f"[{section}]")
            for name, value in table.items():
                if isinstance(value, dict):
                    inner = ", ".join(f"{json.dumps(key)} = {json.dumps(one)}" for key, one in value.items())
                    lines.append(f"{name} = {{ {inner} }}")
                else:
                    lines.append(f"{name} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def trade(market: Market, commands: Commands, folder: Path, *, integers: bool, right: bool) -> dict[str, Any]:
    """One job: what the verifier's process signed, how soon, who checked by its log, and what the auditor's process says of it."""
    random = np.random.default_rng(integers * 2 + right)
    draw = (
        (lambda: random.integers(-128, 128, (SIZE, SIZE), dtype=np.int8))
        if integers
        else (lambda: random.standard_normal((SIZE, SIZE)).astype(np.float32))
    )
    files = {}
    for name in ("a.npy", "b.npy"):
        data = io.BytesIO()
        np.save(data, draw())
        files[name] = data.getvalue()
    program = folder / "multiply_torch.py"
    program.write_text((EXAMPLES / "product" / "multiply_torch.py").read_text() + ("" if right else CHANGE))
    policy = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
    policy |= {} if integers else {"precision": "float32"}
    before = len(commands.said())
    opened = time.monotonic()
    job = market.buy([program.name], files, program, policy)
    wait(lambda: bool(market.node.submissions(job)))
    submitted_s = time.monotonic() - opened
    wait(lambda: bool(market.node.attestations(job)["items"]))
    attested_s = time.monotonic() - opened
    message = market.node.attestations(job)["items"][0]["message"]
    evidence = parse_evidence(market.node.get_content(content_id_of_digest(message["evidence"])))
    wait(lambda: market.node.job(job)["state"] not in ("open", "attested"))
    return {
        "verdict": Verdict(message["verdict"]).name,
        "reason": evidence.reason,
        "attested_after_submission_s": round(attested_s - submitted_s, 1),
        "said": [line for line in commands.said()[before:].splitlines() if "product" in line],
        **commands.audit(job),
    }


def trades(market: Market, commands: Commands, folder: Path) -> dict[str, Any]:
    """All four, one after the other, and what the verifier's process said."""
    found: dict[str, Any] = {}
    with market.open(verifies=False, looks=False), commands.verifier():
        for integers in (True, False):
            for right in (True, False):
                about = f"{'int8' if integers else 'float32'}, {'right' if right else 'one entry wrong'}"
                found[about] = told(
                    lambda integers=integers, right=right: trade(  # type: ignore[misc] # bound per trade
                        market, commands, folder, integers=integers, right=right
                    )
                )
        found["card_mb_of_the_idle_verifier"] = commands.card_mb(market)
        return {**found, "verifier_said": commands.said().splitlines()[-30:]}


def main() -> None:
    """Trade, and report."""
    report: dict[str, Any] = {"bench": "gpu-product-trades", "python": PYTHON}
    with tempfile.TemporaryDirectory() as name, LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        folder = Path(name)
        ledger = deploy_ledger(chain, folder / "deployments")
        with node_on(ledger, folder) as node:
            market = Market(ledger, node, folder)
            report["cards"] = [card.name for card in market.cards.found()]
            # What goes wrong is caught in here: the node's threads end in order only so.
            report["trades"] = told(lambda: trades(market, Commands(market, folder), folder))
    print(json.dumps(report, indent=2), flush=True)


if __name__ == "__main__":
    main()
