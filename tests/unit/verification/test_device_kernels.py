"""The GPU's kernels, compiled for the processor: the same text has to draw, hash and multiply as NumPy, hashlib and integers do."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from computility.verification.challenge_stream import random_residues
from computility.verification.device_kernels import LANES, kernel_source
from computility.verification.hardware_challenge import HardwareChallenge, row_digest
from computility.verification.mersenne61 import PRIME

CHECKOUT = Path(__file__).parents[3]
HOST = """
typedef struct { unsigned x; } place;
static place blockIdx, threadIdx, blockDim = {1};
static unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return ((unsigned __int128)a * b) >> 64; }
"""
DRIVERS = """
void host_draw_rows(const int* rows, int count, int words, u64 a, u64 b, u64* out) {
    for (blockIdx.x = 0; blockIdx.x < (unsigned)(count * ((words + 3) / 4)); ++blockIdx.x) draw_rows(rows, count, words, a, b, out);
}
void host_sha256_rows(const u32* m, int rows, int columns, u32* out) {
    for (blockIdx.x = 0; blockIdx.x < (unsigned)rows; ++blockIdx.x) sha256_rows(m, rows, columns, out);
}
void host_products_i8(const signed char* m, const u64* v, int rows, int columns, u64* out) {
    for (blockIdx.x = 0; blockIdx.x < (unsigned)(rows * LANES); ++blockIdx.x) products_i8(m, v, rows, columns, out);
}
void host_products_i32(const int* m, const u64* v, int rows, int columns, u64* out) {
    for (blockIdx.x = 0; blockIdx.x < (unsigned)(rows * LANES); ++blockIdx.x) products_i32(m, v, rows, columns, out);
}
"""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("kernels")
    source, library = folder / "kernels.c", folder / "kernels.so"
    source.write_text(HOST + kernel_source() + DRIVERS)
    cache = str(CHECKOUT / ".cache" / "zig")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)],
        env={"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
        check=True,
    )
    return ctypes.CDLL(str(library))


def at(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@pytest.mark.parametrize("words", [1, 4, 6, 33])
def test_rows_are_drawn_as_numpy_draws_them(kernels: ctypes.CDLL, words: int) -> None:
    key, rows = bytes(range(16)), np.array([0, 3, 1_000_000], dtype=np.int32)
    drawn = np.empty((3, words), dtype=np.uint64)
    halves = np.frombuffer(key, dtype="<u8")
    kernels.host_draw_rows(
        at(rows), 3, words, ctypes.c_uint64(int(halves[0])), ctypes.c_uint64(int(halves[1])), at(drawn)
    )
    for place, row in enumerate(rows):
        stream = np.random.Philox(key=halves, counter=np.array([0, row, 0, 0], dtype=np.uint64))
        assert (drawn[place] == stream.random_raw(words)).all()


@pytest.mark.parametrize("columns", [1, 8, 13, 14, 16, 29, 64, 100])
def test_rows_are_hashed_as_hashlib_hashes_them(kernels: ctypes.CDLL, columns: int) -> None:
    product = np.random.default_rng(columns).integers(-(2**31), 2**31, (5, columns), dtype=np.int32)
    digests = np.empty((5, 8), dtype=np.uint32)
    kernels.host_sha256_rows(at(product), 5, columns, at(digests))
    assert [digest.tobytes() for digest in digests] == [row_digest(row) for row in product]
    assert digests[0].tobytes() == hashlib.sha256(product[0].tobytes()).digest()


@pytest.mark.parametrize("dtype", [np.int8, np.int32])
def test_products_with_a_vector_are_exact_modulo_the_prime(kernels: ctypes.CDLL, dtype: type[Any]) -> None:
    info = np.iinfo(dtype)
    matrix = np.random.default_rng(1).integers(info.min, info.max, (7, 3_000), dtype=dtype, endpoint=True)
    matrix[0], matrix[1] = info.min, info.max
    vector = random_residues(b"drawn after the commitment", "test", (3_000, 1))[:, 0]
    vector[:5] = [0, 1, PRIME - 1, PRIME - 1, 2**42]
    parts = np.empty((7, LANES), dtype=np.uint64)
    run = kernels.host_products_i8 if dtype is np.int8 else kernels.host_products_i32
    run(at(matrix), at(vector), 7, 3_000, at(parts))
    found = [sum(map(int, row)) % PRIME for row in parts]
    wanted = [sum(int(a) * int(b) for a, b in zip(row, vector, strict=True)) % PRIME for row in matrix]
    assert found == wanted


def test_what_the_kernels_draw__is_what_the_challenge_asks(kernels: ctypes.CDLL) -> None:
    challenge = HardwareChallenge(b"a seed of the chain", "0x" + "11" * 20, ("cpu",), 4, 16)  # type: ignore[arg-type] # no checksum needed
    key, rows = challenge.left_key("cpu"), np.arange(4, dtype=np.int32)
    halves = np.frombuffer(key[:16], dtype="<u8")
    drawn = np.empty((4, 2), dtype=np.uint64)
    kernels.host_draw_rows(at(rows), 4, 2, ctypes.c_uint64(int(halves[0])), ctypes.c_uint64(int(halves[1])), at(drawn))
    assert (drawn.view(np.int8) == challenge.left("cpu")).all()
