"""``WasmExecutor``: runs jobs of WASI preview 1 programs, each in a process of its own."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final

from computility.domain.environment_class import EnvironmentClass, config_hash_of
from computility.domain.errors import (
    ExecutionError,
    ExecutorCrashed,
    ExecutorFailed,
    HostMemoryExhausted,
    ModuleTooLarge,
    WallClockExceeded,
)
from computility.domain.job_specification import Limits
from computility.domain.specification import Specification
from computility.execution.blocking_executor import BlockingExecutor, Run
from computility.execution.executor import Capabilities, Execution, MeterSample, Prepared, execution_of
from computility.execution.wasm.engine_settings import MAX_MODULE_BYTES, RUNTIME, class_settings
from computility.execution.wasm.frames import FrameError, pack_frames, read_blob, read_header

_COMMAND: Final = (sys.executable, "-I", "-m", "computility.execution.wasm.child")
_STDERR_SHOWN: Final = 400
_GIB: Final = 1024 * 1024 * 1024


class WasmExecutor(BlockingExecutor):
    """Runs one job after the other, or several at a time; each attempt is a process.

    ``timeout_s`` bounds a job by the wall clock, compiling included. ``max_memory_bytes`` is the most linear memory that a job may ask for,
    ``max_output_bytes`` the most output, ``max_input_bytes`` the most input that this machine holds for one job.
    """

    def __init__(
        self,
        timeout_s: float = 300,
        max_memory_bytes: int = 4 * _GIB,
        max_output_bytes: int = _GIB,
        max_input_bytes: int = _GIB,
    ) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self._max_memory_bytes = max_memory_bytes
        self._max_output_bytes = max_output_bytes
        self._max_input_bytes = max_input_bytes

    @cached_property
    def environment(self) -> str:
        """The environment class of this executor."""
        return wasm_environment()

    def capabilities(self) -> Capabilities:
        """What it takes."""
        return Capabilities(
            kind="wasm",
            environment=self.environment,
            parallel=os.cpu_count() or 1,
            memory_bytes=self._max_memory_bytes,
            input_bytes=self._max_input_bytes,
            output_bytes=self._max_output_bytes,
            wall_s=math.ceil(self._timeout_s),
            safeguards={"memory": "wasmtime", "files": "none of the host's", "network": "none", "process": "rlimits"},
        )

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run: another class, a program that no machine of the class takes, more than this machine gives."""
        super().check(specification)
        if (size := specification.files[0].size) > MAX_MODULE_BYTES:
            raise ModuleTooLarge(f"a program may have at most {MAX_MODULE_BYTES} bytes, not {size}")

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        specification = prepared.specification
        blobs = [prepared.files[file.path] for file in specification.files]
        header, outputs = self._in_process(run, self._request(prepared), blobs)
        run.sample(MeterSample(at_ms=run.elapsed_ms(), fuel=header["fuel"]))
        return execution_of(specification.digest, self.environment, header["fuel"], outputs)

    def _request(self, prepared: Prepared) -> dict[str, Any]:
        specification = prepared.specification
        limits = specification.limits
        assert isinstance(limits, Limits)
        program, *inputs = specification.files
        output_bytes = min(limits.output_bytes, self._max_output_bytes)
        input_bytes = sum(len(prepared.files[file.path]) for file in inputs)
        return {
            "parent": os.getpid(),
            "cpu_s": math.ceil(self._timeout_s) + 5,
            "arguments": [program.path, *specification.arguments],
            "inputs": [file.path for file in inputs],
            "fuel": limits.fuel,
            "memory_bytes": limits.memory_bytes,
            "output_bytes": limits.output_bytes,
            "output_files": limits.output_files,
            "host_output_bytes": self._max_output_bytes,
            # Twice the outputs: buffers grow by halves, and are copied once.
            "job_bytes": limits.memory_bytes + input_bytes + 3 * output_bytes,
            "clock_s": specification.clock_s,
            "seed": specification.seed[2:],
        }

    def _in_process(
        self, run: Run, request: Mapping[str, Any], blobs: list[bytes]
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        with subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd=os.sep,
            start_new_session=True,
        ) as process:
            try:
                with run.stopped_by(process.kill):
                    answer, complaint = process.communicate(b"".join(pack_frames(request, blobs)), self._timeout_s)
            except subprocess.TimeoutExpired:
                raise WallClockExceeded(
                    f"the job took longer than the {self._timeout_s:g} s that this machine allows: nothing is said of its result"
                ) from None
            finally:
                process.kill()
        return _read_answer(answer, complaint, process.returncode)


def wasm_environment() -> str:
    """The environment class of WASM jobs on this machine."""
    return str(EnvironmentClass(RUNTIME, f"wasmtime-{version('wasmtime')}", config_hash_of(class_settings())))


def _read_answer(answer: bytes, complaint: bytes, status: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    stream = BytesIO(answer)
    try:
        header = read_header(stream)
        if "error" in header:
            raise _error_of(header["error"])(header["message"])
        return header, {path: read_blob(stream) for path in header["outputs"]}
    except (FrameError, KeyError) as error:
        raise _crash(complaint, status) from error


def _error_of(code: str) -> type[ExecutionError]:
    """The class of an error code.

    Raises:
        KeyError: no such error.
    """
    return _codes(ExecutionError)[code]


def _codes(error: type[ExecutionError]) -> dict[str, type[ExecutionError]]:
    below = {code: cls for child in error.__subclasses__() for code, cls in _codes(child).items()}
    return {error.code: error, **below}


def _crash(complaint: bytes, status: int) -> ExecutorFailed:
    said = complaint.decode(errors="replace").strip()[-_STDERR_SHOWN:]
    if "memory allocation of" in said or "MemoryError" in said:
        return HostMemoryExhausted("the sandbox process ran out of the memory that it may take on this machine")
    if -status == signal.SIGXCPU:
        return WallClockExceeded("the job took more processor time than this machine allows")
    end = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return ExecutorCrashed(f"the sandbox process ended with {end}" + (f" and said: {said}" if said else ""))
