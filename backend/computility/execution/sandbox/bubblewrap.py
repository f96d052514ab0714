"""The command line of one sandbox: what a job sees, and nothing else.

Read-only: ``/usr`` of the host, tool folders of the provider, ``/job`` with artifacts and inputs. Writable, each of a bounded size and in memory:
``/tmp``, ``/out``, ``/dev/shm``. No network but its own loopback, no process but its own, no capability, no further namespace; of the
machine what programs need to know (``machine_masks``).
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorUnfit
from computility.execution.sandbox.machine_masks import masks

_PAGE: Final = 4096
_SPARE_PROCESSES: Final = 5
"""bubblewrap's own process in the sandbox, the supervising shell, its watch, and tar when the job has ended."""

# Waits for one line, the job: limits, environment and arguments, quoted for this shell. Ends every survivor before it hands out what was written:
# first the exit code and the processor time (`times`), three lines, then, where there is anything, a tar stream. The job never holds descriptor 3.
# Standard input is a pipe that the executor holds: its end is the executor's, whenever that comes: bubblewrap's own --die-with-parent knows nothing
# of a parent that died before it asked.
_SUPERVISOR: Final = """
exec 4<&0 </dev/null
ulimit -c 0
ulimit -n 4096
ulimit -l 0
line='
'
IFS= read -r job <&4 || exit
(read -r end; kill -9 -1) <&4 3>&- &
eval "$job"
(exec "$@" </dev/null >/out/stdout 2>/out/stderr 3>&- 4<&-)
status=$?
kill -9 -1 2>/dev/null
echo "$status" >&3
times >&3
set -- /out/*
[ "$*" = "/out/stderr /out/stdout" ] && [ ! -s /out/stderr ] && [ ! -s /out/stdout ] && exit
exec tar -C /out --sort=name --format=posix -cf - . >&3
"""
# Descriptor 3, which bubblewrap hands on to the supervisor and lets go of itself: so the result ends with the job, and not with the last namespace.
_RESULT_ON_3: Final = 'exec 3>&1 1>&2; exec "$@"'
_SHELLS_OWN: Final = 10
"""Descriptors below are named by one digit, as shells do."""
HEADER_LINES: Final = 3
"""Lines before the tar stream."""


@dataclass(frozen=True)
class SandboxLimits:
    """What the supervisor holds a job to. Bytes: ``data_bytes`` of one process, ``file_bytes`` of one file; ``cpu_s`` of one process."""

    data_bytes: int
    file_bytes: int
    cpu_s: int
    processes: int


