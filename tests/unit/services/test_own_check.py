"""A provider looks at its own result before it stakes its bond on it.

a policy
├── of a product: right is submitted, wrong is not
├── of segments: all checkpoints are there, or not
├── that wants any of several: left to the verifiers
└── of none of these: nothing is looked at
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.verification.scripted_executor import Result

from computility.domain.content_id import content_id_of_digest
from computility.domain.job_specification import InputFile
from computility.domain.manifest import parse_manifest
from computility.services.own_check import own_fault

PRODUCT = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
SEGMENTS = {
    "method": "segment-replay", "checkpoints": "c/", "segments": 2, "sampled": 1, "threshold_ppm": 50_000, "replay": ["run"],
}  # fmt: skip


def npy(matrix: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, matrix)
    return stream.getvalue()


LEFT, RIGHT = (np.random.default_rng(n).integers(-9, 9, (6, 6), dtype=np.int8) for n in (1, 2))
HONEST = {"c.npy": npy(LEFT.astype(np.int32) @ RIGHT.astype(np.int32))}
WRONG = {"c.npy": npy(LEFT.astype(np.int32) @ RIGHT.astype(np.int32) + 1)}


def found(folder: Path, policy: dict[str, Any], outputs: dict[str, bytes]) -> str | None:
    result = Result(folder)
    inputs = [(name, npy(matrix)) for name, matrix in (("a.npy", LEFT), ("b.npy", RIGHT))]
    files = tuple(InputFile(name, result.content.put(data), len(data)) for name, data in inputs)
    result.specification = replace(result.specification, inputs=files, verification=policy)
    submission = result.submit(outputs)
    manifest = parse_manifest(result.content.get(content_id_of_digest(submission.result)))
    return own_fault(result.specification, submission, manifest, result.content)


@pytest.mark.parametrize("policy", [PRODUCT, {"method": "all-of", "of": [PRODUCT]}])
def test_a_wrong_product__is_seen__and_a_right_one_is_none(tmp_path: Path, policy: dict[str, Any]) -> None:
    assert found(tmp_path, policy, HONEST) is None
    assert found(tmp_path, policy, WRONG) == "product-wrong"
    assert found(tmp_path, policy, {}) == "product-missing"


def test_a_checkpoint_too_few__is_seen(tmp_path: Path) -> None:
    written = {f"c/{place:04d}.npz": b"x" for place in range(3)}
    assert found(tmp_path, SEGMENTS, written) is None
    del written["c/0002.npz"]
    assert found(tmp_path, SEGMENTS, written) == "checkpoint-missing"


@pytest.mark.parametrize("policy", [{}, {"method": "any-of", "of": [PRODUCT, {"method": "hash-equality"}]}])
def test_what_may_pass_otherwise__is_left_to_the_verifiers(tmp_path: Path, policy: dict[str, Any]) -> None:
    assert found(tmp_path, policy, WRONG) is None
