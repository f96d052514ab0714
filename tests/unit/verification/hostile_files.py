"""Files that a provider could write for a verifier to read: each makes NumPy's own reader raise, or make, something else than it should."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np

MIB = 1 << 20


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()


def with_header(header: bytes, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def described(descr: str = "'<f4'", shape: str = "(1,)", order: str = "False") -> bytes:
    return with_header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode(), bytes(4))


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def patched(archive: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """An archive with other bytes so far behind the first signature of a kind."""
    at = archive.index(signature) + offset
    return archive[:at] + value + archive[at + len(value) :]


ONE = zipped(("w.npy", npy(np.zeros(4, dtype=np.float32))))
PACKED = zipped(("w.npy", npy(np.zeros(400, dtype=np.float32))), method=zipfile.ZIP_DEFLATED)
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"

HOSTILE_ARRAYS: dict[str, bytes] = {
    "nothing": b"",
    "another magic": b"\x93NUMPX\x01\x00\x00\x00",
    "another version": npy(np.zeros(2))[:6] + b"\x03\x00" + npy(np.zeros(2))[8:],
    "a header that goes on": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    "an open bracket, a TokenError": with_header(b"{'descr': ("),
    "an indentation, an IndentationError": with_header(b"  {\n 'descr'\n: 1}"),
    "nine thousand signs, a MemoryError": with_header(b"-" * 9_000 + b"1"),
    "ten thousand brackets, a RecursionError": with_header(b"(" * 10_000),
    "keys of two kinds, a TypeError": with_header(b"{1: 2, 'descr': '<f4', 'shape': ()}"),
    "objects": npy(np.array([None])),
    "fields": npy(np.zeros(2, dtype=[("a", "<f4")])),
    "strings": npy(np.array(["a"])),
    "floats of one byte": described("'<f1'", "(4,)"),
    "a type that is none": described("'<q9'"),
    "a shape of words": described(shape="('a',)"),
    "a negative shape": described(shape="(-1,)"),
    "more than there is": described(shape=f"({10**15},)"),
    "more than a number can be": described(shape=f"({10**14}, {10**14}, {10**14})"),
    "nothing by more than can be": described(shape=f"(0, {10**15}, {10**15})"),
    "fewer than there are": described(shape="(0,)"),
    "too many dimensions": described(shape="(" + "1, " * 200 + ")"),
    "an order that is none": described(order="0"),
}

HOSTILE_ARCHIVES: dict[str, bytes] = {
    "nothing": b"",
    "half of one": ONE[: len(ONE) // 2],
    "a member that is no array, an AttributeError": zipped(("w.txt", b"words")),
    "a member of rubbish": zipped(("w.npy", b"rubbish")),
    "encrypted, a RuntimeError": patched(patched(ONE, CENTRAL, 8, b"\x01\x00"), LOCAL, 6, b"\x01\x00"),
    "another method, a NotImplementedError": patched(patched(ONE, CENTRAL, 10, b"\x63\x00"), LOCAL, 8, b"\x63\x00"),
    "LZMA": zipped(("w.npy", npy(np.zeros(2))), method=zipfile.ZIP_LZMA),
    "a later zip, a NotImplementedError": patched(ONE, CENTRAL, 6, b"\xff\xff"),
    "bytes that do not inflate, a zlib.error": patched(PACKED, b"w.npy", 5, b"\xff" * 9),
    "another sum": patched(ONE, CENTRAL, 16, b"\x00\x00\x00\x01"),
    "another size": patched(ONE, CENTRAL, 24, struct.pack("<I", 5)),
    "a size that is not there": patched(ONE, CENTRAL, 24, struct.pack("<I", MIB - 1)),
    "larger than it may be": patched(ONE, CENTRAL, 24, struct.pack("<I", 2**31)),
    "a place outside": patched(ONE, CENTRAL, 42, struct.pack("<I", 2**31)),
    "another name inside": patched(ONE, LOCAL, 30, b"x"),
    "an array of a quadrillion entries, a MemoryError": zipped(("w.npy", described(shape=f"({10**15},)"))),
    "many thousand members": CENTRAL * 5_000,
    "a bomb": zipped(("w.npy", bytes(64 * MIB)), method=zipfile.ZIP_DEFLATED),
}