@dataclass(frozen=True)
class Shape:
    """What of a sandbox is settled when it is built. Sizes in bytes of what a job may write to scratch and to ``/out``; ``devices`` are
    device nodes, of GPUs; ``bound`` are more files of the host, as pairs of where the job sees them and where they are, read-only."""

    scratch_bytes: int
    output_bytes: int
    output_files: int
    devices: tuple[str, ...] = ()
    bound: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Sandbox:
    """How a provider sets its sandboxes up. ``tools`` are host folders by where a job sees them."""

    bwrap: str
    tools: Mapping[str, str] = field(default_factory=dict)

    def command(
        self,
        shape: Shape,
        job: str | Mapping[str, int],
        *,
        seccomp: int,
        block: int,
        info: int,
        become: Sequence[str] = (),
    ) -> list[str]:
        """bubblewrap with a supervisor in it, which waits for ``job_line``.

        ``job`` is what the job sees as ``/job``: a folder of the host, or open descriptors by path. ``block`` holds the sandbox until it can
        be read, ``info`` is told the process id. ``become`` is a command that becomes another user. Standard input has to be ``block``'s pipe: a
        byte of it lets the sandbox be built, a line is the job, and its end ends the job. The result comes on standard output, which the job
        itself does not get, and ends with the supervisor."""
        command = ["/bin/sh", "-c", _RESULT_ON_3, "sandbox", *become]
        command += [
            self.bwrap,
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ]
        command += ["--cap-drop", "ALL", "--hostname", "job", "--clearenv"]
        command += ["--ro-bind", "/usr", "/usr"]
        for folder in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            if os.path.islink(f"/{folder}"):  # noqa: PTH114 - the link itself is copied
                command += ["--symlink", os.readlink(f"/{folder}"), f"/{folder}"]  # noqa: PTH115
            elif Path(f"/{folder}").is_dir():
                command += ["--ro-bind", f"/{folder}", f"/{folder}"]
        for name in ("ld.so.cache", "alternatives", "localtime"):
            command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        for place, folder in (*self.tools.items(), *shape.bound):
            command += ["--ro-bind", folder, place]
        command += ["--proc", "/proc", *masks(bool(shape.devices)), "--dev", "/dev"]
        for device in shape.devices:
            command += ["--dev-bind", device, device]
        command += ["--size", str(max(shape.scratch_bytes, _PAGE)), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
        command += ["--size", str(max(shape.scratch_bytes, _PAGE)), "--tmpfs", "/tmp"]  # noqa: S108
        # Every file takes whole pages.
        command += ["--size", str(shape.output_bytes + _PAGE * (shape.output_files + 8)), "--tmpfs", "/out"]
        if isinstance(job, str):
            command += ["--ro-bind", job, "/job"]
        else:
            command += ["--tmpfs", "/job"]
            for path, descriptor in job.items():
                command += ["--perms", "0555", "--file", str(descriptor), f"/job/{path}"]
            command += ["--remount-ro", "/job"]
        command += ["--chdir", "/job", "--remount-ro", "/"]
        command += ["--seccomp", str(seccomp), "--block-fd", str(block), "--info-fd", str(info), "--"]
        return [*command, "/bin/sh", "-c", _SUPERVISOR, "job"]


def job_line(arguments: Sequence[str], environment: Mapping[str, str], limits: SandboxLimits) -> bytes:
    """What the supervisor of a sandbox waits for: one line of shell, in which nothing of the job's is anything but a quoted word."""
    processes = limits.processes + _SPARE_PROCESSES
    words = [
        f"ulimit -d {-(-limits.data_bytes // 1024)}; ulimit -f {-(-limits.file_bytes // 512)}; ulimit -t {limits.cpu_s}",
        # -p in dash, -u in bash.
        f"ulimit -p {processes} 2>/dev/null || ulimit -u {processes}",
        *(f"export {name}={_quoted(value)}" for name, value in environment.items()),
        "set -- " + " ".join(map(_quoted, arguments)),
    ]
    return os.fsencode("; ".join(words)) + b"\n"


def _quoted(word: str) -> str:
    """A word for the shell, on one line: what is between single quotes means nothing to it."""
    return "'" + word.replace("'", "'\\''").replace("\n", "'\"$line\"'") + "'"


def find_bubblewrap() -> str:
    """The path of bubblewrap.

    Raises:
        ExecutorUnfit: it is not installed.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise ExecutorUnfit("bubblewrap is not installed: apt-get install bubblewrap (dnf, pacman and apk know it too)")
    return found


def out_of_the_shells_way(descriptor: int) -> int:
    """The same file under a number that the shell before bubblewrap does not use: it takes 3 for the result, whatever was there. Closes the old."""
    if descriptor >= _SHELLS_OWN:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _SHELLS_OWN)
    finally:
        os.close(descriptor)


@contextmanager
def memory_files(contents: Mapping[str, bytes]) -> Iterator[dict[str, int]]:
    """Descriptors of files that exist in memory alone, by the names of their contents: nothing of a job touches the host's disk."""
    descriptors: dict[str, int] = {}
    try:
        for name, data in contents.items():
            descriptors[name] = descriptor = out_of_the_shells_way(os.memfd_create("job"))
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptors
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)
