"""Containers in a provider's settings: proved, offered, bought by an image's digest, checked by a verifier with the same settings.

containers in the settings
├── without the section, and with a probe that is not here, they are not offered, and the reason is told
├── with a good one they are benched, asked for, sold and paid
└── an offer that does not fit is an error that names its setting
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.command_line import computility
from tests.integration.execution.container_bench import container_engine
from tests.integration.ledger_on_chain import BUYER, PROVIDER, VERIFIER, LedgerOnChain
from tests.integration.services.test_provider_role import wait

from computility.chain.keystore import create_keystore, development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC
from computility.domain.errors import InvalidMessage
from computility.execution.container.engine import Engine
from computility.services.node_client import NodeClient
from computility.services.provider_config import ProviderConfig, read_provider_config
from computility.services.provider_role import agent_of, executors_of
from computility.services.verifier_node import VerifierNode, VerifierSettings

# Its turn with the container engine may be long in coming.
pytestmark = pytest.mark.timeout(1_200)

OFFER = """
[[offer]]
kind = "container"
resource = "urn:computility:cpu:x86-64:2x:1g:local:aurora:0004:cpu-s"
price = "0.01"
max_units = 100
dispute_window_s = 100
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """Podman, and an image by digest."""
    with container_engine(tmp_path_factory.mktemp("containers")) as found:
        yield found


def settings(folder: Path, text: str, verifier: str = "") -> ProviderConfig:
    """Settings as a file has them."""
    path = folder / "provider.toml"
    trusted = f'[trust]\nverifiers = ["{verifier}"]\n' if verifier else ""
    path.write_text(f'{trusted}[work]\nheld = "{folder}/held"\n{text}{OFFER}')
    return read_provider_config(path)


def test_offer__without_its_section__is_left_out_with_the_reason(tmp_path: Path) -> None:
    assert "[container]" in executors_of(settings(tmp_path, "")).left_out["container"]


def test_offer__that_does_not_fit__is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage, match=r"container.probe"):
        settings(tmp_path, '[container]\nprobe = "debian:latest"\n')
    with pytest.raises(InvalidMessage, match=r"jobs on ray are of kind"):
        settings(tmp_path, OFFER.replace("price", 'on = "ray"\nprice'))


def test_container__bought_by_digest__is_run_verified_and_paid(
    engine: tuple[Engine, str], ledger: LedgerOnChain, node: NodeClient, tmp_path: Path
) -> None:
    found, image = engine
    provider, verifier = ledger.accounts[PROVIDER], ledger.accounts[VERIFIER]
    section = f'[container]\nengine = "podman"\nruntime = "{found.runtime}"\nprobe = "{image}"\n'
    config = settings(tmp_path, section, verifier.address)
    script, words, password, keystore = (tmp_path / name for name in ("loud.sh", "words", "password", "buyer.json"))
    script.write_text('tr a-z A-Z < "$1" > /out/loud\n')
    words.write_text("hello")
    password.write_text("of a test\n")
    create_keystore(keystore, "of a test", bytes(development_account(DEVELOPMENT_MNEMONIC, BUYER).key), fast=True)
    stop = threading.Event()
    agent = agent_of(config, provider, node, None)
    checks = VerifierNode(verifier, node, executors_of(config), None, VerifierSettings())
    serving = [threading.Thread(target=role.run, args=(stop,), daemon=True) for role in (agent, checks)]
    for thread in serving:
        thread.start()
    try:
        wait(lambda: bool(node.asks(provider=provider.address)))
        command = ["buy", str(script), "words", "--with", "/bin/sh", "--image", image, "--input", str(words)]
        answer = computility(
            *command, "--seconds", "10", "--verifier", verifier.address, "--yes", "--json",
            folder=tmp_path,
            COMPUTILITY_NODE=node.url,
            COMPUTILITY_RPC_URL=ledger.rpc.url,
            COMPUTILITY_KEYSTORE=str(keystore),
            COMPUTILITY_PASSWORD_FILE=str(password),
        )  # fmt: skip
    finally:
        stop.set()
        for thread in serving:
            thread.join(30)
    assert answer.code == 0, answer.out + answer.err
    assert answer.document["outcome"] == "pass"
    assert (tmp_path / "outputs" / "loud").read_text() == "HELLO"
