"""Checks of products on a device come to the processor's verdict, whatever the matrices are.

a device of PyTorch's
├── lets pass what the processor lets pass: every type, layout and shape that a file may have, NaN, infinities and denormals among it
├── never lets pass what the processor does not
└── fails, is busy or is not there → the processor checks, and it is said why
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from computility.domain.attestation import Verdict
from computility.domain.errors import ExecutorBusy
from computility.verification.check_result import CheckResult
from computility.verification.freivalds_float import BFLOAT16_OUT, FLOAT16_OUT, FLOAT32, Precision
from computility.verification.graded_product import check_graded_product, multiply_by_grades
from computility.verification.product_checks import DeviceChecks, ProcessorChecks

SEED = bytes(range(32))
PROCESSOR = ProcessorChecks()
INTEGERS = [np.dtype(order + kind) for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8") for order in "<>"]
ODD_FLOATS = (0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, -1e-310, 1e-45, 1e-38, 1e300, -1e308, 3e38, 1.0, -1.5)

Matrix = npt.NDArray[Any]


class Watched:
    """A device of PyTorch's that says whether it was let pass anything."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.passed: list[bool] = []
        self.checks = DeviceChecks(self._held)
        tried = self.checks._tried

        def watching(check: Any) -> CheckResult | None:
            found = tried(check)
            self.passed.append(found is not None)
            return found

        self.checks._tried = watching  # type: ignore[method-assign]  # to see who answered

    @contextlib.contextmanager
    def _held(self) -> Iterator[str]:
        yield self._name


