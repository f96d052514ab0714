"""A chain, and a node on it over a real socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger

from computility.api.app import create_app
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.services.node_client import NodeClient, wait_for_node
from computility.settings import NodeSettings

WAIT_S = 60.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerOnChain]:
    """A chain of its own, as it forks."""
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        yield deploy_ledger(chain, tmp_path / "deployments")


@pytest.fixture
def node(ledger: LedgerOnChain, tmp_path: Path) -> Iterator[NodeClient]:
    """A node on that chain, over a real socket."""
    with node_on(ledger, tmp_path) as client:
        yield client


@contextlib.contextmanager
def node_on(ledger: LedgerOnChain, tmp_path: Path) -> Iterator[NodeClient]:
    """A node on a chain whose deployments are written below a folder, over a real socket."""
    settings = NodeSettings(
        rpc_url=ledger.rpc.url,
        deployments_dir=tmp_path / "deployments",
        database_url=f"sqlite:///{tmp_path}/node.sqlite",
        content_url=str(tmp_path / "content"),
        web_dist=tmp_path / "dist",
        examples_dir=None,
        poll_interval_s=0.1,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            # As a node does, it does not wait for agents that listen by long polls.
            uvicorn.Config(create_app(settings), log_level="error", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        client = NodeClient(f"http://127.0.0.1:{listener.getsockname()[1]}")
        wait_for_node(client, WAIT_S)
        yield client
        client.close()
        server.should_exit = True
        thread.join(10)
