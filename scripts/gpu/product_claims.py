"""Products of the card for `product_checks`: honest ones, and wrong ones as hardware makes them cheap, each under the policy that a job names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# It stands in for packages that a borrowed machine lacks, so it comes before the product.
from scripts.gpu import verification as bench  # isort: split

from computility.execution.gpu.nvml_cards import find_cards
from computility.verification.freivalds_float import BFLOAT16_OUT, FLOAT16_OUT, Precision
from computility.verification.graded_product import multiply_by_grades

Matrix = npt.NDArray[Any]
CARD: Final = find_cards().found()
ON_CARD: Final = bool(CARD)
DEVICE: Final = "cuda:0" if ON_CARD else "cpu"
SKINNY: Final = (
    ((2_048, 2_048, 2_048), (512, 16_384, 512), (128, 65_536, 128), (64, 32_768, 64), (16, 131_072, 16), (1, 65_536, 8))
    if ON_CARD
    else ((64, 64, 64), (8, 2_048, 8), (1, 512, 8))
)
"""Shapes of products whose sums are split among the card's processors."""


@dataclass(frozen=True)
class Claim:
    """A product as it was delivered, under the policy that a job names."""

    name: str
    precision: str | None
    left: Matrix
    right: Matrix
    product: Matrix
    honest: bool
    graded: bool = False

    def policy(self) -> dict[str, Any]:
        policy: dict[str, Any] = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
        if self.precision is not None:
            policy["precision"] = self.precision
        if self.graded:
            policy["graded"] = True
        return policy


def claims_of(size: int, *, by_grades: bool) -> Iterator[Claim]:
    """Honest products of one size and wrong ones, as hardware makes them cheap."""
    yield from integer_claims(size)
    yield from float_claims(size, by_grades=by_grades)


def integer_claims(size: int) -> Iterator[Claim]:
    """Of int8."""
    a, b = drawn_integers(size)
    product = on_host(int8_product(a, b))
    left, right = on_host(a), on_host(b)
    whole = partial(Claim, precision=None, left=left, right=right)
    yield whole("int8", product=product, honest=True)
    for name, wrong in (("one entry off by one", altered(product, 1)), ("a row of zeros", without_row(product))):
        yield whole(f"int8: {name}", product=wrong, honest=False)
    kept = kept_of(size)
    skipped = on_host(int8_product(a[:, :kept].contiguous(), b[:kept].contiguous()))
    yield whole("int8: 1 % of K skipped", product=skipped, honest=False)


def float_claims(size: int, *, by_grades: bool) -> Iterator[Claim]:
    """Of float32 and bfloat16."""
    torch = import_module("torch")
    a, b = drawn_floats(size)
    kept = kept_of(size)
    single = partial(Claim, precision="float32", left=on_host(a), right=on_host(b))
    product = on_host(bench.float32(a, b))
    # Several times what an entry comes to: less hides in a row's rounding, which is no fault by definition.
    off = 8 * float(np.sqrt(size))
    yield single("float32", product=product, honest=True)
    yield single("float32: one entry", product=altered(product, off), honest=False)
    yield single("float32: a row of zeros", product=without_row(product), honest=False)
    yield single("float32: 1 % of K skipped", product=on_host(skipping(a, b, kept)), honest=False)
    yield single("float32: bfloat16", product=on_host(bench.bf16(a, b)), honest=False)
    yield single("float32: int8", product=on_host(bench.int8(a, b)), honest=False)
    if ON_CARD:
        tf32 = on_host(bench.tf32(a, b))
        yield single("float32: TF32", product=tf32, honest=False)
        yield Claim("bfloat16: TF32", "bfloat16", single.keywords["left"], single.keywords["right"], tf32, honest=True)
    c, d = (matrix.bfloat16().float() for matrix in (a, b))
    half = partial(Claim, precision="bfloat16", left=on_host(c), right=on_host(d))
    product = on_host(bench.bf16(c, d))
    yield half("bfloat16", product=product, honest=True)
    yield half("bfloat16: one entry", product=altered(product, 32 * off), honest=False)
    yield half("bfloat16: a row of zeros", product=without_row(product), honest=False)
    yield half("bfloat16: 1 % of K skipped", product=on_host(skipping(c, d, kept)), honest=False)
    eighths = [matrix.to(torch.float8_e4m3fn).float() for matrix in (c, d)]
    yield half("bfloat16: float8", product=on_host(bench.bf16(*eighths)), honest=False)
    if by_grades:
        scaled = (10.0 ** np.random.default_rng(2).uniform(-6, 6, (size, 1))).astype(np.float32)
        left, right = single.keywords["left"], single.keywords["right"] * scaled
        graded = multiply_by_grades(left, right)
        whole = partial(Claim, precision="float32", left=left, right=right, graded=True)
        yield whole("float32 by grades", product=graded, honest=True)
        yield whole("float32 by grades: a row of zeros", product=without_row(graded), honest=False)


