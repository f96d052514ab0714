"""What of ``/proc`` tells a job about its provider's machine and helps no program: it is hidden, as container runtimes do.

What programs need stays: ``cpuinfo``, ``meminfo``, ``stat``, ``uptime``, ``loadavg``, ``version``, ``mounts``. ``/sys`` is not in a sandbox at all.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

MASKED_FILES: Final = (
    # How this machine was started, and which start of which machine it is.
    "cmdline",
    "sys/kernel/random/boot_id",
    # Its devices and what they do, from which also others' work can be told.
    "interrupts",
    "softirqs",
    "diskstats",
    "partitions",
    "modules",
    # The kernel's own. What only root may read, like ``kcore`` and ``timer_list``, is refused to a job anyway: outside its namespace it is not root.
    "keys",
    "sched_debug",
    "latency_stats",
)
MASKED_FOLDERS: Final = ("acpi", "bus", "fs", "irq", "scsi")
_OF_CARDS: Final = ("driver",)
"""The driver of GPUs says here what it needs to know itself."""


@cache
def masks(cards: bool) -> tuple[str, ...]:
    """bubblewrap's options, to stand behind ``--proc``. With ``cards`` a job sees what their driver tells.

    A file becomes the null device, which reads as empty, a folder an empty one. Only what this kernel has can be hidden; each costs a tenth of a
    millisecond when a sandbox is built.
    """
    options: list[str] = []
    for name in MASKED_FILES:
        if (place := Path("/proc", name)).exists():
            # With its device: one that may not be opened would be an error where container runtimes have an empty file.
            options += ["--dev-bind", "/dev/null", str(place)]
    for name in MASKED_FOLDERS if cards else (*MASKED_FOLDERS, *_OF_CARDS):
        if (place := Path("/proc", name)).is_dir():
            options += ["--tmpfs", str(place), "--remount-ro", str(place)]
    return tuple(options)
