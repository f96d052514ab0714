"""What a container uses now, from the control group of its first process: version 1 or 2, whoever made it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")


class ContainerUsage:
    """Reads the control groups of a process. What cannot be read is 0 at first, and later what it was."""

    def __init__(self, pid: int) -> None:
        self._groups: dict[str, str] = {}
        self._cpu_ms = 0
        with contextlib.suppress(OSError, ValueError):
            for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                for controller in controllers.split(","):
                    self._groups[controller] = path.lstrip("/")

    @property
    def readable(self) -> bool:
        """Whether processor time can be metered here."""
        return self._read_cpu_ms() is not None

    def now(self) -> tuple[int, int]:
        """Processor milliseconds so far, and bytes of memory."""
        self._cpu_ms = max(self._cpu_ms, self._read_cpu_ms() or 0)
        return self._cpu_ms, self._read_memory() or 0

    def _read_cpu_ms(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            if "cpuacct" in self._groups:
                return int(self._file("cpuacct", "cpuacct.usage").read_text()) // 1_000_000
            lines = self._file("", "cpu.stat").read_text().splitlines()
            return int(next(line.split()[1] for line in lines if line.startswith("usage_usec"))) // 1000
        return None

    def _read_memory(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            if "memory" in self._groups:
                return int(self._file("memory", "memory.usage_in_bytes").read_text())
            return int(self._file("", "memory.current").read_text())
        return None

    def _file(self, controller: str, name: str) -> Path:
        return _ROOT / controller / self._groups.get(controller, "") / name
