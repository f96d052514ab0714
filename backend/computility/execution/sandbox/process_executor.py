"""``ProcessExecutor``: runs commands, each in a sandbox of its own."""

from __future__ import annotations

import json
import os
import platform
import resource
import secrets
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, Final

from computility.domain.environment_class import EnvironmentClass, config_hash_of
from computility.domain.errors import (
    ExecutorCrashed,
    ExecutorUnfit,
    HostMemoryExhausted,
    JobFailed,
    WallClockExceeded,
)
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import BlockingExecutor, Run
from computility.execution.executor import Capabilities, Execution, MeterSample, Prepared, execution_of
from computility.execution.sandbox.bubblewrap import Sandbox, SandboxLimits, find_bubblewrap, memory_files
from computility.execution.sandbox.control_groups import JobGroup, find_control_groups
from computility.execution.sandbox.output_archive import longest_archive, read_output_archive
from computility.execution.sandbox.process_tree import tree_usage
from computility.execution.sandbox.seccomp import seccomp_filter
from computility.execution.sandbox.self_test import prove_walls

HOST_VERSION: Final = 2
"""Raised with every change of what a job finds in its sandbox."""
_GIB: Final = 1024**3
_FIRST_USER: Final = 1_900_000_000
_USERS: Final = 2**24
_WATCH_S: Final = 0.2
_SAMPLE_S: Final = 1.0
_SAID: Final = 400
_MAX_EXIT_LINE: Final = 16
_BEGIN: Final = b"x\n"
"""A byte for bubblewrap, a line for the shell in it."""
_RUNTIME_FILES: Final = 64
"""Descriptors that a run needs besides its files."""


