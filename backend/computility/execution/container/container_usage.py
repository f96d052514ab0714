"""What a container uses now, from the control groups that its engine made for it: version 1 or 2.

The first process enters them only some time after it is there; before that it is in a group of the engine, whose use is not the job's.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")


class ContainerUsage:
    """Reads those control groups of a process that bear the container's id. What cannot be read is 0 at first, and later what it was."""

    def __init__(self, pid: int, container: str) -> None:
        self._groups: dict[str, str] = {}
        self._cpu_ms = 0
        with contextlib.suppress(OSError, ValueError):
            for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                if container not in path:
                    continue
                for controller in controllers.split(","):
                    self._groups[controller] = path.lstrip("/")

    @property
    def readable(self) -> bool:
        """Whether processor time can be metered here."""
        return self._read_cpu_ms() is not None

    @property
    def metered(self) -> bool:
        """Whether processor time was ever read."""
        return self._cpu_ms > 0

    def now(self) -> tuple[int, int]:
        """Processor milliseconds so far, and bytes of memory."""
        self._cpu_ms = max(self._cpu_ms, self._read_cpu_ms() or 0)
        return self._cpu_ms, self._read_memory() or 0

    def _read_cpu_ms(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            if "cpuacct" in self._groups:
                return int(self._file("cpuacct", "cpuacct.usage").read_text()) // 1_000_000
            if "" not in self._groups:
                return None
            lines = self._file("", "cpu.stat").read_text().splitlines()
            return int(next(line.split()[1] for line in lines if line.startswith("usage_usec"))) // 1000
        return None

    def _read_memory(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            if "memory" in self._groups:
                return int(self._file("memory", "memory.usage_in_bytes").read_text())
            if "" in self._groups:
                return int(self._file("", "memory.current").read_text())
        return None

    def _file(self, controller: str, name: str) -> Path:
        return _ROOT / controller / self._groups.get(controller, "") / name
