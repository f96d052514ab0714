"""Random numbers that everybody draws alike from a challenge seed, by SHAKE-256.

A seed must not exist before the result is committed; whoever knows it earlier can cheat every check that uses it.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from computility.verification.mersenne61 import PRIME, Residues

MIN_SEED_BYTES: Final = 16


def random_residues(seed: bytes, label: str, shape: tuple[int, int]) -> Residues:
    """Independent uniform residues modulo 2^61 − 1, uint64 of ``shape``.

    Raises:
        ValueError: a seed below ``MIN_SEED_BYTES``.
    """
    wanted = shape[0] * shape[1]
    # A draw of 61 ones is no residue. One in 2^61 is, so that the spare draws never run out.
    spare = 8
    raw = np.frombuffer(_stream(seed, label, 8 * (wanted + spare)), dtype="<u8") & np.uint64(PRIME)
    residues: Residues = raw[raw != PRIME][:wanted]
    assert len(residues) == wanted
    return np.reshape(residues.astype(np.uint64), shape)


def random_signs(seed: bytes, label: str, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Independent Rademacher variables, −1.0 or 1.0, of ``shape``.

    Raises:
        ValueError: a seed below ``MIN_SEED_BYTES``.
    """
    wanted = shape[0] * shape[1]
    bits = np.unpackbits(sign_bits(seed, label, wanted), count=wanted)
    signs: npt.NDArray[np.float64] = 1.0 - 2.0 * bits.astype(np.float64).reshape(shape)
    return signs


def sign_bits(seed: bytes, label: str, wanted: int) -> npt.NDArray[np.uint8]:
    """The signs of `random_signs` before they are numbers: a bit each, set for −1, the highest of a byte first.

    Raises:
        ValueError: a seed below ``MIN_SEED_BYTES``.
    """
    return np.frombuffer(_stream(seed, label, -(-wanted // 8)), dtype=np.uint8)


def random_sample(seed: bytes, label: str, population: int, wanted: int) -> list[int]:
    """``wanted`` different numbers below ``population`` (all, where there are not more), ascending.

    Raises:
        ValueError: a seed below ``MIN_SEED_BYTES``.
    """
    # Everybody ranks the numbers by a 128-bit draw: no modulo, so no bias, and the first ones are a sample without replacement.
    draws = np.frombuffer(_stream(seed, label, 16 * population), dtype=">u8").reshape(population, 2)
    order = np.lexsort((np.arange(population), draws[:, 1], draws[:, 0]))
    return sorted(int(number) for number in order[:wanted])


def _stream(seed: bytes, label: str, length: int) -> bytes:
    if len(seed) < MIN_SEED_BYTES:
        raise ValueError(f"a challenge seed has at least {MIN_SEED_BYTES} bytes, not {len(seed)}")
    name = label.encode()
    prefix = b"computility/challenge/1" + len(name).to_bytes(2, "big") + name
    return hashlib.shake_256(prefix + seed).digest(length)
