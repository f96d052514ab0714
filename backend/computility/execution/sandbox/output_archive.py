"""The tar stream in which a sandbox hands out what its job wrote: read as what it is, bytes from a stranger."""

from __future__ import annotations

import tarfile
from io import BytesIO

from computility.domain.errors import JobFailed, OutputTooLarge
from computility.domain.file_path import paths_fault

STREAMS = ("stdout", "stderr")


def read_output_archive(archive: bytes, max_bytes: int, max_files: int) -> dict[str, bytes]:
    """Regular files by path. Links, devices and empty folders are left out, as are empty ``stdout`` and ``stderr``.

    Raises:
        OutputTooLarge: more files or bytes than the job may write.
        JobFailed: a path that no manifest can hold, or no archive at all.
    """
    outputs: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=BytesIO(archive), mode="r:") as tar:
            for member in tar:
                # Python's reader would go back, and read the same for ever.
                if member.size < 0:
                    raise JobFailed("the job left no readable output: a file in it has less than no bytes")
                if not member.isreg():
                    continue
                # Sizes are what the archive says: nothing is read before they are added up.
                total += member.size
                if len(outputs) >= max_files + len(STREAMS) or total > max_bytes or member.issparse():
                    raise _too_large(max_bytes, max_files)
                path = member.name.removeprefix("./")
                file = tar.extractfile(member)
                assert file is not None
                data = file.read()
                if path in STREAMS and not data:
                    continue
                outputs[path] = data
    except (tarfile.TarError, EOFError, UnicodeError, ValueError, OSError) as error:
        raise JobFailed(f"the job left no readable output: {error}") from error
    if len(outputs) > max_files:
        raise _too_large(max_bytes, max_files)
    if fault := paths_fault(outputs):
        raise JobFailed(f"the job wrote a file that no result can name: {fault}")
    return outputs


def _too_large(max_bytes: int, max_files: int) -> OutputTooLarge:
    return OutputTooLarge(
        f"the job wrote more than {max_files} files or {max_bytes} bytes: allow more output, or write less"
    )


def longest_archive(max_bytes: int, max_files: int) -> int:
    """Bytes that an archive of so much can have at most: headers, long names, padding."""
    return max_bytes + 8 * 512 * (max_files + 64) + 1024 * 1024
