"""Chains that integration and end-to-end tests share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from computility.cli.quick_start import start_sooner

# Each worker loads what a command loads, and all the tests: half of that was the collector of cycles, which found nothing.
start_sooner()

from computility.chain.local_chain import LocalChain, LocalChainSettings, free_port  # noqa: E402  # after the line above
from computility.cli.demo.stage import Stage, set_stage  # noqa: E402  # after the line above

CHECKOUT = Path(__file__).resolve().parents[1]


def pytest_collection_finish() -> None:
    """Modules and collected tests stay until the end: the collector of cycles need not look at them again and again."""
    gc.collect()
    gc.freeze()


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


class OpenStage:
    """The stage that stands in this test process, if one does."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: Stage | None = None

    def stand(self, folder: Callable[[], Path]) -> Stage:
        """The stage, set up where none stands."""
        if self._running is None:
            self._running = self._stack.enter_context(
                set_stage(folder(), CHECKOUT, free_port(), "anvil", lambda _: None)
            )
        return self._running

    def strike(self) -> None:
        """End it; harmless when none stands."""
        self._running = None
        self._stack.close()


_STAGE = OpenStage()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Its node and agents cost a fifth of a processor at rest, so they end with the last test that wants them."""
    try:
        yield
    finally:
        if "stage" not in getattr(nextitem, "fixturenames", ()):
            _STAGE.strike()


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Everybody of the demo, each in a process of its own, on an anvil with a block a second; shared by tests that follow one another."""
    return _STAGE.stand(lambda: tmp_path_factory.mktemp("stage"))
