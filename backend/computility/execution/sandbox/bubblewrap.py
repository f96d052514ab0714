"""The command line of one sandbox: what a job sees, and nothing else.

Read-only: ``/usr`` of the host, tool folders of the provider, ``/job`` with artifacts and inputs. Writable, each of a bounded size and in memory:
``/tmp``, ``/out``, ``/dev/shm``. No network but its own loopback, no process but its own, no capability, no further namespace.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorUnfit

NOTHING: Final[Mapping[str, str]] = {}
_PAGE: Final = 4096
_SPARE_PROCESSES: Final = 5
"""bubblewrap's own process in the sandbox, the supervising shell, its watch, and tar when the job has ended."""

# Ends every survivor before it hands out what was written: first the exit code on a line, then, where there is anything, a tar stream. The job never
# holds descriptor 3. Standard input is a pipe that the executor holds: a line lets the job begin, and its end is the executor's, whenever that comes:
# bubblewrap's own --die-with-parent knows nothing of a parent that died before it asked. Processes are counted by -p in dash and by -u in bash.
_SUPERVISOR: Final = """
exec 3>&1 1>&2 4<&0 </dev/null
read -r go <&4 || exit
(read -r go; kill -9 -1) <&4 3>&- &
ulimit -c 0
ulimit -d {data_kib}
ulimit -f {file_blocks}
ulimit -t {cpu_s}
ulimit -n 4096
ulimit -l 0
ulimit -p {processes} 2>/dev/null || ulimit -u {processes}
"$@" </dev/null >/out/stdout 2>/out/stderr 3>&- 4<&-
status=$?
kill -9 -1 2>/dev/null
echo "$status" >&3
set -- /out/*
[ "$*" = "/out/stderr /out/stdout" ] && [ ! -s /out/stderr ] && [ ! -s /out/stdout ] && exit
exec tar -C /out --sort=name --format=posix -cf - . >&3
"""


@dataclass(frozen=True)
class SandboxLimits:
    """Sizes in bytes. ``data_bytes`` of one process; ``file_bytes`` of one file; ``cpu_s`` of one process."""

    data_bytes: int
    file_bytes: int
    cpu_s: int
    processes: int
    scratch_bytes: int
    output_bytes: int
    output_files: int


@dataclass(frozen=True)
class Sandbox:
    """How a provider sets its sandboxes up. ``tools`` are host folders by where a job sees them."""

    bwrap: str
    tools: Mapping[str, str] = field(default_factory=dict)

    def command(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        files: Mapping[str, int],
        limits: SandboxLimits,
        *,
        seccomp: int,
        block: int,
        info: int,
        devices: Sequence[str] = (),
        bound: Mapping[str, str] = NOTHING,
    ) -> list[str]:
        """bubblewrap with a job in it. ``files`` are open descriptors by path below ``/job``; ``devices`` are device nodes, of GPUs; ``bound`` are
        more files of the host by where the job sees them, read-only. ``block`` holds the sandbox until it can be read, ``info`` is told the process
        id. Standard input has to be ``block``'s pipe: a line of it lets the job begin, and its end ends the job. The result comes on standard
        output, which the job itself does not get."""
        command = [
            self.bwrap,
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ]
        command += ["--cap-drop", "ALL", "--hostname", "job", "--clearenv"]
        for name, value in environment.items():
            command += ["--setenv", name, value]
        command += ["--ro-bind", "/usr", "/usr"]
        for folder in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            if os.path.islink(f"/{folder}"):  # noqa: PTH114 - the link itself is copied
                command += ["--symlink", os.readlink(f"/{folder}"), f"/{folder}"]  # noqa: PTH115
            elif Path(f"/{folder}").is_dir():
                command += ["--ro-bind", f"/{folder}", f"/{folder}"]
        for name in ("ld.so.cache", "alternatives", "localtime"):
            command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        for place, folder in (*self.tools.items(), *bound.items()):
            command += ["--ro-bind", folder, place]
        command += ["--proc", "/proc", "--dev", "/dev"]
        for device in devices:
            command += ["--dev-bind", device, device]
        command += ["--size", str(max(limits.scratch_bytes, _PAGE)), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
        command += ["--size", str(max(limits.scratch_bytes, _PAGE)), "--tmpfs", "/tmp"]  # noqa: S108
        # Every file takes whole pages.
        command += ["--size", str(limits.output_bytes + _PAGE * (limits.output_files + 8)), "--tmpfs", "/out"]
        command += ["--tmpfs", "/job"]
        for path, descriptor in files.items():
            command += ["--perms", "0555", "--file", str(descriptor), f"/job/{path}"]
        command += ["--remount-ro", "/job", "--chdir", "/job", "--remount-ro", "/"]
        command += ["--seccomp", str(seccomp), "--block-fd", str(block), "--info-fd", str(info), "--"]
        supervisor = _SUPERVISOR.format(
            data_kib=-(-limits.data_bytes // 1024),
            file_blocks=-(-limits.file_bytes // 512),
            cpu_s=limits.cpu_s,
            processes=limits.processes + _SPARE_PROCESSES,
        )
        return [*command, "/bin/sh", "-c", supervisor, "job", *arguments]


def find_bubblewrap() -> str:
    """The path of bubblewrap.

    Raises:
        ExecutorUnfit: it is not installed.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise ExecutorUnfit("bubblewrap is not installed: apt-get install bubblewrap (dnf, pacman and apk know it too)")
    return found


@contextmanager
def memory_files(contents: Mapping[str, bytes]) -> Iterator[dict[str, int]]:
    """Descriptors of files that exist in memory alone, by the names of their contents: nothing of a job touches the host's disk."""
    descriptors: dict[str, int] = {}
    try:
        for name, data in contents.items():
            descriptors[name] = descriptor = os.memfd_create("job")
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptors
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)
