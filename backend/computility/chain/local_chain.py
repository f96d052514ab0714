"""A development chain on loopback: anvil (or Ganache) as a child process, for the demo and the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import httpx

from computility.domain.errors import ComputilityError

Backend = Literal["anvil", "ganache"]

# The mnemonic that Foundry, Hardhat and Ganache users know: its keys are public, so it is worth nothing elsewhere.
DEVELOPMENT_MNEMONIC: Final = "test test test test test test test test test test test junk"
CHAIN_IDS: Final[dict[Backend, int]] = {"anvil": 31337, "ganache": 1337}
_START_TIMEOUT_S: Final = 30.0
_PATIENCE_S: Final = 60.0


class LocalChainUnavailable(ComputilityError):
    """The development chain's program is missing or does not start."""

    code = "local-chain-unavailable"


@dataclass(frozen=True)
class LocalChainSettings:
    """How to start the chain.

    ``block_time_s`` zero mines a block a transaction; ``port`` zero takes a free one. ``forgetful`` is for long chains, of an anvil only: it keeps no
    state but the newest, and its headers have no state root. Blocks, receipts and logs are kept.
    """

    backend: Backend = "anvil"
    port: int = 0
    block_time_s: int = 1
    accounts: int = 16
    log_file: Path | None = None
    forgetful: bool = False


class LocalChain:
    """A running chain. Use it as a context manager, or call ``stop``."""

    def __init__(self, settings: LocalChainSettings | None = None) -> None:
        self.settings = settings or LocalChainSettings()
        self.chain_id = CHAIN_IDS[self.settings.backend]
        self.port = self.settings.port or free_port()
        self.rpc_url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._states: tempfile.TemporaryDirectory[str] | None = None
        self._empty: LocalChain | None = None
        self._stopping = threading.Event()

    def command(self) -> list[str]:
        """The argument vector that starts the chain.

        Raises:
            LocalChainUnavailable: the program is not installed.
        """
        settings = self.settings
        program = find_program(settings.backend)
        if settings.backend == "anvil":
            timing = ["--block-time", str(settings.block_time_s)] if settings.block_time_s else []
            return [
                program,
                "--port", str(self.port),
                "--chain-id", str(self.chain_id),
                "--hardfork", "shanghai",
                "--accounts", str(settings.accounts),
                "--mnemonic", DEVELOPMENT_MNEMONIC,
                *timing,
                *(["--cache-path", self._states.name] if self._states else []),
                *(["--prune-history"] if settings.forgetful else []),
                *(["--fork-url", self._empty.rpc_url, "--no-storage-caching"] if self._empty else []),
            ]  # fmt: skip
        timing = ["--miner.blockTime", str(settings.block_time_s)] if settings.block_time_s else []
        return [
            program,
            "--server.port", str(self.port),
            "--chain.chainId", str(self.chain_id),
            "--chain.networkId", str(self.chain_id),
            "--chain.hardfork", "shanghai",
            "--wallet.totalAccounts", str(settings.accounts),
            "--wallet.mnemonic", DEVELOPMENT_MNEMONIC,
            *timing,
        ]  # fmt: skip

    def start(self) -> Self:
        """Start the program and wait until it answers.

        Raises:
            LocalChainUnavailable: missing, ended at once, or silent for 30 seconds.
        """
        if self.settings.forgetful and self.settings.backend != "anvil":
            raise LocalChainUnavailable(f"a {self.settings.backend} keeps all states: only an anvil is forgetful")
        # An anvil never removes the states of old blocks that it wrote, by default into the home folder: 100 kB a block.
        self._states = tempfile.TemporaryDirectory(prefix="computility-chain-", ignore_cleanup_errors=True)
        if self.settings.forgetful:
            # An anvil computes the root of all storage anew for each block, unless it forked another chain: then it computes none.
            self._empty = LocalChain(replace(self.settings, port=0, log_file=None, forgetful=False)).start()
        command = self.command()
        log = self.settings.log_file.open("wb") if self.settings.log_file else None
        try:
            tether = [sys.executable, "-m", "computility.chain.tether", str(os.getpid())]
            self.process = subprocess.Popen(
                [*tether, *command],
                stdin=subprocess.DEVNULL,
                stdout=log or subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
            )
        finally:
            if log:
                log.close()
        try:
            self._wait_until_it_answers()
        except LocalChainUnavailable:
            self.stop()
            raise
        return self

    def mine_every(self, interval_s: int) -> None:
        """From now on make a block each ``interval_s`` seconds. A Ganache goes on making one a transaction besides."""
        if self.settings.backend == "anvil":
            self._ask("evm_setIntervalMining", interval_s)
            return

        def beat() -> None:
            while not self._stopping.wait(interval_s):
                # A busy Ganache answers late; a beat that it misses is of no consequence.
                with contextlib.suppress(httpx.HTTPError):
                    self._ask("evm_mine")

        threading.Thread(target=beat, name="ganache-beat", daemon=True).start()

    def stop(self) -> None:
        """End the program; harmless when it already ended."""
        self._stopping.set()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if self._states is not None:
            self._states.cleanup()
            self._states = None
        if self._empty is not None:
            self._empty.stop()
            self._empty = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ask(self, method: str, *params: object) -> None:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        httpx.post(self.rpc_url, json=question, timeout=_PATIENCE_S).raise_for_status()

    def _wait_until_it_answers(self) -> None:
        give_up = time.monotonic() + _START_TIMEOUT_S
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        while time.monotonic() < give_up:
            if self.process is None or self.process.poll() is not None:
                raise LocalChainUnavailable(
                    f"{self.settings.backend} ended while starting on port {self.port}; is the port taken?"
                )
            try:
                answer = httpx.post(self.rpc_url, json=question, timeout=1.0).json()
            except (httpx.HTTPError, ValueError):
                time.sleep(0.05)
                continue
            if answer.get("result") == hex(self.chain_id):
                return
            raise LocalChainUnavailable(f"port {self.port} is answered by another chain: {answer.get('result')}")
        raise LocalChainUnavailable(f"{self.settings.backend} did not answer within {_START_TIMEOUT_S:.0f} s")


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_program(name: str) -> str:
    """Path of a program from the checkout's ``node_modules/.bin``, else from PATH.

    Raises:
        LocalChainUnavailable: neither has it.
    """
    for folder in Path(__file__).resolve().parents:
        candidate = folder / "node_modules" / ".bin" / name
        if candidate.exists():
            return str(candidate)
    found = shutil.which(name)
    if found is None:
        raise LocalChainUnavailable(f"{name} is not installed: run `make setup` in the checkout, or put it on PATH")
    return found
