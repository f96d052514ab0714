"""``freivalds`` for jobs: the inputs are two matrices as NumPy files, the output is their product as one.

    {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}        integers
    {"method": "freivalds", …, "precision": "float32"}                                     or bfloat16, float16: how results are rounded
    {"method": "freivalds", …, "precision": "float32", "graded": true}                     by `graded_product`: badly scaled or long

``left`` and ``right`` are paths of the specification's inputs, ``product`` one of the output manifest. What a provider wrote wrongly fails;
content that is missing, and inputs or policies that do not fit, harm nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidManifest
from computility.domain.manifest import parse_manifest
from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.execution.content_store import ContentStore
from computility.verification.array_files import read_array
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT
from computility.verification.freivalds import INPUTS_UNFIT, OUT_OF_MEMORY
from computility.verification.freivalds_float import BFLOAT16_OUT, FLOAT16_OUT, FLOAT32
from computility.verification.graded_product import check_graded_product
from computility.verification.product_checks import ProcessorChecks, ProductChecks

PRECISIONS: Final = {"float32": FLOAT32, "bfloat16": BFLOAT16_OUT, "float16": FLOAT16_OUT}
MANIFEST_UNFIT: Final = "manifest-unfit"
PRODUCT_MISSING: Final = "product-missing"
NOT_A_MATRIX: Final = "not-a-matrix"


class ProductVerifier:
    """Checks products that lie in a content store. ``checks`` says on what."""

    def __init__(self, content: ContentStore, checks: ProductChecks | None = None) -> None:
        self._content = content
        self._checks = checks or ProcessorChecks()

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As `Verifier.verify`."""
        names = [policy.get(name) for name in ("left", "right", "product")]
        precision = policy.get("precision")
        inputs = {file.path: file.cid for file in specification.inputs}
        if names[0] not in inputs or names[1] not in inputs or not isinstance(names[2], str):
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        graded = policy.get("graded", False)
        if (precision is not None and precision not in PRECISIONS) or type(graded) is not bool:
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        if graded and precision is None:
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        try:
            left, right = (read_matrix(self._content.get(inputs[name])) for name in (names[0], names[1]))
            document = self._content.get(content_id_of_digest(submission.result))
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except MemoryError:
            return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
        except ValueError:
            return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
        try:
            files = {file.path: file.cid for file in parse_manifest(document).files}
            if names[2] not in files:
                return CheckResult(Verdict.FAIL, PRODUCT_MISSING)
            product = read_matrix(self._content.get(files[names[2]]))
        except InvalidManifest:
            return CheckResult(Verdict.FAIL, MANIFEST_UNFIT)
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except MemoryError:
            return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
        except ValueError:
            return CheckResult(Verdict.FAIL, NOT_A_MATRIX)
        if precision is None:
            return self._checks.integers(left, right, product, seed)
        if graded:
            return check_graded_product(left, right, product, seed, PRECISIONS[precision], check=self._checks.floats)
        return self._checks.floats(left, right, product, seed, PRECISIONS[precision])


def read_matrix(data: bytes) -> npt.NDArray[Any]:
    """The matrix in the bytes of a NumPy file, read in place: whatever its header claims, nothing is allocated.

    Raises:
        ValueError: no such file, objects in it, not two dimensions, or another number of bytes than its header says.
    """
    matrix = read_array(data)
    if matrix.ndim != 2:
        raise ValueError("a matrix has two dimensions of integers or floats")
    return matrix
