"""Control groups of one job, version 1 or 2, where this process may make any: memory and processes of the whole job together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

_ROOT: Final = Path("/sys/fs/cgroup")
_WANTED: Final = ("memory", "pids")
_REMOVING_S: Final = 2.0


@dataclass(frozen=True)
class ControlGroups:
    """What this machine offers: ``version`` 1 or 2 and a parent folder by controller; version 0 is nothing."""

    version: int
    parents: Mapping[str, Path]

    def __str__(self) -> str:
        if not self.version:
            return "none"
        return f"v{self.version} ({', '.join(sorted(self.parents))})"

    @property
    def memory(self) -> bool:
        """Whether memory of a whole job can be bounded."""
        return "memory" in self.parents

    @property
    def pids(self) -> bool:
        """Whether processes of a whole job can be bounded."""
        return "pids" in self.parents

    def make(self, name: str) -> JobGroup:
        """Groups for one job, without limits so far."""
        group = JobGroup(self.version, {controller: parent / name for controller, parent in self.parents.items()})
        try:
            for folder in dict.fromkeys(group.folders.values()):
                folder.mkdir()
        except OSError:
            group.remove()
            raise
        return group


@dataclass(frozen=True)
class JobGroup:
    """The groups of one job."""

    version: int
    folders: Mapping[str, Path]

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Bound the memory and the processes of the whole job."""
        if self.version == 1:
            _write(self.folders.get("memory"), "memory.limit_in_bytes", memory_bytes)
            with contextlib.suppress(OSError):
                _write(self.folders.get("memory"), "memory.memsw.limit_in_bytes", memory_bytes)
        else:
            _write(self.folders.get("memory"), "memory.max", memory_bytes)
            with contextlib.suppress(OSError):
                _write(self.folders.get("memory"), "memory.swap.max", 0)
        _write(self.folders.get("pids"), "pids.max", processes)

    def add(self, pid: int) -> None:
        """Put a process, and what it starts from now on, under the limits. Each controller costs a few milliseconds of waiting for the kernel."""
        for folder in dict.fromkeys(self.folders.values()):
            _write(folder, "cgroup.procs", pid)

    def memory_bytes(self) -> int | None:
        """Memory of the job now."""
        name = "memory.usage_in_bytes" if self.version == 1 else "memory.current"
        return _number(self.folders.get("memory"), name)

    def cpu_ms(self) -> int | None:
        """Processor milliseconds so far; None in version 1, where a controller more costs each start milliseconds."""
        if self.version == 1:
            return None
        for folder in self.folders.values():
            with contextlib.suppress(OSError):
                lines = (folder / "cpu.stat").read_text().splitlines()
                return int(next(line.split()[1] for line in lines if line.startswith("usage_usec"))) // 1000
        return None

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process for its memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        folder = self.folders.get("memory")
        if folder is None:
            return False
        with contextlib.suppress(OSError):
            lines = (folder / name).read_text().splitlines()
            return any(line.split()[0] == "oom_kill" and int(line.split()[1]) > 0 for line in lines)
        return False

    def remove(self) -> None:
        """Take the groups away; waits shortly for the kernel to let the last process go."""
        give_up = time.monotonic() + _REMOVING_S
        for folder in dict.fromkeys(self.folders.values()):
            while folder.is_dir():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > give_up:
                        break
                    time.sleep(0.005)


def find_control_groups(parent: Path | None = None) -> ControlGroups:
    """What this process may use, found by trying. ``parent`` is a delegated folder of version 2, as systemd makes with ``Delegate=yes``."""
    own = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                own[controller] = path.lstrip("/")
    first = {}
    for controller in _WANTED:
        if controller in own and parent is None:
            folder = _ROOT / controller / own[controller]
            if _usable(folder, "cgroup.procs"):
                first[controller] = folder
    if "memory" in first or "pids" in first:
        return ControlGroups(1, first)
    second = parent or _ROOT / own.get("", "")
    with contextlib.suppress(OSError):
        handed_down = (second / "cgroup.subtree_control").read_text().split()
        found: dict[str, Path] = {name: second for name in _WANTED if name in handed_down}
        if found and _usable(second, "cgroup.procs"):
            return ControlGroups(2, found)
    return ControlGroups(0, {})


def _usable(folder: Path, file: str) -> bool:
    probe = folder / f"computility-probe-{uuid4().hex[:8]}"
    try:
        probe.mkdir()
    except OSError:
        return False
    try:
        return (probe / file).exists()
    finally:
        probe.rmdir()


def _write(folder: Path | None, name: str, value: int) -> None:
    if folder is not None:
        (folder / name).write_text(str(value))


def _number(folder: Path | None, name: str) -> int | None:
    if folder is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        return int((folder / name).read_text())
    return None
