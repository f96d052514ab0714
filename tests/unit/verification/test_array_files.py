"""Arrays from strangers: what NumPy writes is read, and whatever else there is ends in one error, before anything large is made."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
from tests.unit.verification.hostile_files import HOSTILE_ARCHIVES, HOSTILE_ARRAYS, MIB, ONE, PACKED, npy, zipped

from computility.verification.array_files import read_archive, read_array


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=">i8").reshape(3, 4)),
        np.array(1.5),
        np.zeros((0, 3), dtype=np.float16),
        np.arange(5, dtype=np.int8),
        np.arange(5, dtype=np.uint16),
    ],
)
def test_what_numpy_writes__is_read_as_numpy_reads_it(array: Any, version: tuple[int, int]) -> None:
    read = read_array(npy(array, version))
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)
    assert read.shape == array.shape


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_savez_writes__is_read(save: Any) -> None:
    stream = io.BytesIO()
    save(stream, w=np.ones((2, 3)), b=np.zeros(3, dtype=np.float32))
    arrays = read_archive(stream.getvalue(), MIB)
    assert arrays.keys() == {"w", "b"}
    assert np.array_equal(arrays["w"], np.ones((2, 3)))


@pytest.mark.parametrize("data", HOSTILE_ARRAYS.values(), ids=HOSTILE_ARRAYS)
def test_a_hostile_array__is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        read_array(data)


@pytest.mark.parametrize("data", HOSTILE_ARCHIVES.values(), ids=HOSTILE_ARCHIVES)
def test_a_hostile_archive__is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        read_archive(data, MIB)


def test_a_member_twice__is_a_value_error() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped(("w.npy", npy(np.zeros(2))), ("w.npy", npy(np.ones(2))))
    with pytest.raises(ValueError, match="twice"):
        read_archive(twice, MIB)


@pytest.mark.parametrize("whole", [npy(np.arange(6.0).reshape(2, 3)), ONE, PACKED], ids=["npy", "stored", "packed"])
def test_bytes_changed_anywhere__are_read_or_a_value_error(whole: bytes) -> None:
    random = np.random.default_rng(11)
    for _ in range(2_000):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(0, 256)
        try:
            read_array(bytes(data)) if whole[:1] == b"\x93" else read_archive(bytes(data), MIB)
        except ValueError:
            continue


def test_the_corpus_is_hostile() -> None:
    """NumPy's own reader raises what nobody expects on it: else these tests would show nothing."""
    raised = set()
    for data in HOSTILE_ARCHIVES.values():
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
                for name in loaded.files:
                    loaded[name].dtype  # noqa: B018 - a member that is no array has none
        except Exception as error:  # noqa: BLE001 - whatever it is
            raised.add(type(error))
    assert {RuntimeError, NotImplementedError, AttributeError, zlib.error} <= raised