class ProcessExecutor(BlockingExecutor):
    """Runs ``process`` jobs. Sizes in bytes and seconds are the most that a job may ask for.

    ``tools`` are host folders that jobs see read-only, by where they see them; ``toolset`` names and versions what is in them, for the environment
    class: two providers that say the same have to offer the same. As root, each job runs as a user of its own that owns nothing.
    """

    def __init__(
        self,
        *,
        tools: Mapping[str, str] | None = None,
        toolset: Mapping[str, str] | None = None,
        max_memory_bytes: int = 4 * _GIB,
        max_input_bytes: int = _GIB,
        max_output_bytes: int = _GIB,
        max_wall_s: int = 24 * 3600,
        parallel: int = os.cpu_count() or 1,
        cgroup_parent: Path | None = None,
    ) -> None:
        super().__init__()
        self._sandbox = Sandbox(find_bubblewrap(), dict(tools or {}))
        self._toolset = dict(toolset or {})
        self._max_memory_bytes = max_memory_bytes
        self._max_input_bytes = max_input_bytes
        self._max_output_bytes = max_output_bytes
        self._max_wall_s = max_wall_s
        self._parallel = parallel
        self._groups = find_control_groups(cgroup_parent)
        self._filter = seccomp_filter()
        _allow_descriptors()

    @cached_property
    def environment(self) -> str:
        """The environment class: sandbox, processor, distribution and toolset."""
        return process_environment(self._toolset)

    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job here."""
        return Capabilities(
            kind="process",
            environment=self.environment,
            parallel=self._parallel,
            memory_bytes=self._max_memory_bytes,
            input_bytes=self._max_input_bytes,
            output_bytes=self._max_output_bytes,
            wall_s=self._max_wall_s,
            safeguards={
                "network": "none",
                "files": "in memory, of bounded size",
                "user": "of its own" if os.geteuid() == 0 else "the agent's, in a namespace",
                "seccomp": f"{len(self._filter) // 8} instructions",
                "cgroup": str(self._groups),
            },
        )

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run: another class, more time, memory, output or GPUs than this machine gives."""
        super().check(specification)
        limits = specification.limits
        assert isinstance(limits, CommandLimits)
        if limits.wall_s > self._max_wall_s:
            raise WallClockExceeded(f"the job may take {limits.wall_s} s, and this machine gives it {self._max_wall_s}")
        if limits.scratch_bytes + limits.output_bytes > self._max_output_bytes + self._max_memory_bytes:
            raise HostMemoryExhausted("the job may write more than this machine holds in memory: allow it less")
        if limits.gpus > 0:
            raise ExecutorUnfit("this machine gives no GPU to processes: choose an ask with GPUs")

    def self_test(self) -> None:
        """Try to break out.

        Raises:
            ExecutorUnfit: something is not refused; such an executor must not be offered.
        """
        prove_walls(self)

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        limits = prepared.specification.limits
        assert isinstance(limits, CommandLimits)
        archive = _Sandboxed(run, prepared, limits, self._sandbox, self._filter).archive(self._group(run, limits))
        code, _, archive_bytes = archive.partition(b"\n")
        outputs = read_output_archive(archive_bytes, limits.output_bytes, limits.output_files) if archive_bytes else {}
        if code != b"0":
            said = outputs.get("stderr", b"")[-_SAID:].decode(errors="replace").strip()
            raise JobFailed(
                f"the command ended with exit code {code.decode()}" + (f" and said: {said}" if said else "")
            )
        units = min(-(-max(run.samples[-1].cpu_ms, 1) // 1000), limits.cpu_s)
        return execution_of(prepared.specification.digest, self.environment, None, outputs, units=units)

    def _group(self, run: Run, limits: CommandLimits) -> JobGroup | None:
        if not self._groups.version:
            return None
        try:
            return self._groups.make(
                f"computility-{run.attempt}-{secrets.token_hex(4)}", _all_memory(limits), limits.processes + 8
            )
        except OSError as error:
            raise ExecutorCrashed(f"no control group could be made for the job: {error}") from error


class _Sandboxed:
    """One run: starts it, watches it, and reads what it hands out."""

    def __init__(self, run: Run, prepared: Prepared, limits: CommandLimits, sandbox: Sandbox, program: bytes) -> None:
        self._run = run
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
                    self._run.sample(MeterSample(self._run.elapsed_ms(), *usage))
                    next_sample = time.monotonic() + _SAMPLE_S
        spent = group.cpu_ms() if group is not None else None
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        drain.join(timeout=1)
        waited = round((used.ru_utime + used.ru_stime) * 1000)
        self._run.sample(MeterSample(self._run.elapsed_ms(), max(spent or 0, waited, usage[0]), 0))
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
        if memory > _all_memory(self._limits):
            raise self._too_much_memory()

    def _too_much_memory(self) -> HostMemoryExhausted:
        return HostMemoryExhausted(f"the job used more than the {_all_memory(self._limits)} bytes that it may")

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
        specification, attempt = self._prepared.specification, self._run.attempt
        return {
            "PATH": ":".join([*(f"{place}/bin" for place in self._sandbox.tools), "/usr/bin", "/bin"]),
            "HOME": "/tmp",  # noqa: S108 - of the sandbox
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",
            "COMPUTILITY_JOB": attempt.job,
            "COMPUTILITY_ATTEMPT": str(attempt.attempt),
            "COMPUTILITY_SEED": specification.seed,
            "COMPUTILITY_CLOCK": str(specification.clock_s),
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


def process_environment(toolset: Mapping[str, str] | None = None) -> str:
    """The environment class of process jobs on this machine, with a toolset."""
    release = platform.freedesktop_os_release()
    engine = f"{release.get('ID', 'linux')}-{release.get('VERSION_ID', 'rolling')}".lower()
    machine = platform.machine()
    settings = {
        "host_version": HOST_VERSION,
        "machine": machine,
        "distribution": engine,
        "libc": "-".join(platform.libc_ver()),
        "toolset": dict(toolset or {}),
    }
    runtime = f"process-linux-{machine}".lower().replace("_", "-")
    return str(EnvironmentClass(runtime, engine.replace("_", "-"), config_hash_of(settings)))


def _all_memory(limits: CommandLimits) -> int:
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


def _allow_descriptors() -> None:
    """Every artifact and input of a job is a descriptor for a moment."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
