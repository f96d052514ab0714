"""Where a container writes: a folder of the host, in memory and of bounded size where this process may mount, else watched while the job runs.

It is read when the container is gone, so nothing moves in it any more; links are never followed.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from computility.domain.errors import JobFailed, OutputTooLarge
from computility.domain.file_path import paths_fault

_PAGE: Final = 4096
_SPARE_FILES: Final = 8


class OutputFolder:
    """A folder for one job's output of at most ``max_bytes`` in ``max_files``. ``bounded`` says whether the kernel holds it to that."""

    def __init__(self, path: Path, max_bytes: int, max_files: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._max_files = max_files
        path.mkdir()
        self.bounded = _mounted(path, max_bytes + _PAGE * (max_files + _SPARE_FILES), 4 * max_files + 64)
        path.chmod(0o1777)

    def check(self) -> None:
        """While the job runs, where the kernel holds nothing.

        Raises:
            OutputTooLarge: it wrote more than it may.
        """
        if not self.bounded:
            self._add_up()

    def read(self) -> dict[str, bytes]:
        """Regular files by path; links, devices and empty folders are left out.

        Raises:
            OutputTooLarge: more files or bytes than the job may write.
            JobFailed: a path that no manifest can hold.
        """
        paths = self._add_up()
        try:
            outputs = {str(path.relative_to(self.path)): _content(path) for path in paths}
        except (OSError, ValueError) as error:
            raise JobFailed(f"the job left no readable output: {error}") from error
        if fault := paths_fault(outputs):
            raise JobFailed(f"the job wrote a file that no result can name: {fault}")
        return outputs

    def remove(self) -> None:
        """Take it away."""
        if self.bounded:
            subprocess.run(["umount", "--lazy", str(self.path)], capture_output=True, check=False, timeout=30)
        shutil.rmtree(self.path, ignore_errors=True)

    def _add_up(self) -> list[Path]:
        found, total = [], 0
        for path, size in _files(self.path):
            found.append(path)
            total += size
            if len(found) > self._max_files or total > self._max_bytes:
                raise OutputTooLarge(
                    f"the job wrote more than {self._max_files} files or {self._max_bytes} bytes: allow more output, or write less"
                )
        return found


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        # Gone meanwhile, or closed by the job: what nobody can read is no output.
        return
    for entry in entries:
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(facts.st_mode):
            yield from _files(Path(entry.path))
        elif stat.S_ISREG(facts.st_mode):
            yield Path(entry.path), facts.st_size


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _mounted(path: Path, size: int, files: int) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    options = f"size={size},nr_inodes={files},mode=1777,nosuid,nodev"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "computility-out", str(path)],
        capture_output=True,
        check=False,
        timeout=30,
    )
    return done.returncode == 0
