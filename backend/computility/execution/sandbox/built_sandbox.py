"""One sandbox, built and waiting for its job: a process of bubblewrap, already in its control groups, that takes one line and runs it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import IO, Final

from computility.domain.errors import ExecutorCrashed
from computility.execution.sandbox.bubblewrap import Sandbox, Shape, memory_files, out_of_the_shells_way
from computility.execution.sandbox.control_groups import ControlGroups, JobGroup
from computility.execution.sandbox.job_folder import JobFolder

_FIRST_USER: Final = 1_900_000_000
_USERS: Final = 2**24
_BUILD: Final = b"x"
"""For bubblewrap: build. The job is a line of its own, later."""
_SAID: Final = 400


class SandboxGone(ExecutorCrashed):
    """The sandbox ended before its job began."""


class BuiltSandbox:
    """Used for one job, or for none. Whoever has it has to ``close`` it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        inner: int,
        lifeline: int,
        group: JobGroup | None,
        folder: JobFolder | None,
    ) -> None:
        self.process = process
        self.group = group
        self.built_at = time.monotonic()
        self._inner = inner
        self._lifeline: int | None = lifeline
        self._folder = folder

    @property
    def result(self) -> IO[bytes]:
        """Where the result comes."""
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def complaints(self) -> IO[bytes]:
        """Where bubblewrap and the supervisor complain."""
        assert self.process.stderr is not None
        return self.process.stderr

    @property
    def alive(self) -> bool:
        """Whether it still waits."""
        return self.process.poll() is None

    def begin(self, line: bytes, files: Mapping[str, bytes], memory_bytes: int, processes: int) -> None:
        """Let the job run. ``files`` are those that it was not built with.

        Raises:
            HostMemoryExhausted: no room for the files.
            SandboxGone: it is there no more, so nothing of the job has run.
            ExecutorCrashed: the limits cannot be set, or somebody else writes to a file.
        """
        if files:
            assert self._folder is not None
            self._folder.fill(files)
        assert self._lifeline is not None
        try:
            if self.group is not None:
                self.group.limit(memory_bytes, processes)
            view = memoryview(line)
            while view:
                view = view[os.write(self._lifeline, view) :]
        except BrokenPipeError as error:
            raise SandboxGone("the sandbox ended before its job began") from error
        except OSError as error:
            raise ExecutorCrashed(f"the job could not be handed to its sandbox: {error}") from error

    def close(self) -> None:
        """End it and all that is in it, and take away what it held. Waits until it is gone."""
        if self._lifeline is None:
            return
        os.close(self._lifeline)
        self._lifeline = None
        with self.process:
            _end(self._inner)
            self.process.kill()
        if self.group is not None:
            self.group.remove()
        if self._folder is not None:
            self._folder.remove()


def build_sandbox(
    sandbox: Sandbox, program: bytes, groups: ControlGroups, shape: Shape, files: Mapping[str, bytes] | None = None
) -> BuiltSandbox:
    """Build one. ``program`` is the seccomp filter; ``files`` go in now, as memory of the sandbox's own; None: they may come when the job begins.

    Raises:
        ExecutorCrashed: none came up, or no control group could be made.
    """
    user = _FIRST_USER + secrets.randbelow(_USERS) if os.geteuid() == 0 else None
    with contextlib.ExitStack() as undo:
        group = None
        folder = None
        try:
            if groups.version:
                group = groups.make(f"computility-{secrets.token_hex(8)}")
                undo.callback(group.remove)
            if files is None:
                folder = JobFolder(user)
                undo.callback(folder.remove)
        except OSError as error:
            raise ExecutorCrashed(f"nothing could be made to hold the job: {error}") from error
        process, inner, lifeline = _started(sandbox, shape, program, user, group, folder, files or {})
        undo.pop_all()
        return BuiltSandbox(process, inner, lifeline, group, folder)


def _started(
    sandbox: Sandbox,
    shape: Shape,
    program: bytes,
    user: int | None,
    group: JobGroup | None,
    folder: JobFolder | None,
    files: Mapping[str, bytes],
) -> tuple[subprocess.Popen[bytes], int, int]:
    block, lifeline = os.pipe()
    block = out_of_the_shells_way(block)
    told, info = _telling_pipe()
    try:
        with memory_files({**files, "": program}) as descriptors:
            seccomp = descriptors.pop("")
            become: tuple[str, ...] = ()
            if user is not None and (setpriv := shutil.which("setpriv")):
                # Python itself can only change the user in a full fork, which takes the longer the more memory this process has.
                become = (setpriv, f"--reuid={user}", f"--regid={user}", "--clear-groups", "--")
                user = None
            process = subprocess.Popen(
                sandbox.command(
                    shape,
                    descriptors if folder is None else str(folder.path),
                    seccomp=seccomp,
                    block=block,
                    info=info,
                    become=become,
                ),
                stdin=block,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd=os.sep,
                pass_fds=(*descriptors.values(), seccomp, block, info),
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
    except OSError as error:
        os.close(lifeline)
        os.close(told)
        raise ExecutorCrashed(f"the sandbox could not be started: {error}") from error
    finally:
        os.close(block)
        os.close(info)
    inner: int | None = None
    try:
        child = _child_of(told)
        inner = os.pidfd_open(child)
        if group is not None:
            group.add(child)
        os.write(lifeline, _BUILD)
    except (OSError, ValueError, ExecutorCrashed) as error:
        os.close(lifeline)
        if inner is not None:
            _end(inner)
        process.kill()
        _, complaints = process.communicate()
        said = complaints.decode(errors="replace").strip()[-_SAID:]
        raise ExecutorCrashed(f"no sandbox came up: {error}" + (f" ({said})" if said else "")) from error
    finally:
        os.close(told)
    return process, inner, lifeline


def _end(inner: int) -> None:
    """End a sandbox's first process, and all with it: bubblewrap's own end does not reach one that still waits to be let go on. Closes ``inner``."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(inner, signal.SIGKILL)
    os.close(inner)


def _telling_pipe() -> tuple[int, int]:
    """A pipe whose writer reads as well: it does not fall over where nobody listens any more, half of a sandbox built and the other half waiting."""
    told, info = os.pipe()
    both = os.open(f"/proc/self/fd/{info}", os.O_RDWR | os.O_CLOEXEC)
    os.close(info)
    return told, out_of_the_shells_way(both)


def _child_of(told: int) -> int:
    """The process id of the sandbox, as bubblewrap tells it."""
    text = b""
    while chunk := os.read(told, 4096):
        text += chunk
        if b"}" in chunk:
            return int(json.loads(text)["child-pid"])
    raise ExecutorCrashed("bubblewrap ended before it had a sandbox")
