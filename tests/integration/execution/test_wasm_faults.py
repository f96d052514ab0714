"""The executor on bad programs: each ends, with the fault that is its own, and the machine stays well."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import pytest
from tests.integration.execution.workbench import ENDLESS, Bench

from computility.domain.errors import (
    FuelExhausted,
    HostMemoryExhausted,
    ImportNotOffered,
    JobFailed,
    JobFault,
    JobTrapped,
    MemoryExhausted,
    ModuleMalformed,
    ModuleTooLarge,
    OutputTooLarge,
    WallClockExceeded,
)
from computility.execution.wasm import executor as executor_module
from computility.execution.wasm.engine_settings import MAX_MODULE_BYTES
from computility.execution.wasm.executor import WasmExecutor

WASI = "wasi_snapshot_preview1"


def start(body: str, before: str = "") -> str:
    """A module that does something at its start."""
    return f'(module {before} (memory (export "memory") 1) (func (export "_start") {body}))'


FAULTS = {
    "loops forever": (ENDLESS, FuelExhausted),
    "loops in its start section": (
        '(module (func $s (loop (br 0))) (start $s) (func (export "_start")))',
        FuelExhausted,
    ),
    "calls the host forever": (
        start("(loop (drop (call $y)) (br 0))", f'(import "{WASI}" "sched_yield" (func $y (result i32)))'),
        FuelExhausted,
    ),
    "asks for endless randomness": (
        start(
            "(loop (drop (call $r (i32.const 0) (i32.const 65536))) (br 0))",
            f'(import "{WASI}" "random_get" (func $r (param i32 i32) (result i32)))',
        ),
        FuelExhausted,
    ),
    "fills memory over and over": (
        start("(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0))"),
        FuelExhausted,
    ),
    "recurses forever": ('(module (func $f (export "_start") (call $f)))', JobTrapped),
    "is unreachable": (start("unreachable"), JobTrapped),
    "divides by zero": (start("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), JobTrapped),
    "reads past its memory": (start("(drop (i32.load (i32.const 65536)))"), JobTrapped),
    "has data past its memory": (
        '(module (memory 1) (data (i32.const 65536) "a") (func (export "_start")))',
        JobTrapped,
    ),
    "makes a host call and has no memory": (
        (
            f'(module (import "{WASI}" "random_get" (func $r (param i32 i32) (result i32)))'
            ' (func (export "_start") (drop (call $r (i32.const 0) (i32.const 8)))))'
        ),
        JobTrapped,
    ),
    "grows until it may not": (
        start("(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable"),
        MemoryExhausted,
    ),
    "starts with too much memory": (
        '(module (memory (export "memory") 1000) (func (export "_start")))',
        MemoryExhausted,
    ),
    "hides that it starts with too much memory": ('(module (memory 1000) (func (export "_start")))', MemoryExhausted),
    "has too large a table": ('(module (table 2000000 funcref) (func (export "_start")))', MemoryExhausted),
    "imports what is not WASI": (
        '(module (import "env" "socket" (func)) (func (export "_start")))',
        ImportNotOffered,
    ),
    "imports what WASI does not have": (
        f'(module (import "{WASI}" "sock_open" (func)) (func (export "_start")))',
        ImportNotOffered,
    ),
    "imports with another type": (
        f'(module (import "{WASI}" "fd_close" (func (param i64) (result i32))) (func (export "_start")))',
        ImportNotOffered,
    ),
    "imports a memory": ('(module (import "env" "memory" (memory 1)) (func (export "_start")))', ImportNotOffered),
    "is a library": ('(module (func (export "run")))', ModuleMalformed),
    "has a start with parameters": ('(module (func (export "_start") (param i32)))', ModuleMalformed),
    "has threads": (
        '(module (memory 1 1 shared) (func (export "_start") (drop (i32.atomic.load (i32.const 0)))))',
        ModuleMalformed,
    ),
    "has 64-bit memory": ('(module (memory i64 1) (func (export "_start")))', ModuleMalformed),
    "has two memories": ('(module (memory 1) (memory 1) (func (export "_start")))', ModuleMalformed),
    "has relaxed SIMD": (
        start(
            "(drop (f32x4.relaxed_madd (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)))"
        ),
        ModuleMalformed,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_run__a_program_that__ends_with_its_fault(name: str, bench: Bench) -> None:
    text, fault = FAULTS[name]
    with pytest.raises(fault) as raised:
        bench.run_text(text)
    assert type(raised.value) is fault
    assert isinstance(raised.value, JobFault)


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b"\0asm",
        b"\0asm\x01\0\0\0\x01",
        b"\0asm\x0d\0\x01\0",
        b'(module (func (export "_start")))',
        b"\x7fELF" * 10,
    ],
    ids=["empty", "cut", "bad section", "component", "text", "other"],
)
def test_run__bytes_that_are_no_module__are_malformed(program: bytes, bench: Bench) -> None:
    with pytest.raises(ModuleMalformed):
        bench.run(program)


def test_run__a_module_above_16_mib__is_too_large(bench: Bench) -> None:
    with pytest.raises(ModuleTooLarge, match=str(MAX_MODULE_BYTES)):
        bench.run(b"\0asm\x01\0\0\0".ljust(MAX_MODULE_BYTES + 1, b"\0"))


def test_run__an_exit_code__is_a_failure_with_what_it_said(bench: Bench, probe: bytes) -> None:
    with pytest.raises(JobFailed, match="exit code 7 and said: the scene is empty"):
        bench.run(probe, "fail")


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("memory", MemoryExhausted),
        ("much", OutputTooLarge),
        ("many", OutputTooLarge),
        ("keep", OutputTooLarge),
    ],
    ids=["fills memory", "writes too much", "writes too many files", "keeps deleted files open"],
)
def test_run__a_c_program_that__ends_with_its_fault(
    what: str, fault: type[JobFault], bench: Bench, probe: bytes
) -> None:
    with pytest.raises(fault):
        bench.run(probe, what)


def test_run__standard_output__counts_as_output(bench: Bench, probe: bytes) -> None:
    with pytest.raises(OutputTooLarge):
        bench.within(output_bytes=10).run(probe, "surroundings")
    with pytest.raises(OutputTooLarge):
        bench.within(output_files=0).run(probe, "surroundings")


def test_run__pointers_outside_memory__are_errors_of_the_call(bench: Bench) -> None:
    body = """
      (if (i32.ne (call $r (i32.const 65530) (i32.const 8)) (i32.const 21)) (then unreachable))
      (if (i32.ne (call $r (i32.const -1) (i32.const 8)) (i32.const 21)) (then unreachable))
      (if (i32.ne (call $w (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 0)) (i32.const 21)) (then unreachable))
      (if (i32.ne (call $w (i32.const 1) (i32.const 0) (i32.const 2000) (i32.const 0)) (i32.const 28)) (then unreachable))
      (if (i32.ne (call $w (i32.const 77) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 8)) (then unreachable))
    """
    imports = (
        f'(import "{WASI}" "random_get" (func $r (param i32 i32) (result i32)))'
        f'(import "{WASI}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))'
    )
    assert bench.run_text(start(body, imports)).outputs == {}


def test_run__sockets__answer_that_they_are_not_there(bench: Bench) -> None:
    body = "(if (i32.ne (call $s (i32.const 0) (i32.const 0)) (i32.const 52)) (then unreachable))"
    imports = f'(import "{WASI}" "sock_shutdown" (func $s (param i32 i32) (result i32)))'
    assert bench.run_text(start(body, imports)).outputs == {}


def test_run__too_slow_for_this_machine__says_nothing_of_the_job(bench: Bench) -> None:
    slow = replace(bench.within(fuel=2**53 - 1), executor=WasmExecutor(timeout_s=1))
    began = time.monotonic()
    with pytest.raises(WallClockExceeded):
        slow.run_text(ENDLESS)
    assert time.monotonic() - began < 10


def test_run__more_memory_than_this_machine_gives__says_nothing_of_the_job(bench: Bench, probe: bytes) -> None:
    small = replace(bench, executor=WasmExecutor(max_memory_bytes=65_536))
    with pytest.raises(HostMemoryExhausted):
        small.run(probe)


GROWS = """(module (memory (export "memory") 1) (func (export "_start")
  (if (i32.eq (memory.grow (i32.const 12000)) (i32.const -1)) (then unreachable))))"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of data as Linux holds them")
