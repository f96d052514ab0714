"""Host calls on open files and folders: ``fd_…``."""

from __future__ import annotations

import struct

from computility.execution.wasm.descriptors import Descriptor, Descriptors, OpenFile, OpenFolder
from computility.execution.wasm.engine_settings import BYTE_FUEL, NODE_FUEL
from computility.execution.wasm.errno import Errno, WasiError
from computility.execution.wasm.file_tree import File, FileTree, Node
from computility.execution.wasm.guest import Guest

FILETYPE_UNKNOWN = 0
FILETYPE_DIRECTORY = 3
FILETYPE_REGULAR = 4
FLAG_APPEND = 1
RIGHT_READ = 1 << 1
RIGHT_SEEK = 1 << 2
RIGHT_TELL = 1 << 5
RIGHT_WRITE = 1 << 6
ALL_RIGHTS = (1 << 30) - 1
_PREOPENED_NAME = b"/"
_MAX_POSITION = 2**63 - 1


class DescriptorCalls:
    """One method a call, named as in WASI preview 1. ``time`` (nanoseconds) is that of every file."""

    def __init__(self, guest: Guest, tree: FileTree, descriptors: Descriptors, time: int) -> None:
        self._guest = guest
        self._tree = tree
        self._open = descriptors
        self._time = time

    def fd_read(self, fd: int, vectors_at: int, count: int, read_at: int) -> None:
        """Read on from the file's place."""
        file = _readable(self._open.file(fd))
        read = self._read(file, file.position, vectors_at, count)
        file.position += read
        self._guest.write_u32(read_at, read)

    def fd_pread(self, fd: int, vectors_at: int, count: int, offset: int, read_at: int) -> None:
        """Read at an offset."""
        self._guest.write_u32(read_at, self._read(_readable(self._open.seekable(fd)), offset, vectors_at, count))

    def fd_write(self, fd: int, vectors_at: int, count: int, written_at: int) -> None:
        """Write at the file's place, or its end."""
        file = _writable(self._open.file(fd))
        data = self._gather(vectors_at, count)
        if file.appends:
            file.position = len(file.file.data)
        self._write(file.file, file.position, data)
        file.position += len(data)
        self._guest.write_u32(written_at, len(data))

    def fd_pwrite(self, fd: int, vectors_at: int, count: int, offset: int, written_at: int) -> None:
        """Write at an offset."""
        file = _writable(self._open.seekable(fd))
        data = self._gather(vectors_at, count)
        self._write(file.file, offset, data)
        self._guest.write_u32(written_at, len(data))

    def fd_seek(self, fd: int, offset: int, whence: int, at: int) -> None:
        """Move the place. ``offset`` is signed."""
        file = self._open.seekable(fd)
        if whence > 2:
            raise WasiError(Errno.INVAL)
        position = (0, file.position, len(file.file.data))[whence] + _signed(offset)
        if not 0 <= position <= _MAX_POSITION:
            raise WasiError(Errno.INVAL)
        file.position = position
        self._guest.write_u64(at, position)

    def fd_tell(self, fd: int, at: int) -> None:
        """The place."""
        self._guest.write_u64(at, self._open.seekable(fd).position)

    def fd_close(self, fd: int) -> None:
        """Close it."""
        self._open.close(fd)

    def fd_renumber(self, source: int, target: int) -> None:
        """Move one descriptor onto another."""
        self._open.renumber(source, target)

    def fd_advise(self, fd: int, _offset: int, _length: int, _advice: int) -> None:
        """Nothing to do."""
        self._open.file(fd)

    def fd_datasync(self, fd: int) -> None:
        """Nothing to do."""
        self._open.get(fd)

    def fd_sync(self, fd: int) -> None:
        """Nothing to do."""
        self._open.get(fd)

    def fd_allocate(self, fd: int, offset: int, length: int) -> None:
        """Make the file at least that long."""
        file = _writable(self._open.seekable(fd)).file
        self._resize(file, max(len(file.data), offset + length))

    def fd_filestat_set_size(self, fd: int, size: int) -> None:
        """Make the file exactly that long."""
        self._resize(_writable(self._open.seekable(fd)).file, size)

    def fd_filestat_set_times(self, fd: int, _accessed: int, _modified: int, _flags: int) -> None:
        """Every file has the specification's time."""
        self._open.get(fd)

    def fd_filestat_get(self, fd: int, at: int) -> None:
        """Type and size."""
        descriptor = self._open.get(fd)
        if isinstance(descriptor, OpenFolder):
            self._guest.write(at, pack_filestat(self._tree.get(descriptor.path), self._time))
            return
        filetype = FILETYPE_UNKNOWN if descriptor.is_stream else FILETYPE_REGULAR
        self._guest.write(at, pack_filestat(descriptor.file, self._time, filetype))

    def fd_fdstat_get(self, fd: int, at: int) -> None:
        """Type, flags and rights."""
        descriptor = self._open.get(fd)
        flags = FLAG_APPEND if isinstance(descriptor, OpenFile) and descriptor.appends else 0
        packed = struct.pack("<BxH4xQQ", _filetype(descriptor), flags, _rights(descriptor), ALL_RIGHTS)
        self._guest.write(at, packed)

    def fd_fdstat_set_flags(self, fd: int, flags: int) -> None:
        """Append or not; the other flags change nothing here."""
        self._open.seekable(fd).appends = bool(flags & FLAG_APPEND)

    def fd_fdstat_set_rights(self, fd: int, rights: int, _inheriting: int) -> None:
        """Give rights up."""
        descriptor = self._open.get(fd)
        if isinstance(descriptor, OpenFile):
            descriptor.readable = descriptor.readable and bool(rights & RIGHT_READ)
            descriptor.writable = descriptor.writable and bool(rights & RIGHT_WRITE)

    def fd_prestat_get(self, fd: int, at: int) -> None:
        """Whether the folder was open from the start, and how long its name is."""
        self._check_preopened(fd)
        self._guest.write(at, struct.pack("<B3xI", 0, len(_PREOPENED_NAME)))

    def fd_prestat_dir_name(self, fd: int, at: int, length: int) -> None:
        """Its name."""
        self._check_preopened(fd)
        if length < len(_PREOPENED_NAME):
            raise WasiError(Errno.INVAL)
        self._guest.write(at, _PREOPENED_NAME)

    def fd_readdir(self, fd: int, at: int, length: int, cookie: int, used_at: int) -> None:
        """Entries from number ``cookie`` on, as many bytes as fit; the last may be cut."""
        path = self._open.folder(fd).path
        folder = self._tree.get(path)
        self._guest.charge(NODE_FUEL * len(self._tree))
        parent = self._tree.get(path.rpartition("/")[0])
        entries: list[tuple[str, Node]] = [(".", folder), ("..", parent), *self._tree.children(path)]
        packed = bytearray()
        for number, (name, node) in enumerate(entries):
            if number >= cookie and len(packed) < length:
                filetype = FILETYPE_REGULAR if isinstance(node, File) else FILETYPE_DIRECTORY
                raw = name.encode()
                packed += struct.pack("<QQIB3x", number + 1, node.inode, len(raw), filetype) + raw
        del packed[length:]
        self._guest.charge(BYTE_FUEL * len(packed))
        self._guest.write(at, packed)
        self._guest.write_u32(used_at, len(packed))

    def _read(self, file: OpenFile, offset: int, vectors_at: int, count: int) -> int:
        start = offset
        for address, length in self._guest.io_vectors(vectors_at, count):
            data = file.file.data[offset : offset + length]
            self._guest.write(address, data)
            offset += len(data)
        return offset - start

    def _gather(self, vectors_at: int, count: int) -> bytes:
        vectors = self._guest.io_vectors(vectors_at, count)
        return b"".join(self._guest.read(address, length) for address, length in vectors)

    def _write(self, file: File, offset: int, data: bytes) -> None:
        if data and offset > len(file.data):
            self._resize(file, offset)
        self._tree.write(file, offset, data)

    def _resize(self, file: File, size: int) -> None:
        self._tree.check_room(file, size)
        self._guest.charge(BYTE_FUEL * max(0, size - len(file.data)))
        self._tree.resize(file, size)

    def _check_preopened(self, fd: int) -> None:
        descriptor = self._open.get(fd)
        if not isinstance(descriptor, OpenFolder) or not descriptor.preopened:
            raise WasiError(Errno.BADF)


