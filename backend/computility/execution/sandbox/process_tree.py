"""What a process and its descendants use now, from /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def tree_usage(pid: int) -> tuple[int, int]:
    """Processor milliseconds, those of children that were waited for included, and bytes of resident memory, of a process and all below it."""
    cpu_ms = memory = 0
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        try:
            fields = Path(f"/proc/{current}/stat").read_text().rpartition(")")[2].split()
            for children in Path(f"/proc/{current}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text().split()]
        except (OSError, ValueError):
            continue
        cpu_ms += sum(int(ticks) for ticks in fields[11:15]) * 1000 // _TICKS_PER_S
        memory += int(fields[21]) * _PAGE
    return cpu_ms, memory


def tree_names(pid: int, most: int = 64) -> tuple[str, ...]:
    """The names of a process and all below it, sorted; at most so many."""
    names: list[str] = []
    waiting = [pid]
    while waiting and len(names) < most:
        current = waiting.pop()
        try:
            names.append(Path(f"/proc/{current}/comm").read_text().strip())
            for children in Path(f"/proc/{current}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text().split()]
        except (OSError, ValueError):
            continue
    return tuple(sorted(name for name in names if name and name.isprintable()))
