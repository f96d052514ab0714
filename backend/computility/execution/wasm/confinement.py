"""What the process of a job may take of this machine, set by the process itself before it reads the program."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import sys

from computility.domain.errors import HostMemoryExhausted

COMPILE_BYTES = 1024 * 1024 * 1024
"""Memory for Python, wasmtime and compiling one program."""
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def confine(parent: int, cpu_s: int) -> None:
    """No core dumps, no files written, ``cpu_s`` seconds of processor, and the end when the parent ends."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CPU, cpu_s)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # It ended before the kernel was told.
            os.kill(os.getpid(), signal.SIGKILL)


def confine_memory(job_bytes: int) -> None:
    """Memory that may be written: what compiling takes now; ``release_memory`` adds what the job may use.

    Raises:
        HostMemoryExhausted: this process was allowed less to begin with.
    """
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = COMPILE_BYTES + job_bytes
    if resource.RLIM_INFINITY != highest < wanted:
        raise HostMemoryExhausted(
            f"the job may take {wanted} bytes, and this machine allows a process {highest}: raise its limit (`ulimit -d`)"
        )
    _limit(resource.RLIMIT_DATA, COMPILE_BYTES, COMPILE_BYTES + job_bytes)


def release_memory() -> None:
    """Allow the job's memory on top. A refusal of the host must never look like one of the job's own limit."""
    _, highest = resource.getrlimit(resource.RLIMIT_DATA)
    _limit(resource.RLIMIT_DATA, highest, highest)


def can_have(wanted: int) -> bool:
    """Whether this machine still gives so many bytes of memory. None of it is touched."""
    if wanted <= 0:
        return True
    try:
        mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    _, highest = resource.getrlimit(kind)
    wanted = soft if hard is None else hard
    ceiling = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
    resource.setrlimit(kind, (min(soft, ceiling), ceiling))
