"""What makes an environment class: everything that may change a bit of output or a unit of fuel. The class name holds its hash."""

from __future__ import annotations

import platform
from typing import Any, Final

RUNTIME: Final = "wasi-p1"
HOST_VERSION: Final = 1
"""Raise it with every change of what a host call answers or costs."""

MAX_MODULE_BYTES: Final = 16 * 1024 * 1024
STACK_BYTES: Final = 512 * 1024
MAX_TABLES: Final = 16
MAX_TABLE_ELEMENTS: Final = 1_000_000
MAX_FOLDERS: Final = 4_096
MAX_OPEN_FILES: Final = 256
CALL_FUEL: Final = 10_000
"""A host call takes about as long as this many instructions."""
BYTE_FUEL: Final = 1
"""A byte that a host call moves."""
RANDOM_BYTE_FUEL: Final = 16
NODE_FUEL: Final = 100
"""A file or folder that a host call looks at."""

PROPOSALS: Final[dict[str, bool]] = {
    "wasm_bulk_memory": True,
    "wasm_custom_page_sizes": False,
    "wasm_exceptions": False,
    "wasm_function_references": False,
    "wasm_gc": False,
    "wasm_memory64": False,
    "wasm_multi_memory": False,
    "wasm_multi_value": True,
    "wasm_reference_types": True,
    "wasm_relaxed_simd": False,
    "wasm_simd": True,
    "wasm_stack_switching": False,
    "wasm_tail_call": True,
    "wasm_threads": False,
    "wasm_wide_arithmetic": False,
}
"""WebAssembly features by their names in wasmtime's configuration."""

_PROCESSORS: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_PROCESSOR_FLAGS: Final[dict[str, tuple[str, ...]]] = {
    # x86-64-v2: code, and with it the depth of the stack, must not follow from what more a processor has.
    "x86_64": ("has_cmpxchg16b", "has_popcnt", "has_sse3", "has_sse41", "has_sse42", "has_ssse3"),
    "aarch64": (),
}
_SYSTEMS: Final = {"Linux": "unknown-linux-gnu", "Darwin": "apple-darwin"}


def processor() -> str:
    """The processor's architecture: stack frames differ between them, so each is a class of its own."""
    machine = platform.machine().lower()
    return _PROCESSORS.get(machine, machine)


def processor_flags() -> tuple[str, ...]:
    """Cranelift's names of the processor features that code may use; all of them are needed."""
    return _PROCESSOR_FLAGS.get(processor(), ())


def target_triple() -> str | None:
    """What code is compiled for; None leaves it to wasmtime, on systems that nobody has tried."""
    system = _SYSTEMS.get(platform.system())
    return f"{processor()}-{system}" if system and processor() in _PROCESSOR_FLAGS else None


def class_settings() -> dict[str, Any]:
    """All settings of the class, as canonical JSON takes them."""
    return {
        **PROPOSALS,
        "canonical_nans": True,
        "host_version": HOST_VERSION,
        "max_folders": MAX_FOLDERS,
        "max_module_bytes": MAX_MODULE_BYTES,
        "max_open_files": MAX_OPEN_FILES,
        "max_table_elements": MAX_TABLE_ELEMENTS,
        "max_tables": MAX_TABLES,
        "optimise": "speed",
        "processor": processor(),
        "processor_flags": list(processor_flags()),
        "stack_bytes": STACK_BYTES,
        "fuel": {"call": CALL_FUEL, "byte": BYTE_FUEL, "random_byte": RANDOM_BYTE_FUEL, "node": NODE_FUEL},
    }
