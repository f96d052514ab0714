"""What the executor's tests share: a bench that runs programs within given limits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import wasmtime

from computility.domain.content_id import content_id_of
from computility.domain.job_specification import InputFile, JobSpecification, Limits
from computility.execution.content_store import FileContentStore
from computility.execution.executor import Execution
from computility.execution.wasm.executor import WasmExecutor, wasm_environment

REPOSITORY = Path(__file__).parents[3]
CLOCK_S = 1_790_000_000
SMALL = Limits(fuel=200_000_000, memory_bytes=4 * 1024 * 1024, output_bytes=1024 * 1024, output_files=8)
SEED = "0x" + "5e" * 32

ENDLESS = '(module (func (export "_start") (loop (br 0))))'
"""A program that uses up its fuel, in WebAssembly text."""


@dataclass(frozen=True)
class Bench:
    """Runs programs. ``limits`` are small, so that tests reach them."""

    content: FileContentStore
    executor: WasmExecutor
    limits: Limits = SMALL
    clock_s: int = CLOCK_S
    seed: str = SEED

    def specification(
        self, program: bytes, *arguments: str, inputs: Mapping[str, bytes] | None = None
    ) -> JobSpecification:
        """The specification of a program on inputs, all put into the content store."""
        return JobSpecification(
            wasm_environment(),
            self._put("program.wasm", program),
            arguments,
            tuple(self._put(path, data) for path, data in (inputs or {}).items()),
            self.limits,
            self.clock_s,
            self.seed,
        )

    def run(self, program: bytes, *arguments: str, inputs: Mapping[str, bytes] | None = None) -> Execution:
        """Run a program on inputs."""
        return self.executor.run(self.specification(program, *arguments, inputs=inputs), self.content)

    def run_text(self, text: str) -> Execution:
        """Run a program in WebAssembly text."""
        return self.run(assembled(text))

    def within(self, **limits: int) -> Bench:
        """The bench with other limits."""
        return replace(self, limits=replace(self.limits, **limits))

    def _put(self, path: str, data: bytes) -> InputFile:
        self.content.put(data)
        return InputFile(path, content_id_of(data), len(data))


def assembled(text: str) -> bytes:
    """WebAssembly text as a module."""
    return bytes(wasmtime.wat2wasm(text))


def build_probe(folder: Path) -> bytes:
    """``probe.c`` as a program."""
    cache = str(REPOSITORY / ".cache" / "zig")
    out = folder / "probe.wasm"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "ziglang",
            "cc",
            "-target",
            "wasm32-wasi",
            "-O1",
            "-s",
            "-Wl,-z,stack-size=65536",
            "-o",
            str(out),
            "probe.c",
        ],
        cwd=Path(__file__).parent,
        env={"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
        check=True,
    )
    return out.read_bytes()
