"""Host calls on files by name: ``path_…``."""

from __future__ import annotations

from computility.execution.wasm.descriptor_calls import FLAG_APPEND, RIGHT_READ, RIGHT_WRITE, pack_filestat
from computility.execution.wasm.descriptors import Descriptors, OpenFile, OpenFolder
from computility.execution.wasm.engine_settings import NODE_FUEL
from computility.execution.wasm.errno import Errno, WasiError
from computility.execution.wasm.file_tree import File, FileTree, Folder
from computility.execution.wasm.guest import Guest

OPEN_CREATE = 1
OPEN_FOLDER = 2
OPEN_EXCLUSIVE = 4
OPEN_TRUNCATE = 8


class PathCalls:
    """One method a call, named as in WASI preview 1. ``time`` (nanoseconds) is that of every file. There are no links."""

    def __init__(self, guest: Guest, tree: FileTree, descriptors: Descriptors, time: int) -> None:
        self._guest = guest
        self._tree = tree
        self._open = descriptors
        self._time = time

    def path_open(
        self,
        fd: int,
        _lookup: int,
        path_at: int,
        path_length: int,
        flags: int,
        rights: int,
        _inheriting: int,
        file_flags: int,
        opened_at: int,
    ) -> None:
        """Open a file or folder, or make a file."""
        path = self._resolve(fd, path_at, path_length)
        node = self._tree.find(path)
        if node is not None and flags & OPEN_CREATE and flags & OPEN_EXCLUSIVE:
            raise WasiError(Errno.EXIST)
        if isinstance(node, Folder):
            if flags & OPEN_TRUNCATE or (rights & RIGHT_WRITE and not flags & OPEN_FOLDER):
                raise WasiError(Errno.ISDIR)
            number = self._open.add(OpenFolder(path))
        else:
            number = self._open_file(path, node, flags, rights, file_flags)
        self._guest.write_u32(opened_at, number)

    def path_filestat_get(self, fd: int, _lookup: int, path_at: int, path_length: int, at: int) -> None:
        """Type and size."""
        self._guest.write(at, pack_filestat(self._tree.get(self._resolve(fd, path_at, path_length)), self._time))

    def path_filestat_set_times(
        self, fd: int, _lookup: int, path_at: int, path_length: int, _accessed: int, _modified: int, _flags: int
    ) -> None:
        """Every file has the specification's time."""
        self._tree.get(self._resolve(fd, path_at, path_length))

    def path_create_directory(self, fd: int, path_at: int, path_length: int) -> None:
        """Make a folder."""
        self._tree.create_folder(self._resolve(fd, path_at, path_length))

    def path_remove_directory(self, fd: int, path_at: int, path_length: int) -> None:
        """Delete an empty folder."""
        self._guest.charge(NODE_FUEL * len(self._tree))
        self._tree.remove_folder(self._resolve(fd, path_at, path_length))

    def path_unlink_file(self, fd: int, path_at: int, path_length: int) -> None:
        """Delete a file."""
        self._tree.remove_file(self._resolve(fd, path_at, path_length))

    def path_rename(
        self, fd: int, path_at: int, path_length: int, target_fd: int, target_at: int, target_length: int
    ) -> None:
        """Move a file or folder."""
        self._guest.charge(NODE_FUEL * len(self._tree))
        source = self._resolve(fd, path_at, path_length)
        self._tree.rename(source, self._resolve(target_fd, target_at, target_length))

    def _open_file(self, path: str, node: File | None, flags: int, rights: int, file_flags: int) -> int:
        writable = bool(rights & RIGHT_WRITE)
        if node is None:
            if not flags & OPEN_CREATE:
                raise WasiError(Errno.NOENT)
            if flags & OPEN_FOLDER:
                raise WasiError(Errno.INVAL)
        elif flags & OPEN_FOLDER:
            raise WasiError(Errno.NOTDIR)
        elif node.is_input and (writable or flags & OPEN_TRUNCATE):
            raise WasiError(Errno.ROFS)
        file = self._tree.create_file(path) if node is None else node
        number = self._open.add(OpenFile(file, bool(rights & RIGHT_READ), writable, bool(file_flags & FLAG_APPEND)))
        if flags & OPEN_TRUNCATE:
            self._tree.resize(file, 0)
        return number

    def _resolve(self, fd: int, path_at: int, path_length: int) -> str:
        """The path from the root for a path from an open folder, which it must not leave."""
        base = self._open.folder(fd).path
        text = self._guest.text(path_at, path_length)
        if text.startswith("/"):
            raise WasiError(Errno.NOTCAPABLE)
        if not text:
            raise WasiError(Errno.NOENT)
        parts: list[str] = []
        for part in text.split("/"):
            if part == "..":
                if not parts:
                    raise WasiError(Errno.NOTCAPABLE)
                self._check_folder(base, parts)
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return "/".join([base, *parts] if base else parts)

    def _check_folder(self, base: str, parts: list[str]) -> None:
        path = "/".join([base, *parts] if base else parts)
        if isinstance(self._tree.get(path), File):
            raise WasiError(Errno.NOTDIR)
