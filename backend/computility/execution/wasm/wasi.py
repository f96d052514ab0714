"""WASI preview 1 as this host offers it (decision 0006): every call of the snapshot can be imported; some answer that they are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from wasmtime import Caller, FuncType, ImportType, Linker, Memory, Module, ValType

from computility.domain.errors import ImportNotOffered
from computility.execution.wasm.engine_settings import CALL_FUEL
from computility.execution.wasm.errno import Errno, WasiError
from computility.execution.wasm.guest import Guest

MODULE_NAME: Final = "wasi_snapshot_preview1"
_MASKS: Final = {"i": 2**32 - 1, "l": 2**64 - 1}

SIGNATURES: Final[dict[str, str]] = {
    "args_get": "ii",
    "args_sizes_get": "ii",
    "clock_res_get": "ii",
    "clock_time_get": "ili",
    "environ_get": "ii",
    "environ_sizes_get": "ii",
    "fd_advise": "illi",
    "fd_allocate": "ill",
    "fd_close": "i",
    "fd_datasync": "i",
    "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii",
    "fd_fdstat_set_rights": "ill",
    "fd_filestat_get": "ii",
    "fd_filestat_set_size": "il",
    "fd_filestat_set_times": "illi",
    "fd_pread": "iiili",
    "fd_prestat_dir_name": "iii",
    "fd_prestat_get": "ii",
    "fd_pwrite": "iiili",
    "fd_read": "iiii",
    "fd_readdir": "iiili",
    "fd_renumber": "ii",
    "fd_seek": "ilii",
    "fd_sync": "i",
    "fd_tell": "ii",
    "fd_write": "iiii",
    "path_create_directory": "iii",
    "path_filestat_get": "iiiii",
    "path_filestat_set_times": "iiiilli",
    "path_link": "iiiiiii",
    "path_open": "iiiiillii",
    "path_readlink": "iiiiii",
    "path_remove_directory": "iii",
    "path_rename": "iiiiii",
    "path_symlink": "iiiii",
    "path_unlink_file": "iii",
    "poll_oneoff": "iiii",
    "proc_exit": "i",
    "proc_raise": "i",
    "random_get": "ii",
    "sched_yield": "",
    "sock_accept": "iii",
    "sock_recv": "iiiiii",
    "sock_send": "iiiii",
    "sock_shutdown": "ii",
}
"""Parameters of every call: ``i`` is an unsigned 32-bit number, ``l`` a 64-bit one. Each but ``proc_exit`` answers an error number."""


def check_imports(module: Module) -> None:
    """Whether the host offers all that a module imports.

    Raises:
        ImportNotOffered: it does not.
    """
    for wanted in module.imports:
        name = wanted.name or ""
        if wanted.module != MODULE_NAME or name not in SIGNATURES:
            raise ImportNotOffered(
                f"the program imports {wanted.module[:80]}.{name[:80]}, which the sandbox does not offer: "
                "build it for wasm32-wasi (preview 1), without threads"
            )
        if not _fits(wanted, name):
            raise ImportNotOffered(
                f"the program imports {MODULE_NAME}.{name} with another type than preview 1 gives it"
            )


def link_wasi(linker: Linker, guest: Guest, calls: tuple[object, ...]) -> None:
    """Define every call. ``calls`` are objects whose methods are named after the calls; a call that none has answers NOSYS."""
    for name, parameters in SIGNATURES.items():
        method = next((getattr(group, name) for group in calls if hasattr(group, name)), None)
        linker.define_func(MODULE_NAME, name, _type(name), _host_call(guest, parameters, method), access_caller=True)


def _host_call(guest: Guest, parameters: str, method: Callable[..., None] | None) -> Callable[..., int | None]:
    masks = [_MASKS[kind] for kind in parameters]

    def call(caller: Caller, *arguments: int) -> int | None:
        if guest.memory is None:
            memory = caller.get("memory")
            guest.memory = memory if isinstance(memory, Memory) else None
        guest.charge(CALL_FUEL)
        if method is None:
            return Errno.NOSYS.value
        try:
            method(*(argument & mask for argument, mask in zip(arguments, masks, strict=True)))
        except WasiError as error:
            return error.errno.value
        # Not reached by proc_exit, which alone has no result.
        return Errno.SUCCESS.value

    return call


def _types(name: str) -> tuple[list[ValType], list[ValType]]:
    parameters = [ValType.i32() if kind == "i" else ValType.i64() for kind in SIGNATURES[name]]
    return parameters, [] if name == "proc_exit" else [ValType.i32()]


def _type(name: str) -> FuncType:
    return FuncType(*_types(name))


def _fits(wanted: ImportType, name: str) -> bool:
    kind: Any = wanted.type
    parameters, results = _types(name)
    return (
        isinstance(kind, FuncType)
        and [*map(str, kind.params)] == [*map(str, parameters)]
        and [*map(str, kind.results)] == [*map(str, results)]
    )
