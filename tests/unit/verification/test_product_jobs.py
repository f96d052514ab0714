"""Products in a content store."""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.verification.hostile_files import HOSTILE_ARRAYS

from computility.domain.attestation import Verdict
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import Submission
from computility.execution.content_store import FileContentStore
from computility.verification.graded_product import multiply_by_grades
from computility.verification.product_jobs import ProductVerifier, read_matrix

SEED = b"drawn after the commitment"
POLICY = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}


@dataclass(frozen=True)
class Inputs:
    """What the verifier reads of a specification."""

    inputs: tuple[InputFile, ...]


def npy(matrix: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, matrix)
    return stream.getvalue()


def checked(folder: Path, left: Any, right: Any, product: bytes, policy: dict[str, Any]) -> Any:
    content = FileContentStore(str(folder), 1 << 20)
    inputs: Any = Inputs(
        tuple(
            InputFile(path, content.put(npy(matrix)), len(npy(matrix)))
            for path, matrix in (("a.npy", left), ("b.npy", right))
        )
    )
    content.put(product)
    file = OutputFile("c.npy", len(product), sha256(product).hexdigest())
    manifest = make_manifest(Bytes32("0x" + "01" * 32), environment_of(), None, [file])
    content.put(manifest.to_bytes())
    submission = Submission(Bytes32("0x" + "02" * 32), 1, manifest.digest, 5, Bytes32("0x" + "03" * 32), 9)
    return ProductVerifier(content).verify(inputs, submission, policy, SEED)


def environment_of() -> str:
    from computility.execution.wasm.executor import WasmExecutor

    return WasmExecutor().environment


@pytest.fixture
def matrices() -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    return tuple(random.integers(-128, 128, (20, 20), dtype=np.int8) for _ in range(2))  # type: ignore[return-value]


def test_a_right_product_passes__and_a_wrong_one_fails(tmp_path: Path, matrices: Any) -> None:
    left, right = matrices
    product = left.astype(np.int32) @ right.astype(np.int32)
    assert checked(tmp_path, left, right, npy(product), POLICY).verdict is Verdict.PASS
    product[3, 3] += 1
    assert checked(tmp_path, left, right, npy(product), POLICY).reason == "product-wrong"


def test_floats_are_judged_by_the_precision_of_the_policy(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    left, right = (random.standard_normal((30, 30)).astype(np.float32) for _ in range(2))
    policy = {**POLICY, "precision": "float32"}
    assert checked(tmp_path, left, right, npy(left @ right), policy).verdict is Verdict.PASS
    assert checked(tmp_path, left, right, npy((left @ right).astype(np.float16)), policy).verdict is Verdict.FAIL


@pytest.mark.parametrize("product", [b"no matrix", *HOSTILE_ARRAYS.values()])
def test_an_output_that_is_no_matrix__fails(tmp_path: Path, matrices: Any, product: bytes) -> None:
    assert checked(tmp_path, *matrices, product, POLICY).reason == "not-a-matrix"


@pytest.mark.parametrize("change", [{"left": "z.npy"}, {"precision": "exact"}])
def test_a_policy_that_does_not_fit_the_job__harms_nobody(tmp_path: Path, matrices: Any, change: Any) -> None:
    assert checked(tmp_path, *matrices, b"", {**POLICY, **change}).verdict is Verdict.NO_FAULT


def test_a_header_that_claims_more_than_the_file_has__allocates_nothing() -> None:
    data = npy(np.zeros((2, 2), dtype=np.int8)).replace(b"(2, 2)", b"(9999999, 9999999)", 1)
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy words it
        read_matrix(data)
    with pytest.raises(ValueError, match="two dimensions"):
        read_matrix(npy(np.zeros(4)))


def test_graded_products_are_judged_part_by_part__and_integers_have_no_grades(tmp_path: Path, matrices: Any) -> None:
    random = np.random.default_rng(4)
    left = random.standard_normal((40, 40)).astype(np.float32)
    right = (random.standard_normal((40, 40)) * 10.0 ** random.integers(-6, 7, (40, 1))).astype(np.float32)
    policy: Any = {**POLICY, "precision": "float32", "graded": True}
    assert checked(tmp_path, left, right, npy(multiply_by_grades(left, right)), policy).verdict is Verdict.PASS
    assert checked(tmp_path, left, right, npy(left @ right), policy).reason == "shape-wrong"
    assert checked(tmp_path, *matrices, npy(left), {**POLICY, "graded": True}).reason == "policy-unfit"
    assert checked(tmp_path, left, right, npy(left), {**policy, "graded": 1}).reason == "policy-unfit"
