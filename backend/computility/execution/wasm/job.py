"""One job on one engine, in this process: compile, link, run, collect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime import (
    Engine,
    Func,
    FuncType,
    Linker,
    Memory,
    MemoryType,
    Module,
    Store,
    Trap,
    TrapCode,
    WasmtimeError,
)

from computility.domain.errors import (
    ExecutorCrashed,
    ExecutorFailed,
    FuelExhausted,
    HostMemoryExhausted,
    JobFailed,
    JobFault,
    JobTrapped,
    MemoryExhausted,
    ModuleMalformed,
    ModuleTooLarge,
)
from computility.execution.wasm.confinement import can_have
from computility.execution.wasm.descriptor_calls import DescriptorCalls
from computility.execution.wasm.descriptors import Descriptors
from computility.execution.wasm.engine_settings import MAX_MODULE_BYTES, MAX_TABLE_ELEMENTS, MAX_TABLES
from computility.execution.wasm.file_tree import FileTree
from computility.execution.wasm.guest import Guest
from computility.execution.wasm.path_calls import PathCalls
from computility.execution.wasm.process_calls import NANOSECONDS, ProcessCalls, ProcessExit
from computility.execution.wasm.wasi import check_imports, link_wasi

_HEADER = b"\0asm\x01\0\0\0"
_PAGE = 65_536
_ENTRY = "_start"
_STDERR_SHOWN = 500


@dataclass(frozen=True)
class Job:
    """What to run. ``arguments`` are argv. Limits are as in a job specification; ``host_output_bytes`` is this machine's own."""

    arguments: tuple[str, ...]
    fuel: int
    memory_bytes: int
    output_bytes: int
    output_files: int
    host_output_bytes: int
    clock_s: int
    seed: bytes


@dataclass(frozen=True)
class Outcome:
    """Fuel used and files written by a program that ended with exit code 0."""

    fuel: int
    outputs: Mapping[str, bytes]


def compile_module(engine: Engine, wasm: bytes) -> Module:
    """Check a program and compile it.

    Raises:
        ModuleTooLarge: more than 16 MiB.
        ModuleMalformed: not a WebAssembly module, or one without ``_start``.
        ImportNotOffered: it imports more than WASI preview 1.
    """
    if len(wasm) > MAX_MODULE_BYTES:
        raise ModuleTooLarge(f"a program may have at most {MAX_MODULE_BYTES} bytes, not {len(wasm)}")
    if not wasm.startswith(_HEADER):
        raise ModuleMalformed("the program is not a WebAssembly module, version 1 (components are not taken)")
    try:
        Module.validate(engine, wasm)
    except WasmtimeError as error:
        raise ModuleMalformed(f"the program is not valid here: {_last_line(error)}") from error
    try:
        module = Module(engine, wasm)
    except WasmtimeError as error:
        raise ExecutorCrashed(f"the program is valid and could not be compiled here: {_last_line(error)}") from error
    check_imports(module)
    entry = next((export.type for export in module.exports if export.name == _ENTRY), None)
    if not isinstance(entry, FuncType) or entry.params or entry.results:
        raise ModuleMalformed(
            f"the program exports no function {_ENTRY} without parameters: build it as a command, not as a library"
        )
    return module


def run_module(engine: Engine, module: Module, job: Job, inputs: Mapping[str, bytes]) -> Outcome:
    """Run a compiled program to its end.

    Raises:
        JobFault: it trapped, used up fuel or memory, wrote too much, or ended with another exit code than 0.
        ExecutorFailed: this machine cannot hold what it wants.
    """
    _check_memory(module, job.memory_bytes)
    if not can_have(job.memory_bytes):
        raise _no_memory(job.memory_bytes)
    store = Store(engine)
    store.set_limits(job.memory_bytes, MAX_TABLE_ELEMENTS, instances=1, tables=MAX_TABLES, memories=1)
    store.set_fuel(job.fuel)
    guest = Guest(store)
    tree = FileTree(inputs, job.output_bytes, job.output_files, job.host_output_bytes)
    descriptors = Descriptors(tree)
    time = job.clock_s * NANOSECONDS
    linker = Linker(engine)
    calls = (
        ProcessCalls(guest, job.arguments, job.clock_s, job.seed),
        DescriptorCalls(guest, tree, descriptors, time),
        PathCalls(guest, tree, descriptors, time),
    )
    link_wasi(linker, guest, calls)
    try:
        exit_code = _exit_code(store, linker, module, guest)
    except (JobTrapped, _Refused) as fault:
        raise _explained(fault, store, guest, job) from fault
    if exit_code != 0:
        said = bytes(tree.stream("stderr").data[-_STDERR_SHOWN:]).decode(errors="replace").strip()
        failed = JobFailed(f"the program ended with exit code {exit_code}" + (f" and said: {said}" if said else ""))
        raise _explained(failed, store, guest, job)
    return Outcome(job.fuel - store.get_fuel(), tree.outputs())


class _Refused(Exception):
    """The module could not be instantiated within the limits of its class."""


def _exit_code(store: Store, linker: Linker, module: Module, guest: Guest) -> int:
    try:
        instance = linker.instantiate(store, module)
        exports = instance.exports(store)
        memory = exports.get("memory")
        guest.memory = memory if isinstance(memory, Memory) else None
        entry = exports[_ENTRY]
        assert isinstance(entry, Func)
        entry(store)
    except ProcessExit as end:
        return end.code
    except Trap as trap:
        if trap.trap_code is TrapCode.OUT_OF_FUEL:
            raise FuelExhausted("the program used up its fuel: allow more, or look for a loop without end") from trap
        raise JobTrapped(f"the program trapped: {_last_line(trap)}") from trap
    except WasmtimeError as error:
        raise _Refused(_last_line(error)) from error
    return 0


def _check_memory(module: Module, limit: int) -> None:
    for export in module.exports:
        if isinstance(export.type, MemoryType) and export.type.limits.min * _PAGE > limit:
            raise MemoryExhausted(
                f"the program starts with {export.type.limits.min * _PAGE} bytes of memory, and its specification allows {limit}"
            )


def _explained(fault: Exception, store: Store, guest: Guest, job: Job) -> JobFault | ExecutorFailed:
    """A program whose memory could not grow mostly traps or gives up: say so, where it stood near its limit. Where this machine has not got what the
    job may still take, it was this machine that refused, or may have been."""
    if isinstance(fault, _Refused):
        if "limit" in str(fault):
            return MemoryExhausted(f"the program wants more memory or tables than it may have: {fault}")
        return ExecutorCrashed(f"the program could not be started here: {fault}")
    memory = guest.memory
    held = memory.data_len(store) if isinstance(memory, Memory) else 0
    if not can_have(job.memory_bytes - held):
        return _no_memory(job.memory_bytes - held)
    if held * 8 > job.memory_bytes * 7:
        return MemoryExhausted(f"the program used {held} of {job.memory_bytes} bytes of memory, then failed: {fault}")
    assert isinstance(fault, JobFault)
    return fault


def _no_memory(wanted: int) -> HostMemoryExhausted:
    return HostMemoryExhausted(f"this machine has not got {wanted} bytes of memory that the job may take")


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
