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
_DEEPEST: Final = 64
"""Folders in folders, more than any path of a manifest has. What goes deeper would be beyond this process's stack, or the system's longest path."""


class OutputFolder:
    """A folder for one job's output of at most ``max_bytes`` in ``max_files``. ``bounded`` says whether the kernel holds it to that."""

    def __init__(self, path: Path, max_bytes: int, max_files: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._max_files = max_files
        # Of every kind: folders and links fill a disk as well.
        self._max_entries = 4 * max_files + 64
        path.mkdir()
        self.bounded = _mounted(path, max_bytes + _PAGE * (max_files + _SPARE_FILES), self._max_entries)
        path.chmod(0o1777)

    def check(self) -> None:
        """While the job runs, where the kernel holds nothing.

        Raises:
            OutputTooLarge: it wrote more than it may.
            JobFailed: it closed a folder, so that nobody sees what is in it, or made them too deep.
        """
        if not self.bounded:
            self._add_up()

    def read(self) -> dict[str, bytes]:
        """Regular files by path; links, devices and empty folders are left out.

        Raises:
            OutputTooLarge: more files or bytes than the job may write.
            JobFailed: a path that no manifest can hold, or a folder that is closed or too deep.
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
        _remove(self.path)

    def _add_up(self) -> list[Path]:
        found: list[Path] = []
        total = 0
        for entries, (path, size) in enumerate(_entries(self.path), start=1):
            if size is not None:
                found.append(path)
                total += size
            if entries > self._max_entries:
                raise OutputTooLarge(f"the job made more than {self._max_entries} files, folders and links: make fewer")
            if len(found) > self._max_files or total > self._max_bytes:
                raise OutputTooLarge(
                    f"the job wrote more than {self._max_files} files or {self._max_bytes} bytes: allow more output, or write less"
                )
        return found


def _entries(folder: Path, depth: int = 0) -> Iterator[tuple[Path, int | None]]:
    """Whatever is in a folder and below: the size of a regular file, None of anything else."""
    if depth > _DEEPEST:
        raise JobFailed(f"the job made folders in folders, more than {_DEEPEST} deep")
    try:
        listed = os.scandir(folder)
    except PermissionError as error:
        raise JobFailed("the job closed a folder of its output: leave it readable") from error
    except OSError:
        # Gone meanwhile.
        return
    with listed:
        for entry in listed:
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            yield Path(entry.path), facts.st_size if stat.S_ISREG(facts.st_mode) else None
            if stat.S_ISDIR(facts.st_mode):
                yield from _entries(Path(entry.path), depth + 1)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        # Deeper than Python goes: the system's own tool has no such limit.
        subprocess.run(["rm", "-rf", "--", str(folder)], capture_output=True, check=False, timeout=300)


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
