"""The files of one job in the host's memory, for a sandbox that was built before anybody knew them: the sandbox sees the folder read-only.

A folder is locked for as long as its maker lives, so that another process can tell which were left behind, and takes them away. With a folder goes
what is left of its sandbox: a maker that is killed while bubblewrap builds can leave a process that waits for bubblewrap for ever.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

from computility.domain.errors import HostMemoryExhausted
from computility.execution.job_files import write_job_file

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only its memory is wanted; names are random and folders private
_PREFIX: Final = "computility-job-"
_MOST_BYTES: Final = 64 * 1024**2
_SPARE_SHARE: Final = 4
"""A folder takes at most this part of what is free."""


class JobFolder:
    """One folder, read by ``owner`` alone (None: this process's user)."""

    def __init__(self, owner: int | None, place: Path = _MEMORY) -> None:
        self._owner = owner
        self.path = place / f"{_PREFIX}{uuid4().hex}"
        self.path.mkdir(mode=0o700)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._give(self.path)

    def fill(self, files: Mapping[str, bytes]) -> None:
        """Put files there, by path.

        Raises:
            ExecutorCrashed: somebody else writes to one.
            HostMemoryExhausted: there is no room.
        """
        try:
            for path, data in files.items():
                target = self.path
                for part in Path(path).parts[:-1]:
                    target /= part
                    if not target.is_dir():
                        target.mkdir(mode=0o755)
                        self._give(target)
                target = self.path / path
                write_job_file(target, data)
                self._give(target)
        except OSError as error:
            raise HostMemoryExhausted(f"the files of the job do not fit into memory: {error.strerror}") from error

    def remove(self) -> None:
        """Take it away."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner, self._owner)


def folders_hold(size: int, place: Path = _MEMORY) -> bool:
    """Whether files of so many bytes should go through a folder here: it is in memory, and has ample room."""
    if size > _MOST_BYTES:
        return False
    try:
        room = os.statvfs(place)
        in_memory = any(
            line.split()[1:3] == [str(place), "tmpfs"] for line in Path("/proc/mounts").read_text().splitlines()
        )
    except OSError:
        return False
    return in_memory and os.access(place, os.W_OK) and size * _SPARE_SHARE <= room.f_bavail * room.f_frsize


def sweep_folders(place: Path = _MEMORY) -> None:
    """Take away the folders of processes that are gone, and end what is left of their sandboxes."""
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_users_of(folder)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _end_users_of(folder: Path) -> None:
    """End the processes of a folder's owner that were told of it as an argument, as bubblewrap is."""
    owner, argument = folder.stat().st_uid, b"\0" + os.fsencode(folder) + b"\0"
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == owner and argument in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
