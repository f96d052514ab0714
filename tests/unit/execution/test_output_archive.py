"""What a sandbox hands out is bytes from a stranger: no archive makes the reader hang, or reach beyond what a job may write.

an archive
├── of a file with less than no bytes is refused: the reader of the standard library would go round for ever
├── of links, devices and pipes comes to nothing
├── of a huge sparse file is too large before a byte of it is read
└── of names that no manifest can hold is the job's fault
"""

from __future__ import annotations

import tarfile

import pytest

from computility.domain.errors import JobFailed, OutputTooLarge
from computility.execution.sandbox.output_archive import read_output_archive

_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)


def archive(*members: tarfile.TarInfo) -> bytes:
    """An archive of members without content."""
    return b"".join(member.tobuf(tarfile.GNU_FORMAT) for member in members) + bytes(1024)


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    """One member."""
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = "/etc/shadow" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return made


def of_size(header: bytes, size: int) -> bytes:
    """A header that claims a size, in the base-256 form that allows any."""
    changed = bytearray(header)
    changed[_SIZE] = (0xFF if size < 0 else 0x80).to_bytes(1, "big") + (size % 256**11).to_bytes(11, "big")
    changed[_CHECKSUM] = b" " * 8
    changed[_CHECKSUM] = b"%06o\0 " % sum(changed)
    return bytes(changed)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, b"Z"])
def test_archive__of_a_file_with_less_than_no_bytes__is_refused(kind: bytes) -> None:
    forged = member("a").tobuf() + of_size(member("b", kind).tobuf(tarfile.GNU_FORMAT), -512) + bytes(1024)
    with pytest.raises(JobFailed, match="no readable output"):
        read_output_archive(forged, 1_000, 8)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE]
)
def test_archive__of_no_regular_file__comes_to_nothing(kind: bytes) -> None:
    assert read_output_archive(archive(member("a", kind)), 1_000, 8) == {}


def test_archive__of_a_file_larger_than_it_is__is_too_large_before_it_is_read() -> None:
    forged = of_size(member("a").tobuf(tarfile.GNU_FORMAT), 2**60) + bytes(1024)
    with pytest.raises(OutputTooLarge):
        read_output_archive(forged, 1_000, 8)


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a\nb", "b\udcff"])
def test_archive__of_a_name_that_no_manifest_holds__is_the_jobs_fault(name: str) -> None:
    with pytest.raises(JobFailed):
        read_output_archive(archive(member(name)), 1_000, 8)