@pytest.fixture(scope="module", params=["cpu", "cuda:0"])
def device(request: pytest.FixtureRequest) -> Watched:
    """PyTorch's CPU device, and a card where the machine has one."""
    torch = pytest.importorskip("torch")
    if request.param != "cpu" and not torch.cuda.is_available():
        pytest.skip("there is no card")
    return Watched(request.param)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks of rows in a small matrix."""
    for module in ("freivalds_torch", "freivalds_float_torch"):
        monkeypatch.setattr(f"computility.verification.{module}._BLOCK_ENTRIES", 64)
    monkeypatch.setattr("computility.verification.tensor_rows._STAGED_BYTES", 64)


def laid_out(matrix: Matrix, layout: str) -> Matrix:
    """The same matrix, lying otherwise in memory; as a file that was read in place, it cannot be written to."""
    if layout == "columns":
        matrix = np.asfortranarray(matrix)
    elif layout == "backwards":
        matrix = np.ascontiguousarray(matrix[::-1, ::-1])[::-1, ::-1]
    elif layout == "every other":
        wide = np.zeros((matrix.shape[0] * 2, matrix.shape[1] * 2), matrix.dtype)
        wide[::2, ::2] = matrix
        matrix = wide[::2, ::2]
    matrix = matrix.view()
    matrix.flags.writeable = False
    return matrix


def same(mine: CheckResult, its: CheckResult) -> None:
    assert (mine.verdict, mine.reason, mine.soundness_bits) == (its.verdict, its.reason, its.soundness_bits)
    assert mine.measures == pytest.approx(its.measures, rel=1e-5, abs=1e-8, nan_ok=True)


layouts = st.sampled_from(["rows", "columns", "backwards", "every other"])
sizes = st.integers(0, 9)


@st.composite
def integer_cases(draw: st.DrawFn) -> tuple[Matrix, Matrix, Matrix]:
    rows, inner, columns = draw(sizes), draw(sizes), draw(sizes)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))

    def side(shape: tuple[int, int]) -> Matrix:
        dtype = draw(st.sampled_from(INTEGERS))
        bits = draw(st.integers(1, dtype.itemsize * 8 - (dtype.kind == "i")))
        low = -(1 << bits) if dtype.kind == "i" else 0
        entries = [
            [int(low + (1 << bits) * random.random() * (2 if low else 1)) for _ in range(shape[1])]
            for _ in range(shape[0])
        ]
        info = np.iinfo(dtype)
        return np.array(
            [[min(max(entry, int(info.min)), int(info.max)) for entry in row] for row in entries], dtype
        ).reshape(shape)

    left, right = side((rows, inner)), side((inner, columns))
    exact = left.astype(object) @ right.astype(object) if inner else np.zeros((rows, columns), object)
    kind = np.dtype(draw(st.sampled_from(["<i8", ">i8", "<u8", "<i4"])))
    info = np.iinfo(kind)
    product = np.array(
        [int(info.min) if not int(info.min) <= e <= int(info.max) else e for e in exact.ravel().tolist()], kind
    )
    product = product.reshape(rows, columns)
    if product.size and draw(st.booleans()):
        product[draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))] ^= kind.type(
            1 << draw(st.integers(0, 30))
        )
    if draw(st.integers(0, 9)) == 0:
        product = product.T
    first, second, third = (laid_out(matrix, draw(layouts)) for matrix in (left, right, product))
    return first, second, third


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=integer_cases())
def test_integers__whatever_they_are__get_the_processors_verdict(
    device: Watched, case: tuple[Matrix, Matrix, Matrix]
) -> None:
    same(device.checks.integers(*case, SEED), PROCESSOR.integers(*case, SEED))


@st.composite
def float_cases(draw: st.DrawFn) -> tuple[Matrix, Matrix, Matrix, Precision]:
    rows, inner, columns = draw(sizes), draw(sizes), draw(sizes)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = np.dtype(draw(st.sampled_from(["<f4", ">f4", "<f8", "<f2", ">f8", "<i2", "<u8", "<u4"])))

    def side(shape: tuple[int, int]) -> Matrix:
        scale = 2.0 ** draw(st.integers(-40, 40)) if dtype.kind == "f" and dtype.itemsize > 2 else 8.0
        matrix = random.standard_normal(shape) * scale
        if matrix.size and dtype.kind == "f" and draw(st.integers(0, 2)) == 0:
            matrix[random.integers(shape[0]), random.integers(shape[1])] = draw(st.sampled_from(ODD_FLOATS))
        with np.errstate(all="ignore"):
            return np.abs(matrix).astype(dtype) if dtype.kind == "u" else matrix.astype(dtype)

    left, right = side((rows, inner)), side((inner, columns))
    with np.errstate(all="ignore"):
        product = (left.astype(np.float32) @ right.astype(np.float32)).astype(
            draw(st.sampled_from(["<f4", ">f4", "<f8"]))
        )
    if product.size and draw(st.integers(0, 3)) == 0:
        product[random.integers(rows), random.integers(columns)] = draw(st.sampled_from(ODD_FLOATS))
    precision = draw(st.sampled_from([FLOAT32, BFLOAT16_OUT, FLOAT16_OUT]))
    first, second, third = (laid_out(matrix, draw(layouts)) for matrix in (left, right, product))
    return first, second, third, precision


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=float_cases())
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_floats__whatever_they_are__get_the_processors_verdict(
    device: Watched, case: tuple[Matrix, Matrix, Matrix, Precision]
) -> None:
    left, right, product, precision = case
    same(
        device.checks.floats(left, right, product, SEED, precision),
        PROCESSOR.floats(left, right, product, SEED, precision),
    )


def test_honest_products__are_let_pass_by_the_device_itself__and_the_log_says_who_checked(
    device: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    random = np.random.default_rng(1)
    left, right = (random.standard_normal(shape, dtype=np.float32) for shape in ((70, 300), (300, 50)))
    device.passed.clear()
    assert device.checks.floats(left, right, left @ right, SEED).verdict is Verdict.PASS
    whole, other = (random.integers(-128, 128, shape, dtype=np.int8) for shape in ((70, 300), (300, 50)))
    product = whole.astype(np.int32) @ other.astype(np.int32)
    assert device.checks.integers(whole, other, product, SEED).verdict is Verdict.PASS
    assert device.passed == [True, True]
    for wrong in (product + 1, product.T.copy().T - np.eye(70, 50, dtype=np.int32)):
        found = device.checks.integers(whole, other, wrong, SEED)
        assert (found.verdict, found.reason) == (Verdict.FAIL, "product-wrong")
    assert device.passed == [True, True, False, False]
    assert [record.message.partition(" on ")[0] for record in caplog.records] == [
        "a product passed",
        "a product passed",
        "a product did not pass plainly",
        "a product did not pass plainly",
    ]


def test_cheap_products__and_badly_scaled_ones_in_parts__get_the_processors_verdict(device: Watched) -> None:
    random = np.random.default_rng(2)
    left, right = (random.standard_normal(shape).astype(np.float32) for shape in ((128, 400), (400, 64)))
    right *= (10.0 ** random.uniform(-6, 6, (400, 1))).astype(np.float32)
    honest = multiply_by_grades(left, right)
    skipped = honest.copy()
    skipped[:128] = left[:, 4:] @ right[4:]
    for product in (honest, skipped, honest[:128]):
        mine = check_graded_product(left, right, product, SEED, check=device.checks.floats)
        same(mine, check_graded_product(left, right, product, SEED))
    left, right = (matrix.astype(np.float16) for matrix in (left, np.clip(right, -9, 9)))
    half = (left @ right).astype(np.float32)
    same(device.checks.floats(left, right, half, SEED), PROCESSOR.floats(left, right, half, SEED))


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (ExecutorBusy("the card is held by job 0x12"), "held by job 0x12"),
        (RuntimeError("CUDA out of memory. Tried to allocate 40 GiB"), "CUDA out of memory"),
        (MemoryError(), "MemoryError"),
        (ModuleNotFoundError("No module named 'torch'"), "No module named 'torch'"),
    ],
)
def test_a_device_that_cannot__leaves_it_to_the_processor__and_says_why(
    trouble: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    @contextlib.contextmanager
    def held() -> Iterator[str]:
        raise trouble
        yield "never"

    checks = DeviceChecks(held)
    one = np.eye(3, dtype=np.int8)
    with caplog.at_level(logging.INFO):
        assert checks.integers(one, one, one, SEED) == PROCESSOR.integers(one, one, one, SEED)
        assert checks.floats(one, one, one, SEED) == PROCESSOR.floats(one, one, one, SEED)
        assert checks.integers(one, one, one + 1, SEED).verdict is Verdict.FAIL
    assert len(caplog.records) == 3
    assert all(said in record.message for record in caplog.records)
