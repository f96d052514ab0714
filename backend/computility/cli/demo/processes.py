"""The demo's child processes: started in groups of their own, ended with the demo whatever ends it.

Each runs the same command that somebody would run on a machine of its own. They are forked from one server that has imported what they need, so that
eight of them start in the time of one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Final

from computility.domain.errors import ComputilityError

COMMAND_LINE: Final = "computility"
"""The module behind the command of that name."""
_GRACE_S: Final = 5.0
_FORKED = multiprocessing.get_context("forkserver")
_IMPORTED_ONCE: Final = [
    "computility.api.app",
    "computility.cli.node",
    "computility.chain.keystore",
    "computility.cli.session",
    "computility.services.node",
    "computility.services.provider_agent",
    "computility.services.verifier_node",
    "computility.execution.wasm.executor",
]


class DemoProcessEnded(ComputilityError):
    """A process of the demo ended by itself."""

    code = "demo-process-ended"


@dataclass
class Child:
    """One running process, what it was started with, and where it writes its log."""

    name: str
    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: ForkServerProcess

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def warm_up() -> None:
    """Have the server import, beside whatever the caller does next."""
    _FORKED.set_forkserver_preload(_IMPORTED_ONCE)
    ensure_running()


@dataclass
class Processes:
    """Starts children and ends them all. Logs go to ``folder/<name>.log``."""

    folder: Path
    children: dict[str, Child] = field(default_factory=dict)

    def start(
        self, name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start ``python -m module arguments``; a child of the same name must have ended before."""
        log = self.folder / f"{name}.log"
        variables = {**os.environ, **(environment or {})}
        process = _FORKED.Process(target=_become, args=(module, list(arguments), variables, str(log)), name=name)
        process.start()
        child = Child(name, module, arguments, variables, log, process)
        self.children[name] = child
        return child

    def restart(self, name: str) -> Child:
        """Start an ended child again with the same command."""
        child = self.children[name]
        child.process.join()
        return self.start(name, child.module, child.arguments, child.environment)

    def kill(self, name: str) -> None:
        """End a child at once, as a power cut would."""
        child = self.children[name]
        _signal_group(child.process, signal.SIGKILL)
        child.process.join()

    def check(self) -> None:
        """Raise ``DemoProcessEnded`` with the log's tail when any child has ended."""
        for child in self.children.values():
            if not child.process.is_alive():
                raise DemoProcessEnded(f"{child.name} ended with status {child.process.exitcode}:\n{child.log_tail()}")

    def stop(self) -> None:
        """End all children, the last started first: politely, then not."""
        running = [child.process for child in reversed(self.children.values()) if child.process.is_alive()]
        for process in running:
            _signal_group(process, signal.SIGTERM)
        give_up = time.monotonic() + _GRACE_S
        for process in running:
            process.join(max(0.0, give_up - time.monotonic()))
            if process.is_alive():
                _signal_group(process, signal.SIGKILL)
                process.join()
        self.children.clear()


def _become(module: str, arguments: list[str], environment: dict[str, str], log: str) -> None:
    """In the child: a group, a log and an environment of its own, then the command."""
    os.setsid()
    _end_with_the_demo()
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_the_demo() -> None:
    """Have SIGTERM when the demo has ended, even by SIGKILL. The kernel takes the server that forked this process for its parent; that lives on."""
    demo = multiprocessing.parent_process()
    assert demo is not None

    def watch() -> None:
        wait([demo.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watches-the-demo", daemon=True).start()


def _signal_group(process: ForkServerProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        # It was so young that it had no group yet, or it is gone.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
