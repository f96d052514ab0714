"""NumPy's files from a stranger: ``.npy``, and ``.npz`` archives of them, read by a strict grammar of our own.

NumPy's reader evaluates a header as Python and allocates what it claims; `zipfile` raises a dozen kinds of errors and inflates what it is told.
Whoever writes a file that a verifier has to read would choose among them. Here a header fits one regular expression, its numbers fit the bytes
that are there before any array is made, and whatever does not fit is a ``ValueError``.

The format is that of `numpy.lib.format`, versions 1.0 and 2.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_MAGIC: Final = b"\x93NUMPY"
_LENGTH_BYTES: Final = {b"\x01\x00": 2, b"\x02\x00": 4}
_MAX_HEADER: Final = 4096
_HEADER: Final = re.compile(
    rb"\{ ?'descr': ?'([<>|][iuf][1248])', ?'fortran_order': ?(True|False), ?"
    rb"'shape': ?\(((?:[0-9]{1,15}, ?){0,31}(?:[0-9]{1,15})?)\),? ?\} *\n?"
)
_MAX_MEMBERS: Final = 4096
_CENTRAL_ENTRY: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NPY: Final = ".npy"


def read_array(data: bytes) -> npt.NDArray[Any]:
    """The array in the bytes of a ``.npy`` file, read in place.

    Raises:
        ValueError: no such file, entries that are no integers or floats of the usual sizes, or another number of bytes than its header says.
    """
    width = _LENGTH_BYTES.get(data[6:8])
    if data[:6] != _MAGIC or width is None:
        raise ValueError("no NumPy file of format 1.0 or 2.0")
    start = 8 + width
    length = int.from_bytes(data[8:start], "little")
    if length > _MAX_HEADER or len(data) < start + length:
        raise ValueError("the header is longer than the file, or than a header has to be")
    found = _HEADER.fullmatch(data[start : start + length])
    if found is None:
        raise ValueError("the header is none that NumPy writes of an array of integers or floats")
    descr, by_columns, listed = (part.decode("ascii") for part in found.groups())
    if descr[1:] == "f1":
        raise ValueError("there are no floats of one byte")
    dtype = np.dtype(descr)
    shape = tuple(int(size) for size in listed.replace(" ", "").split(",") if size)
    if math.prod(shape) * dtype.itemsize != len(data) - start - length:
        raise ValueError("the file has another number of bytes than its header says")
    entries: npt.NDArray[Any] = np.frombuffer(data, dtype=dtype, offset=start + length)
    return np.reshape(entries, shape, order="F" if by_columns == "True" else "C")


def read_archive(data: bytes, most_bytes: int) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a ``.npz`` file by their names, at most ``most_bytes`` of them together.

    Raises:
        ValueError: no such archive; members that are encrypted, packed by another method than `numpy.savez` uses, twice there, larger or smaller
            than they say, or no ``.npy`` files; too many or too large.
        MemoryError: what was within the bounds is too much for this machine.
    """
    if data.count(_CENTRAL_ENTRY) > _MAX_MEMBERS:
        raise ValueError(f"an archive has at most {_MAX_MEMBERS} members")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, most_bytes)
            return {member.filename.removesuffix(_NPY): read_array(_inflated(archive, member)) for member in members}
    except (ValueError, MemoryError):
        raise
    except Exception as error:
        # The bytes are all that this depends on: whatever zipfile or zlib says of them, they are no archive.
        raise ValueError(f"no archive of arrays: {type(error).__name__}") from error


def _check_members(members: list[zipfile.ZipInfo], most_bytes: int) -> None:
    if len({member.filename for member in members}) != len(members):
        raise ValueError("a member is there twice")
    if sum(member.file_size for member in members) > most_bytes:
        raise ValueError(f"the arrays have more than {most_bytes} bytes")
    for member in members:
        if not member.filename.endswith(_NPY) or member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
            raise ValueError("a member is none of those that numpy.savez writes")


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise ValueError("a member has another number of bytes than it says")
    return data
