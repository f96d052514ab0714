"""The process of one job: reads it from standard input, runs it confined, writes what became of it to standard output.

In:  {"parent", "cpu_s", "memory_bytes", …}, the program, the inputs in the order of "inputs".
Out: {"fuel", "outputs": [paths]} and the outputs, or {"error": code, "message"}.
"""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

from computility.domain.errors import ComputilityError, HostMemoryExhausted
from computility.execution.wasm.confinement import confine, confine_memory, release_memory
from computility.execution.wasm.engine import make_engine
from computility.execution.wasm.frames import pack_frames, read_blob, read_header
from computility.execution.wasm.job import Job, Outcome, compile_module, run_module


def main() -> None:
    """Run one job."""
    header = read_header(sys.stdin.buffer)
    confine(header["parent"], header["cpu_s"])
    answer = _take_standard_output()
    try:
        outcome = _run(header, sys.stdin.buffer)
        frames = pack_frames({"fuel": outcome.fuel, "outputs": list(outcome.outputs)}, outcome.outputs.values())
    except ComputilityError as error:
        frames = pack_frames({"error": error.code, "message": str(error)}, ())
    except MemoryError:
        frames = pack_frames({"error": HostMemoryExhausted.code, "message": "this machine ran out of memory"}, ())
    with answer:
        for chunk in frames:
            answer.write(chunk)


def _run(header: dict[str, Any], stream: BinaryIO) -> Outcome:
    job = Job(
        arguments=tuple(header["arguments"]),
        fuel=header["fuel"],
        memory_bytes=header["memory_bytes"],
        output_bytes=header["output_bytes"],
        output_files=header["output_files"],
        host_output_bytes=header["host_output_bytes"],
        clock_s=header["clock_s"],
        seed=bytes.fromhex(header["seed"]),
    )
    confine_memory(header["job_bytes"])
    engine = make_engine()
    module = compile_module(engine, read_blob(stream))
    release_memory()
    inputs = {path: read_blob(stream) for path in header["inputs"]}
    return run_module(engine, module, job, inputs)


def _take_standard_output() -> BinaryIO:
    """Standard output for the answer alone: whatever else is printed goes to standard error."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answer


if __name__ == "__main__":
    main()
