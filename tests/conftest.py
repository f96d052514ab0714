"""Chains that integration and end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from computility.chain.local_chain import LocalChain, LocalChainSettings, free_port
from computility.cli.demo.stage import Stage, set_stage

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def anvil() -> Iterator[LocalChain]:
    """An anvil that mines a block a transaction, one a test process."""
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        yield chain


@pytest.fixture(scope="session")
def ganache() -> Iterator[LocalChain]:
    """A Ganache that mines a block a transaction, one a test process."""
    with LocalChain(LocalChainSettings("ganache", block_time_s=0)) as chain:
        yield chain


@pytest.fixture(scope="session", params=["anvil", "ganache"])
def chain(request: pytest.FixtureRequest) -> LocalChain:
    """Each kind of chain in turn."""
    chain: LocalChain = request.getfixturevalue(request.param)
    return chain


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everybody of the demo, each in a process of its own, on an anvil with a block a second; one a test process."""
    folder = tmp_path_factory.mktemp("stage")
    with set_stage(folder, CHECKOUT, free_port(), "anvil", lambda _: None) as running:
        yield running
