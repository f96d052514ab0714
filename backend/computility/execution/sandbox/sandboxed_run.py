"""One job in its sandbox: starts it, watches it, and reads what it hands out."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import threading
import time
from typing import IO, Final

from computility.domain.errors import ExecutorCrashed, HostMemoryExhausted, WallClockExceeded
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import Run
from computility.execution.executor import MeterSample, Prepared
from computility.execution.gpu.card_meter import CardMeter
from computility.execution.gpu.card_pool import HeldCards
from computility.execution.job_environment import job_environment
from computility.execution.sandbox.bubblewrap import NOTHING, Sandbox, SandboxLimits, memory_files
from computility.execution.sandbox.control_groups import JobGroup
from computility.execution.sandbox.output_archive import longest_archive
from computility.execution.sandbox.process_tree import tree_names, tree_usage

_FIRST_USER: Final = 1_900_000_000
_USERS: Final = 2**24
_WATCH_S: Final = 0.2
_SAMPLE_S: Final = 1.0
_SAID: Final = 400
_MAX_EXIT_LINE: Final = 16
_BEGIN: Final = b"x\n"
"""A byte for bubblewrap, a line for the shell in it."""


class SandboxedRun:
    """One run, to its end. ``program`` is the seccomp filter."""

    def __init__(
        self,
        run: Run,
        prepared: Prepared,
        limits: CommandLimits,
        sandbox: Sandbox,
        program: bytes,
        cards: HeldCards | None,
    ) -> None:
        self._run = run
        self._cards = cards
        self._prepared = prepared
        self._limits = limits
        self._sandbox = sandbox
        self._filter = program
        self._most_bytes = longest_archive(limits.output_bytes, limits.output_files)
        self._said = bytearray()

    def archive(self, group: JobGroup | None) -> bytes:
        """The exit code of the command on a line, then the tar stream.

        Raises:
            ExecutorFailed: too long, too much memory, cancelled, or no sandbox came up.
        """
        try:
            with memory_files({**self._prepared.files, "": self._filter}) as files:
                return self._in_sandbox(files, group)
        finally:
            if group is not None:
                group.remove()

    def _in_sandbox(self, files: dict[str, int], group: JobGroup | None) -> bytes:
        program = files.pop("")
        block, unblock = os.pipe()
        told, info = _telling_pipe()
        command = self._sandbox.command(
            self._prepared.specification.arguments,
            self._environment(),
            files,
            self._sandbox_limits(),
            seccomp=program,
            block=block,
            info=info,
            devices=self._cards.files.nodes if self._cards else (),
            bound=self._cards.files.bound if self._cards else NOTHING,
        )
        user = _FIRST_USER + secrets.randbelow(_USERS) if os.geteuid() == 0 else None
        if user is not None and (setpriv := shutil.which("setpriv")):
            # Python itself can only change the user in a full fork, which takes the longer the more memory this process has.
            command = [setpriv, f"--reuid={user}", f"--regid={user}", "--clear-groups", "--", *command]
            user = None
        try:
            process = subprocess.Popen(
                command,
                stdin=block,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd=os.sep,
                pass_fds=(*files.values(), program, block, info),
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
        except OSError as error:
            os.close(unblock)
            os.close(told)
            raise ExecutorCrashed(f"the sandbox could not be started: {error}") from error
        finally:
            os.close(block)
            os.close(info)
        with process:
            try:
                with self._run.stopped_by(process.kill):
                    if group is not None:
                        group.add(_child_of(told))
                    os.write(unblock, _BEGIN)
                    return self._watched(process, group)
            finally:
                os.close(unblock)
                os.close(told)
                process.kill()

    def _watched(self, process: subprocess.Popen[bytes], group: JobGroup | None) -> bytes:
        assert process.stdout is not None
        assert process.stderr is not None
        archive = bytearray()
        end = self._run.started + self._limits.wall_s
        next_sample = 0.0
        usage = (0, 0)
        # A card that a job holds runs nothing else, so its energy is the job's.
        meter = self._cards.meter(lambda _: True) if self._cards else None
        drain = threading.Thread(target=self._listen, args=(process.stderr,), daemon=True)
        drain.start()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if selector.select(min(_WATCH_S, max(0.0, end - time.monotonic()))):
                    data = os.read(process.stdout.fileno(), 1 << 20)
                    if not data:
                        break
                    archive += data
                    if len(archive) > self._most_bytes + _MAX_EXIT_LINE:
                        raise ExecutorCrashed("the sandbox hands out more than the job could write")
                    continue
                usage = self._usage(process.pid, group)
                self._check_limits(usage, end)
                if group is not None and group.ran_out_of_memory():
                    raise self._too_much_memory()
                if time.monotonic() >= next_sample:
                    self._run.sample(
                        MeterSample(
                            self._run.elapsed_ms(),
                            *usage,
                            energy_mj=_energy_mj(meter),
                            processes=tree_names(process.pid),
                        )
                    )
                    next_sample = time.monotonic() + _SAMPLE_S
        spent = group.cpu_ms() if group is not None else None
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        drain.join(timeout=1)
        waited = round((used.ru_utime + used.ru_stime) * 1000)
        self._run.sample(
            MeterSample(self._run.elapsed_ms(), max(spent or 0, waited, usage[0]), 0, energy_mj=_energy_mj(meter))
        )
        if not archive:
            raise self._crash(process.returncode, group)
        if group is not None and group.ran_out_of_memory():
            raise self._too_much_memory()
        return bytes(archive)

    def _usage(self, pid: int, group: JobGroup | None) -> tuple[int, int]:
        cpu_ms, memory = tree_usage(pid)
        if group is not None:
            cpu_ms = max(cpu_ms, group.cpu_ms() or 0)
            memory = group.memory_bytes() or memory
        return cpu_ms, memory

    def _check_limits(self, usage: tuple[int, int], end: float) -> None:
        cpu_ms, memory = usage
        if time.monotonic() >= end:
            raise WallClockExceeded(f"the job took longer than the {self._limits.wall_s} s that it may")
        if cpu_ms > self._limits.cpu_s * 1000:
            raise WallClockExceeded(f"the job took more processor time than the {self._limits.cpu_s} s that it may")
        if memory > all_memory(self._limits):
            raise self._too_much_memory()

    def _too_much_memory(self) -> HostMemoryExhausted:
        return HostMemoryExhausted(f"the job used more than the {all_memory(self._limits)} bytes that it may")

    def _listen(self, stream: IO[bytes]) -> None:
        """What bubblewrap and the shell complain about: kept short, so that nobody fills this machine's memory with it."""
        while chunk := stream.read1(4096):  # type: ignore[attr-defined]  # a pipe is a BufferedReader
            self._said += chunk
            del self._said[:-_SAID]

    def _crash(self, status: int, group: JobGroup | None) -> Exception:
        if group is not None and group.ran_out_of_memory():
            return self._too_much_memory()
        said = self._said.decode(errors="replace").strip()
        end = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        return ExecutorCrashed(f"the sandbox ended with {end}" + (f" and said: {said}" if said else ""))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": ":".join([*(f"{place}/bin" for place in self._sandbox.tools), "/usr/bin", "/bin"]),
            **job_environment(self._run.attempt, self._prepared.specification),
            **(self._cards.files.environment(self._cards.uuids) if self._cards else {}),
        }

    def _sandbox_limits(self) -> SandboxLimits:
        limits = self._limits
        return SandboxLimits(
            data_bytes=limits.memory_bytes,
            file_bytes=max(limits.output_bytes, limits.scratch_bytes),
            cpu_s=limits.cpu_s + 1,
            processes=limits.processes,
            scratch_bytes=limits.scratch_bytes,
            output_bytes=limits.output_bytes,
            output_files=limits.output_files,
        )


def _energy_mj(meter: CardMeter | None) -> int:
    return (meter.use().energy_mj if meter else None) or 0


def all_memory(limits: CommandLimits) -> int:
    """Files of a sandbox are in memory, so they count beside what processes hold."""
    return limits.memory_bytes + 2 * limits.scratch_bytes + limits.output_bytes + 32 * 1024**2


def _telling_pipe() -> tuple[int, int]:
    """A pipe whose writer reads as well: it does not fall over where nobody listens any more, half of a sandbox built and the other half waiting."""
    told, info = os.pipe()
    both = os.open(f"/proc/self/fd/{info}", os.O_RDWR | os.O_CLOEXEC)
    os.close(info)
    return told, both


def _child_of(told: int) -> int:
    """The process id of the sandbox, as bubblewrap tells it."""
    text = b""
    while chunk := os.read(told, 4096):
        text += chunk
        if b"}" in chunk:
            return int(json.loads(text)["child-pid"])
    raise ExecutorCrashed("bubblewrap ended before it had a sandbox")
