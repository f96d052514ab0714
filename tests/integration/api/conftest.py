"""A node on a development chain with the contracts deployed, asked in process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from fastapi.testclient import TestClient

from computility.api.app import create_app
from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.domain.identifiers import Address
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.node import Node
from computility.settings import NodeSettings

Account.enable_unaudited_hdwallet_features()


def development_key(index: int) -> bytes:
    """The well-known key of a development account."""
    return bytes(Account.from_mnemonic(DEVELOPMENT_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key)


def development_address(index: int) -> Address:
    """The well-known account."""
    return Address(Account.from_key(development_key(index)).address)


@dataclass
class Served:
    """A client of a node, and the node behind it."""

    client: TestClient
    settings: NodeSettings
    deployments: Deployments

    @property
    def node(self) -> Node:
        """The node itself."""
        node: Node = self.client.app.state.node  # type: ignore[attr-defined]  # Starlette's
        return node


@pytest.fixture(scope="module")
def deployed(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Deployments]:
    """A generation of contracts, and the folder that records it."""
    folder = tmp_path_factory.mktemp("deployments")
    rpc = RpcClient(anvil.rpc_url)
    deployer = development_address(0)
    plan = DeploymentPlan(
        proposers=[deployer],
        treasury=deployer,
        guardian=deployer,
        committee=[development_address(index) for index in (5, 6, 7)],
    )
    sender = TransactionSender(rpc, Account.from_key(development_key(0)), anvil.chain_id)
    return folder, deploy_generation(ChainConnection(rpc), sender, plan, folder).deployments


def settings_of_node(chain: LocalChain, deployments_dir: Path, folder: Path) -> NodeSettings:
    """Those of a node that keeps everything in a folder, and takes little."""
    return NodeSettings(
        rpc_url=chain.rpc_url,
        deployments_dir=deployments_dir,
        database_url=f"sqlite:///{folder}/node.sqlite",
        content_url=str(folder / "content"),
        web_dist=folder / "dist",
        examples_dir=None,
        max_content_bytes=100_000,
        content_quota_bytes=250_000,
    )


@pytest.fixture
def served(anvil: LocalChain, deployed: tuple[Path, Deployments], tmp_path: Path) -> Iterator[Served]:
    """A node with an empty store."""
    folder, deployments = deployed
    settings = settings_of_node(anvil, folder, tmp_path)
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield Served(client, settings, deployments)
