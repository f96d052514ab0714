"""The wasmtime engine of this environment class."""

from __future__ import annotations

from wasmtime import Config, Engine

from computility.execution.wasm.engine_settings import PROPOSALS, STACK_BYTES, processor_flags, target_triple


def make_engine() -> Engine:
    """An engine with the settings that the class name stands for.

    Raises:
        WasmtimeError: wasmtime does not run on this machine.
    """
    config = Config()
    config.consume_fuel = True
    config.cranelift_nan_canonicalization = True
    config.cranelift_opt_level = "speed"
    config.max_wasm_stack = STACK_BYTES
    for proposal, enabled in PROPOSALS.items():
        setattr(config, proposal, enabled)
    triple = target_triple()
    if triple is not None:
        config.target = triple
        for flag in processor_flags():
            config.cranelift_flag_enable(flag)
    # These change no result: one thread bounds what compiling takes, and no memory images means no temporary files.
    config.parallel_compilation = False
    config.memory_init_cow = False
    return Engine(config)
