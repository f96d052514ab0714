"""The demo's child processes: started in groups of their own, ended with the demo whatever ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from computility.domain.errors import ComputilityError

_GRACE_S: Final = 5.0


class DemoProcessEnded(ComputilityError):
    """A process of the demo ended by itself."""

    code = "demo-process-ended"


@dataclass
class Child:
    """One running process and where it writes its log."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass
class Processes:
    """Starts children and ends them all. Logs go to ``folder/<name>.log``."""

    folder: Path
    children: dict[str, Child] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Start ``command``; a child of the same name must have ended before."""
        log = self.folder / f"{name}.log"
        variables = {**os.environ, **(environment or {})}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "computility.chain.tether", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )
        child = Child(name, command, variables, log, process)
        self.children[name] = child
        return child

    def restart(self, name: str) -> Child:
        """Start an ended child again with the same command."""
        child = self.children[name]
        child.process.wait()
        return self.start(name, child.command, child.environment)

    def kill(self, name: str) -> None:
        """End a child at once, as a power cut would."""
        child = self.children[name]
        _signal_group(child.process, signal.SIGKILL)
        child.process.wait()

    def check(self) -> None:
        """Raise ``DemoProcessEnded`` with the log's tail when any child has ended."""
        for child in self.children.values():
            status = child.process.poll()
            if status is not None:
                raise DemoProcessEnded(f"{child.name} ended with status {status}:\n{child.log_tail()}")

    def stop(self) -> None:
        """End all children, the last started first: politely, then not."""
        running = [child.process for child in reversed(self.children.values()) if child.process.poll() is None]
        for process in running:
            _signal_group(process, signal.SIGTERM)
        give_up = time.monotonic() + _GRACE_S
        for process in running:
            try:
                process.wait(timeout=max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()
        self.children.clear()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