def test_run__on_a_machine_that_refuses_memory_that_the_job_may_take__says_nothing_of_the_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = bench.within(memory_bytes=2 * 1024**3)
    roomy.run_text(GROWS)
    within = ("/bin/sh", "-c", 'ulimit -d 600000; exec "$@"', "sh", *executor_module._COMMAND)
    monkeypatch.setattr(executor_module, "_COMMAND", within)
    with pytest.raises(HostMemoryExhausted):
        roomy.run_text(GROWS)


def test_run__that_gives_up_where_the_machine_has_the_memory__is_at_fault(bench: Bench) -> None:
    with pytest.raises(JobTrapped):
        bench.within(memory_bytes=64 * 1024**2).run_text(GROWS)


def test_run__more_output_than_this_machine_holds__says_nothing_of_the_job(bench: Bench, probe: bytes) -> None:
    small = replace(bench, executor=WasmExecutor(max_output_bytes=1_000))
    with pytest.raises(HostMemoryExhausted):
        small.run(probe, "much")


def test_run__more_input_than_this_machine_holds__says_nothing_of_the_job(bench: Bench, probe: bytes) -> None:
    small = replace(bench, executor=WasmExecutor(max_input_bytes=3))
    with pytest.raises(HostMemoryExhausted):
        small.run(probe, inputs={"a": b"four"})