def pack_filestat(node: Node, time: int, filetype: int | None = None) -> bytes:
    """A node's ``filestat``."""
    if filetype is None:
        filetype = FILETYPE_REGULAR if isinstance(node, File) else FILETYPE_DIRECTORY
    size = len(node.data) if isinstance(node, File) else 0
    return struct.pack("<QQB7xQQQQQ", 0, node.inode, filetype, 1, size, time, time, time)


def _filetype(descriptor: Descriptor) -> int:
    if isinstance(descriptor, OpenFolder):
        return FILETYPE_DIRECTORY
    # Not a character device: libc would take it for a terminal and write line by line.
    return FILETYPE_UNKNOWN if descriptor.is_stream else FILETYPE_REGULAR


def _rights(descriptor: Descriptor) -> int:
    if isinstance(descriptor, OpenFolder):
        return ALL_RIGHTS
    rights = ALL_RIGHTS & ~RIGHT_READ & ~RIGHT_WRITE
    if descriptor.is_stream:
        rights &= ~RIGHT_SEEK & ~RIGHT_TELL
    return rights | RIGHT_READ * descriptor.readable | RIGHT_WRITE * descriptor.writable


def _readable(file: OpenFile) -> OpenFile:
    if not file.readable:
        raise WasiError(Errno.BADF)
    return file


def _writable(file: OpenFile) -> OpenFile:
    if not file.writable:
        raise WasiError(Errno.BADF)
    return file


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
