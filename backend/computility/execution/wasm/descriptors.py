"""File descriptors: 0, 1 and 2 are the streams, 3 is the root folder, the rest is what the program opens."""

from __future__ import annotations

from dataclasses import dataclass

from computility.execution.wasm.engine_settings import MAX_OPEN_FILES
from computility.execution.wasm.errno import Errno, WasiError
from computility.execution.wasm.file_tree import ROOT, File, FileTree

ROOT_DESCRIPTOR = 3


@dataclass
class OpenFile:
    """A file and a place in it. A stream has no place: reading it ends at once, writing goes to its end."""

    file: File
    readable: bool
    writable: bool
    appends: bool = False
    is_stream: bool = False
    position: int = 0


@dataclass
class OpenFolder:
    """A folder by its path, which may be gone by now."""

    path: str
    preopened: bool = False


Descriptor = OpenFile | OpenFolder


class Descriptors:
    """What the program has open, by number; a new one gets the lowest that is free."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._open: dict[int, Descriptor] = {
            0: OpenFile(File(0, is_input=True, data=b""), readable=True, writable=False, is_stream=True),
            1: OpenFile(tree.stream("stdout"), readable=False, writable=True, appends=True, is_stream=True),
            2: OpenFile(tree.stream("stderr"), readable=False, writable=True, appends=True, is_stream=True),
            ROOT_DESCRIPTOR: OpenFolder(ROOT, preopened=True),
        }

    def get(self, number: int) -> Descriptor:
        """What is open by a number.

        Raises:
            WasiError: BADF.
        """
        descriptor = self._open.get(number)
        if descriptor is None:
            raise WasiError(Errno.BADF)
        return descriptor

    def file(self, number: int) -> OpenFile:
        """An open file.

        Raises:
            WasiError: BADF, ISDIR.
        """
        descriptor = self.get(number)
        if isinstance(descriptor, OpenFolder):
            raise WasiError(Errno.ISDIR)
        return descriptor

    def seekable(self, number: int) -> OpenFile:
        """An open file with a place in it.

        Raises:
            WasiError: BADF, ISDIR, SPIPE (a stream).
        """
        file = self.file(number)
        if file.is_stream:
            raise WasiError(Errno.SPIPE)
        return file

    def folder(self, number: int) -> OpenFolder:
        """An open folder.

        Raises:
            WasiError: BADF, NOTDIR.
        """
        descriptor = self.get(number)
        if isinstance(descriptor, OpenFile):
            raise WasiError(Errno.NOTDIR)
        return descriptor

    def add(self, descriptor: Descriptor) -> int:
        """Open something.

        Raises:
            WasiError: MFILE, where too much is open.
        """
        if len(self._open) >= MAX_OPEN_FILES:
            raise WasiError(Errno.MFILE)
        number = next(number for number in range(MAX_OPEN_FILES) if number not in self._open)
        self._put(number, descriptor)
        return number

    def close(self, number: int) -> None:
        """Close a descriptor.

        Raises:
            WasiError: BADF.
        """
        descriptor = self.get(number)
        del self._open[number]
        if isinstance(descriptor, OpenFile):
            self._tree.closed(descriptor.file)

    def renumber(self, source: int, target: int) -> None:
        """Move a descriptor onto another one that is open, which closes.

        Raises:
            WasiError: BADF.
        """
        descriptor = self.get(source)
        self.get(target)
        if source == target:
            return
        self.close(target)
        self._put(target, descriptor)
        self.close(source)

    def _put(self, number: int, descriptor: Descriptor) -> None:
        self._open[number] = descriptor
        if isinstance(descriptor, OpenFile):
            self._tree.opened(descriptor.file)
