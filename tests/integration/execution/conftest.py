"""Benches and programs for the executor's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import SandboxBench
from tests.integration.execution.workbench import Bench, build_probe

from computility.execution.content_store import FileContentStore
from computility.execution.sandbox.process_executor import ProcessExecutor
from computility.execution.wasm.executor import WasmExecutor


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An executor and an empty content store."""
    return Bench(FileContentStore(str(tmp_path / "content"), 64 * 1024 * 1024), WasmExecutor(timeout_s=120))


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A C program that tries the host calls."""
    return build_probe(tmp_path_factory.mktemp("probe"))


@pytest.fixture(scope="session")
def sandbox_executor() -> ProcessExecutor:
    """Runs commands."""
    return ProcessExecutor()


@pytest.fixture
def sandbox(tmp_path: Path, sandbox_executor: ProcessExecutor) -> SandboxBench:
    """A sandbox with small limits and an empty content store."""
    return SandboxBench(FileContentStore(str(tmp_path / "content"), 10**8), sandbox_executor)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that a user of its own can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
