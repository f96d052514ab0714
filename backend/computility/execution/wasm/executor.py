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
    ContentMismatch,
    EnvironmentMismatch,
    ExecutionError,
    ExecutorCrashed,
    ExecutorFailed,
    HostMemoryExhausted,
    ModuleTooLarge,
    WallClockExceeded,
)
from computility.domain.job_specification import InputFile, JobSpecification
from computility.execution.content_store import ContentStore
from computility.execution.executor import Execution, execution_of
from computility.execution.wasm.engine_settings import MAX_MODULE_BYTES, RUNTIME, class_settings
from computility.execution.wasm.frames import FrameError, pack_frames, read_blob, read_header

_COMMAND: Final = (sys.executable, "-I", "-m", "computility.execution.wasm.child")
_STDERR_SHOWN: Final = 400
_GIB: Final = 1024 * 1024 * 1024


class WasmExecutor:
    """Runs one job after the other, or several from several threads; it keeps nothing between them.

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
        self._timeout_s = timeout_s
        self._max_memory_bytes = max_memory_bytes
        self._max_output_bytes = max_output_bytes
        self._max_input_bytes = max_input_bytes

    @cached_property
    def environment(self) -> str:
        """The environment class of this executor."""
        return wasm_environment()

    def run(self, specification: JobSpecification, content: ContentStore) -> Execution:
        """Run a job to its end.

        Raises:
            JobFault: the job's own fault, the same on every machine of the class.
            ExecutorFailed: another environment class, too slow, too little memory, a crash.
            ContentNotFound: the program or an input is not there.
            ContentMismatch: the program or an input is not what its name and size say.
        """
        self._check(specification)
        blobs = [_fetch(file, content) for file in (specification.module, *specification.inputs)]
        header, outputs = self._in_process(self._request(specification), blobs)
        return execution_of(specification.digest, self.environment, header["fuel"], outputs)

    def _check(self, specification: JobSpecification) -> None:
        if specification.environment != self.environment:
            raise EnvironmentMismatch(
                f"the job asks for {specification.environment} and this machine is {self.environment}: choose a provider of its class"
            )
        if specification.module.size > MAX_MODULE_BYTES:
            raise ModuleTooLarge(
                f"a program may have at most {MAX_MODULE_BYTES} bytes, not {specification.module.size}"
            )
        if specification.limits.memory_bytes > self._max_memory_bytes:
            raise HostMemoryExhausted(
                f"the job may use {specification.limits.memory_bytes} bytes of memory, and this machine gives it {self._max_memory_bytes}"
            )
        if (size := sum(file.size for file in specification.inputs)) > self._max_input_bytes:
            raise HostMemoryExhausted(
                f"the job has {size} bytes of inputs, and this machine holds {self._max_input_bytes}"
            )

    def _request(self, specification: JobSpecification) -> dict[str, Any]:
        limits = specification.limits
        output_bytes = min(limits.output_bytes, self._max_output_bytes)
        input_bytes = sum(file.size for file in specification.inputs)
        return {
            "parent": os.getpid(),
            "cpu_s": math.ceil(self._timeout_s) + 5,
            "arguments": [specification.module.path, *specification.arguments],
            "inputs": [file.path for file in specification.inputs],
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

    def _in_process(self, request: Mapping[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
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


def _fetch(file: InputFile, content: ContentStore) -> bytes:
    data = content.get(file.cid)
    if len(data) != file.size:
        raise ContentMismatch(
            f"{file.path} has {len(data)} bytes, and its specification says {file.size}: correct the specification"
        )
    return data


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
