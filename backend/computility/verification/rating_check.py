"""A round of the hardware challenge as both sides compute it: the work by the statements, the rows that are shown, the attributes of a rating.

What is shown is one document: for each device, in the claim's order, the 32-byte digests of all its rows, then the sampled rows as int32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from computility.domain.hardware_claim import DeviceList
from computility.domain.identifiers import Bytes32
from computility.domain.rating import INT8_GEMM
from computility.domain.rating_round import RatingChallenge, sample_seed, work_seed
from computility.verification.check_result import CheckResult
from computility.verification.hardware_answer import Answer
from computility.verification.hardware_challenge import HardwareChallenge
from computility.verification.hardware_rating import SAMPLED_ROWS, check_answer, micro_cu, sampled_rows

MEMORY_SHOWN: Final = "memory-shown"
"""Bytes that each device (or its host) held at one time: the matrices and their product."""
DEVICES: Final = "devices"
"""How many devices of the resource answered together."""
_DIGEST_BYTES: Final = 32
_ENTRY_BYTES: Final = 4


def work_of(
    challenge: RatingChallenge, told_first: Bytes32, block_hash: Bytes32, devices: DeviceList
) -> HardwareChallenge:
    """The work of a round: all claimed devices, one seed.

    Raises:
        ValueError: rows or size out of range.
    """
    seed = work_seed(told_first, block_hash)
    return HardwareChallenge(seed, challenge.provider, devices.ids, challenge.rows, challenge.size)


def shown(work: HardwareChallenge, answers: Sequence[Answer], root: Bytes32, secret: Bytes32) -> bytes:
    """What a provider shows once the sample is known."""
    parts = []
    for answer in answers:
        rows = sampled_rows(work, answer.card, root, sample_seed(secret))
        parts += [*answer.digests, answer.opened(rows).astype("<i4").tobytes()]
    return b"".join(parts)


def check_shown(work: HardwareChallenge, root: Bytes32, data: bytes, secret: Bytes32) -> CheckResult:
    """Whether what was shown are rows of every device's product, under the root. FAIL means no rating; nothing else follows from it."""
    sampled = min(SAMPLED_ROWS, work.rows)
    of_one = work.rows * _DIGEST_BYTES + sampled * work.size * _ENTRY_BYTES
    digests, opened = {}, {}
    for place, card in enumerate(work.cards):
        part = data[place * of_one : (place + 1) * of_one]
        head, tail = part[: work.rows * _DIGEST_BYTES], part[work.rows * _DIGEST_BYTES :]
        digests[card] = [head[at : at + _DIGEST_BYTES] for at in range(0, len(head), _DIGEST_BYTES)]
        if len(tail) == sampled * work.size * _ENTRY_BYTES:
            opened[card] = np.frombuffer(tail, dtype="<i4").reshape(sampled, work.size)
        else:
            opened[card] = np.empty((0, work.size), dtype=np.int32)
    return check_answer(work, root, digests, opened, sample_seed(secret))


def attributes(work: HardwareChallenge, elapsed_ms: int, devices: int) -> dict[str, int]:
    """What is rated of a resource with so many devices, each attribute signed by itself."""
    held = work.rows * work.size + work.size**2 + _ENTRY_BYTES * work.rows * work.size
    return {INT8_GEMM: micro_cu(work, elapsed_ms), MEMORY_SHOWN: held, DEVICES: devices}
