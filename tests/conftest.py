"""Chains that integration and end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from computility.chain.local_chain import LocalChain, LocalChainSettings


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