def drawn_integers(size: int) -> tuple[Any, Any]:
    torch = import_module("torch")
    generator = torch.Generator(device=DEVICE).manual_seed(size)
    draw = partial(torch.randint, -128, 128, (size, size), dtype=torch.int8, device=DEVICE, generator=generator)
    return draw(), draw()


def drawn_floats(size: int) -> tuple[Any, Any]:
    torch = import_module("torch")
    generator = torch.Generator(device=DEVICE).manual_seed(size + 1)
    draw = partial(torch.randn, (size, size), device=DEVICE, generator=generator)
    return draw(), draw()


def int8_product(left: Any, right: Any) -> Any:
    """On the tensor cores, which want the right factor by columns, and an inner dimension in steps of 8."""
    return import_module("torch")._int_mm(left, right.t().contiguous().t())


def skipping(left: Any, right: Any, kept: int) -> Any:
    return bench.float32(left[:, :kept].contiguous(), right[:kept].contiguous())


def kept_of(size: int) -> int:
    """99 % of the inner dimension, in steps of 8."""
    return size - max(8, size // 100 // 8 * 8)


def on_host(tensor: Any) -> Matrix:
    array: Matrix = tensor.cpu().numpy()
    return array


def altered(product: Matrix, by: float) -> Matrix:
    wrong = product.copy()
    wrong[len(wrong) // 2, wrong.shape[1] // 3] += product.dtype.type(by)
    return wrong


def without_row(product: Matrix) -> Matrix:
    wrong = product.copy()
    wrong[np.abs(wrong[:, 0]).argmax()] = 0
    return wrong


def honest_narrow(count: int) -> Iterator[tuple[str, Precision, Any, Any, Any]]:
    """Honest products of bfloat16 and float16 as PyTorch comes, which lets cuBLAS add parts of long sums in the narrow type: name, what is granted,
    and left, right and product on the device."""
    torch = import_module("torch")
    random = np.random.default_rng(3)
    for trial in range(count):
        rows, inner, columns = SKINNY[trial % len(SKINNY)]
        for kind, precision in ((torch.bfloat16, BFLOAT16_OUT), (torch.float16, FLOAT16_OUT)):
            sample = bench.DISTRIBUTIONS[trial // len(SKINNY) % len(bench.DISTRIBUTIONS)]
            pair = [sample(random, shape) for shape in ((rows, inner), (inner, columns))]
            # So that float16 holds what the norms allow.
            left, right = (
                torch.from_numpy((matrix * min(1.0, 100 / np.linalg.norm(matrix))).astype(np.float32)).to(DEVICE, kind)
                for matrix in pair
            )
            yield str(kind).removeprefix("torch."), precision, left, right, left @ right


def random_claims(random: np.random.Generator, count: int) -> Iterator[Claim]:
    """Of up to 1,024 a side; every other one wrong in one entry by far."""
    torch = import_module("torch")
    for trial in range(count):
        rows, inner, columns = (int(length) for length in random.integers(1, 1_025, 3))
        honest = trial % 2 == 0
        if trial % 3 == 0:
            kind = (np.int8, np.uint8, np.int16, np.int32, np.uint16)[trial // 3 % 5]
            low, high = max(np.iinfo(kind).min, -(2**20)), min(np.iinfo(kind).max, 2**20)
            left, right = (
                random.integers(low, high, shape, dtype=np.int64).astype(kind)
                for shape in ((rows, inner), (inner, columns))
            )
            product = (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)
            claim = partial(Claim, precision=None, left=left, right=right)
            off = 1.0
        else:
            sample = bench.DISTRIBUTIONS[trial // 3 % len(bench.DISTRIBUTIONS)]
            left, right = (sample(random, shape).astype(np.float32) for shape in ((rows, inner), (inner, columns)))
            a, b = (torch.from_numpy(matrix).to(DEVICE) for matrix in (left, right))
            product = on_host(bench.float32(a, b))
            claim = partial(Claim, precision="float32", left=left, right=right)
            off = 1.0 + float(np.abs(left).max() * np.abs(right).max()) * inner * columns
        name = f"{trial}: {left.dtype} {rows}x{inner}x{columns}"
        yield claim(name, product=product if honest else altered(product, off), honest=honest)
