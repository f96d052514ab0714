"""The files that a job sees: inputs to read, and what it writes itself. All of it in memory, none of it on the host's disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from computility.domain.errors import HostMemoryExhausted, OutputTooLarge
from computility.domain.file_path import path_fault
from computility.execution.wasm.engine_settings import MAX_FOLDERS
from computility.execution.wasm.errno import Errno, WasiError

ROOT = ""
RESERVED_NAMES = frozenset({"stdout", "stderr"})
"""Outputs by these names hold what the program wrote to the streams."""


@dataclass(eq=False)
class Folder:
    """A folder. ``inode`` tells nodes apart."""

    inode: int
    is_input: bool


@dataclass(eq=False)
class File:
    """A file. It keeps counting towards the limit while it is open, linked or not."""

    inode: int
    is_input: bool
    data: bytes | bytearray = field(default_factory=bytearray)
    open_count: int = 0
    linked: bool = True


Node = Folder | File


class FileTree:
    """Folders and files by their paths from the root (``""``), without leading slash.

    ``max_bytes`` and ``max_files`` are the job's limits on what it writes; ``host_max_bytes`` is what this machine can hold.
    """

    def __init__(self, inputs: Mapping[str, bytes], max_bytes: int, max_files: int, host_max_bytes: int) -> None:
        self._inodes = count(1)
        self._nodes: dict[str, Node] = {ROOT: Folder(next(self._inodes), is_input=True)}
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._host_max_bytes = host_max_bytes
        self._bytes = 0
        self._files = 0
        self._folders = 0
        self._streams = {name: File(next(self._inodes), is_input=False) for name in sorted(RESERVED_NAMES)}
        for path in sorted(inputs):
            self._add_input(path, inputs[path])

    def __len__(self) -> int:
        return len(self._nodes)

    def outputs(self) -> dict[str, bytes]:
        """What the job wrote and did not delete, by path; streams where they are not empty."""
        written = {path: node for path, node in self._nodes.items() if isinstance(node, File) and not node.is_input}
        streams = {name: stream for name, stream in self._streams.items() if stream.data}
        return {path: bytes(file.data) for path, file in {**written, **streams}.items()}

    def stream(self, name: str) -> File:
        """The file behind standard output or error."""
        return self._streams[name]

    def find(self, path: str) -> Node | None:
        """What is there."""
        return self._nodes.get(path)

    def get(self, path: str) -> Node:
        """What is there.

        Raises:
            WasiError: NOENT.
        """
        node = self._nodes.get(path)
        if node is None:
            raise WasiError(Errno.NOENT)
        return node

    def children(self, path: str) -> Iterator[tuple[str, Node]]:
        """Name and node of everything in a folder, by name."""
        prefix = f"{path}/" if path else ""
        for other in sorted(self._nodes):
            if other != ROOT and other.startswith(prefix) and "/" not in other[len(prefix) :]:
                yield other[len(prefix) :], self._nodes[other]

    def create_file(self, path: str) -> File:
        """A new, empty output.

        Raises:
            WasiError: EXIST, NOENT, NOTDIR, INVAL (a path that no manifest can hold), ACCES (a reserved name).
            OutputTooLarge: one file too many.
        """
        self._check_new(path)
        file = File(next(self._inodes), is_input=False)
        self._count_file()
        self._nodes[path] = file
        return file

    def create_folder(self, path: str) -> None:
        """A new folder.

        Raises:
            WasiError: as ``create_file``.
            OutputTooLarge: one folder too many.
        """
        self._check_new(path)
        if self._folders >= MAX_FOLDERS:
            raise OutputTooLarge(f"the program made more than {MAX_FOLDERS} folders")
        self._folders += 1
        self._nodes[path] = Folder(next(self._inodes), is_input=False)

    def remove_file(self, path: str) -> None:
        """Delete an output.

        Raises:
            WasiError: NOENT, ISDIR, ROFS (an input).
        """
        node = self.get(path)
        if isinstance(node, Folder):
            raise WasiError(Errno.ISDIR)
        _check_writable(node)
        del self._nodes[path]
        node.linked = False
        self._files -= 1
        self._release(node)

    def remove_folder(self, path: str) -> None:
        """Delete an empty folder.

        Raises:
            WasiError: NOENT, NOTDIR, NOTEMPTY, ROFS (one that came with the inputs).
        """
        node = self.get(path)
        if isinstance(node, File):
            raise WasiError(Errno.NOTDIR)
        _check_writable(node)
        if any(True for _ in self.children(path)):
            raise WasiError(Errno.NOTEMPTY)
        del self._nodes[path]
        self._folders -= 1

    def rename(self, source: str, target: str) -> None:
        """Move an output or a folder, in place of a file or an empty folder.

        Raises:
            WasiError: NOENT, NOTDIR, ISDIR, NOTEMPTY, INVAL (into itself, or a path that no manifest can hold), ROFS (inputs), ACCES.
        """
        node = self.get(source)
        _check_writable(node)
        if source == target:
            return
        if target.startswith(f"{source}/"):
            raise WasiError(Errno.INVAL)
        moved = [path for path in self._nodes if path == source or path.startswith(f"{source}/")]
        if any(path_fault(target + path[len(source) :]) for path in moved):
            raise WasiError(Errno.INVAL)
        self._make_room(target, node)
        self._check_new(target)
        for path in moved:
            self._nodes[target + path[len(source) :]] = self._nodes.pop(path)

    def write(self, file: File, offset: int, data: bytes) -> None:
        """Put bytes into an output or a stream, after zeros where it was shorter than ``offset``.

        Raises:
            OutputTooLarge: above the job's limit.
            HostMemoryExhausted: above what this machine can hold.
        """
        assert isinstance(file.data, bytearray)
        if not data:
            return
        self.resize(file, max(len(file.data), offset + len(data)))
        file.data[offset : offset + len(data)] = data

    def check_room(self, file: File, size: int) -> None:
        """Whether a file may have that many bytes.

        Raises:
            OutputTooLarge: above the job's limit.
            HostMemoryExhausted: above what this machine can hold.
        """
        total = self._bytes - len(file.data) + size
        if total > self._max_bytes:
            raise OutputTooLarge(
                f"the program wrote more than the {self._max_bytes} bytes that its specification allows"
            )
        if total > self._host_max_bytes:
            raise HostMemoryExhausted(f"this machine holds at most {self._host_max_bytes} bytes of outputs")

    def resize(self, file: File, size: int) -> None:
        """Cut an output, or fill it up with zeros.

        Raises:
            OutputTooLarge: above the job's limit.
            HostMemoryExhausted: above what this machine can hold.
        """
        assert isinstance(file.data, bytearray)
        if size and not file.data and file in self._streams.values():
            self._count_file()
        self.check_room(file, size)
        self._bytes += size - len(file.data)
        if size < len(file.data):
            del file.data[size:]
        else:
            file.data.extend(bytes(size - len(file.data)))

    def opened(self, file: File) -> None:
        """Somebody holds the file."""
        file.open_count += 1

    def closed(self, file: File) -> None:
        """Somebody lets go of it."""
        file.open_count -= 1
        self._release(file)

    def _release(self, file: File) -> None:
        if not file.linked and file.open_count == 0:
            self._bytes -= len(file.data)
            file.data = b""

    def _count_file(self) -> None:
        if self._files >= self._max_files:
            raise OutputTooLarge(
                f"the program wrote more than the {self._max_files} files that its specification allows"
            )
        self._files += 1

    def _check_new(self, path: str) -> None:
        if path in self._nodes:
            raise WasiError(Errno.EXIST)
        if path.split("/", maxsplit=1)[0] in RESERVED_NAMES:
            raise WasiError(Errno.ACCES)
        if path_fault(path):
            raise WasiError(Errno.INVAL)
        if isinstance(self.get(path.rpartition("/")[0]), File):
            raise WasiError(Errno.NOTDIR)

    def _make_room(self, target: str, node: Node) -> None:
        there = self.find(target)
        if there is None:
            return
        if isinstance(there, File) and isinstance(node, Folder):
            raise WasiError(Errno.NOTDIR)
        if isinstance(there, Folder) and isinstance(node, File):
            raise WasiError(Errno.ISDIR)
        if isinstance(there, Folder):
            self.remove_folder(target)
        else:
            self.remove_file(target)

    def _add_input(self, path: str, data: bytes) -> None:
        parts = path.split("/")
        for length in range(1, len(parts)):
            folder = "/".join(parts[:length])
            if folder not in self._nodes:
                self._nodes[folder] = Folder(next(self._inodes), is_input=True)
        self._nodes[path] = File(next(self._inodes), is_input=True, data=data)


def _check_writable(node: Node) -> None:
    if node.is_input:
        raise WasiError(Errno.ROFS)
