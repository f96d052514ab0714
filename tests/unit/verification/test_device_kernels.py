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

from computility.domain.merkle import merkle_root
from computility.verification.challenge_stream import random_residues
from computility.verification.device_kernels import GROUP, SUMS, kernel_source
from computility.verification.hardware_challenge import HardwareChallenge, row_digest
from computility.verification.mersenne61 import PRIME

CHECKOUT = Path(__file__).parents[3]
HOST = """
#include <pthread.h>
typedef struct { unsigned x; } place;
typedef struct { int x, y, z, w; } int4;
typedef struct { double x, y; } double2;
static place blockIdx, blockDim = {1};
static _Thread_local place threadIdx;
static pthread_barrier_t barrier;
#define BARRIER pthread_barrier_wait(&barrier)
static unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return ((unsigned __int128)a * b) >> 64; }
"""
DRIVERS = """
// Kernels whose threads do not wait for each other: one after the other.
#define SERIALLY(count) for (blockIdx.x = 0; blockIdx.x < (unsigned)(count); ++blockIdx.x)
void host_draw_rows(const int* rows, int count, int words, u64 a, u64 b, int turned, u64* out) {
    SERIALLY(count * ((words + 3) / 4)) draw_rows(rows, count, words, a, b, turned, out);
}
void host_sha256_rows(const u32* m, int rows, int columns, u32* out) { SERIALLY(rows) sha256_rows(m, rows, columns, out); }
void host_merkle_level(const u32* nodes, int count, int joined, u32* out) {
    SERIALLY((count + joined - 1) / joined) merkle_level(nodes, count, joined, out);
}
void host_neighbour_sums(const double* l, const double* r, const double* w, int rows, int columns, int chunk, double* sums, double* eighths) {
    SERIALLY(((rows + chunk - 1) / chunk) * ((columns + 7) / 8)) neighbour_sums(l, r, w, rows, columns, chunk, sums, eighths);
}
// Blocks one after the other, each with all its threads.
typedef struct { const void* matrix; const u64 *vector, *expected; int entry, rows, columns; unsigned thread; u64* out; int* wrong; } work;
static void* one(void* given) {
    work* w = given;
    threadIdx.x = w->thread;
    if (w->entry == 1) products_i8(w->matrix, w->vector, w->rows, w->columns, w->expected, w->out, w->wrong);
    else products_i32(w->matrix, w->vector, w->rows, w->columns, w->expected, w->out, w->wrong);
    return 0;
}
void host_products(int entry, const void* m, const u64* v, int rows, int columns, const u64* expected, u64* out, int* wrong) {
    pthread_t threads[THREADS];
    work given[THREADS];
    pthread_barrier_init(&barrier, 0, THREADS);
    SERIALLY((rows + ROWS - 1) / ROWS) {
        for (unsigned i = 0; i < THREADS; ++i) {
            given[i] = (work){m, v, expected, entry, rows, columns, i, out, wrong};
            pthread_create(&threads[i], 0, one, &given[i]);
        }
        for (unsigned i = 0; i < THREADS; ++i) pthread_join(threads[i], 0);
    }
    pthread_barrier_destroy(&barrier);
}
"""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("kernels")
    source, library = folder / "kernels.c", folder / "kernels.so"
    source.write_text(HOST + kernel_source() + DRIVERS)
    cache = str(CHECKOUT / ".cache" / "zig")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-O2", "-shared", "-fPIC", "-pthread", "-o", str(library), str(source)],
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
        at(rows), 3, words, ctypes.c_uint64(int(halves[0])), ctypes.c_uint64(int(halves[1])), 0, at(drawn)
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


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 64, 100])
def test_the_tree_over_digests__is_that_of_the_processor(kernels: ctypes.CDLL, count: int) -> None:
    nodes = np.random.default_rng(count).integers(0, 256, (count, 32), dtype=np.uint8)
    wanted = merkle_root([row.tobytes() for row in nodes])
    joined = 1
    while joined == 1 or len(nodes) > 1:
        above = np.empty((-(-len(nodes) // joined), 32), dtype=np.uint8)
        kernels.host_merkle_level(at(nodes), len(nodes), joined, at(above))
        nodes, joined = above, 2
    assert "0x" + nodes.tobytes().hex() == wanted


@pytest.mark.parametrize("columns", [3_001, 8_192])
@pytest.mark.parametrize("dtype", [np.int8, np.int32])
def test_products_with_a_vector_are_exact_modulo_the_prime(
    kernels: ctypes.CDLL, dtype: type[Any], columns: int
) -> None:
    info = np.iinfo(dtype)
    matrix = np.random.default_rng(1).integers(info.min, info.max, (11, columns), dtype=dtype, endpoint=True)
    matrix[0], matrix[1] = info.min, info.max
    vector = random_residues(b"drawn after the commitment", "test", (columns, 1))[:, 0]
    vector[:5] = [0, 1, PRIME - 1, PRIME - 1, 2**42]
    found, wrong = np.zeros(11, dtype=np.uint64), np.zeros(1, dtype=np.int32)
    given = (matrix.itemsize, at(matrix), at(vector), 11, columns)
    kernels.host_products(*given, None, at(found), None)
    assert [int(one) for one in found] == [
        sum(int(a) * int(b) for a, b in zip(row, vector, strict=True)) % PRIME for row in matrix
    ]
    kernels.host_products(*given, at(found), None, at(wrong))
    assert not wrong[0]
    found[10] ^= np.uint64(1)
    kernels.host_products(*given, at(found), None, at(wrong))
    assert wrong[0]


@pytest.mark.parametrize("columns", [5, 16, 27])
@pytest.mark.parametrize("alone", [False, True])
def test_sums_over_neighbours(kernels: ctypes.CDLL, columns: int, alone: bool) -> None:
    rows, chunk = 10, 4
    random = np.random.default_rng(columns)
    left, right = random.standard_normal((2, rows, columns))
    threads = -(-columns // GROUP)
    sums, eighths = np.empty((3, SUMS * threads)), np.empty((rows, columns // GROUP))
    sizes, other = (rows, columns, chunk), None if alone else at(right)
    kernels.host_neighbour_sums(at(left), other, None, *sizes, at(sums), at(eighths))
    x = left if alone else left * right
    pairs = [x[:, : columns >> level << level].reshape(rows, -1, 1 << level).sum(axis=2) for level in range(4)]
    total = sums.sum(axis=0)
    assert np.allclose(total[:columns], x.sum(axis=0))
    for level, first in enumerate((8, 16, 20)):
        assert np.allclose(total[first * threads :][: columns >> level], np.square(pairs[level]).sum(axis=0))
    assert np.allclose(eighths, pairs[3])
    kernels.host_neighbour_sums(at(left), other, at(right), *sizes, at(sums), None)
    weighted = x * right.ravel()[:rows, np.newaxis]
    assert np.allclose(sums.sum(axis=0)[:columns], weighted.sum(axis=0))


def test_what_the_kernels_draw__is_what_the_challenge_asks(kernels: ctypes.CDLL) -> None:
    challenge = HardwareChallenge(b"a seed of the chain", "0x" + "11" * 20, ("cpu",), 4, 16)  # type: ignore[arg-type] # no checksum needed
    key, rows = challenge.left_key("cpu"), np.arange(4, dtype=np.int32)
    halves = np.frombuffer(key[:16], dtype="<u8")
    drawn = np.empty((4, 2), dtype=np.uint64)
    words = [ctypes.c_uint64(int(half)) for half in halves]
    kernels.host_draw_rows(at(rows), 4, 2, *words, 0, at(drawn))
    assert (drawn.view(np.int8) == challenge.left("cpu")).all()
    kernels.host_draw_rows(at(rows), 4, 2, *words, 1, at(drawn))
    assert (challenge.left("cpu") == drawn.view(np.int8).reshape(16, 4).T).all()
