"""What a check of a product takes on the card and on the processor, from matrices in the host's memory, where a verifier has them: for
`product_checks`."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

# They stand in for packages that a borrowed machine lacks, so they come before the product.
from scripts.gpu import verification as bench
from scripts.gpu.product_claims import (
    CARD,
    DEVICE,
    ON_CARD,
    Matrix,
    drawn_floats,
    drawn_integers,
    int8_product,
    on_host,
)  # isort: split

from computility.execution.gpu.nvml_cards import find_cards
from computility.services.check_device import held_card
from computility.verification.check_result import CheckResult
from computility.verification.freivalds_float import BFLOAT16_OUT, FLOAT32
from computility.verification.product_checks import DeviceChecks, ProcessorChecks
from computility.verification.tensor_rows import TensorRows

JUDGED: Final = (2_048, 8_192) if ON_CARD else (256,)
"""Sizes at which every claim and every wrong product is judged."""
TIMED: Final = (2_048, 4_096, 8_192, 16_384, 32_768) if ON_CARD else (128, 256)
"""Sizes of honest products whose checks are timed; of floats without the last."""
SEED: Final = b"drawn after the commitment"
STARTED: Final = time.monotonic()
BUDGET_S: Final = 230.0


class Heard(logging.Handler):
    """What the product's log says of who checked."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []
        for module in ("computility.verification.product_checks", "computility.services.check_device"):
            logger = logging.getLogger(module)
            logger.addHandler(self)
            logger.setLevel(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def taken(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


HEARD: Final = Heard()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What came out, and its seconds."""
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """The median of some runs, after one that warms up."""
    work()
    return statistics.median(timed(work)[1] for _ in range(repeats))


def device_checks() -> DeviceChecks:
    """As ``product_methods`` makes them, without a content store."""
    if not ON_CARD:
        return DeviceChecks(lambda: contextlib.nullcontext("cpu"))
    return DeviceChecks(held_card([(0, CARD[0])]))


@contextlib.contextmanager
def without_cupy() -> Iterator[None]:
    """As on a machine that has PyTorch alone."""
    before = sys.modules.get("cupy")
    sys.modules["cupy"] = None  # type: ignore[assignment] # what importlib takes for a module that is not there
    try:
        yield
    finally:
        if before is None:
            del sys.modules["cupy"]
        else:
            sys.modules["cupy"] = before


def costs() -> Mapping[str, Any]:
    """Seconds of honest products' checks, from matrices in the host's memory, where a verifier has them."""
    found: dict[str, Any] = {}
    for size in TIMED:
        found[f"int8 {size}"] = of_integers(size)
        if size < TIMED[-1] or not ON_CARD:
            found[f"float {size}"] = of_floats(size)
        print(json.dumps({f"cost {size}": found}), file=sys.stderr, flush=True)
        if time.monotonic() - STARTED > BUDGET_S:
            found["left_out"] = f"everything above {size}"
            break
    return found


def of_integers(size: int) -> Mapping[str, Any]:
    factors = drawn_integers(size)
    product_s = on_device_s(partial(int8_product, *factors))
    matrices = on_host(factors[0]), on_host(factors[1]), on_host(int8_product(*factors))
    del factors
    released()
    mine, its = ProcessorChecks(), device_checks()
    return cost(
        size, product_s, matrices, lambda: its.integers(*matrices, SEED), lambda: mine.integers(*matrices, SEED)
    )


def of_floats(size: int) -> Mapping[str, Any]:
    a, b = drawn_floats(size)
    multiplied = {
        name: on_device_s(partial(multiply, *factors))
        for name, multiply, factors in (
            ("float32", bench.float32, (a, b)),
            ("TF32", bench.tf32, (a, b)),
            ("bfloat16", import_module("torch").matmul, (a.bfloat16(), b.bfloat16())),
        )
    }
    matrices = on_host(a), on_host(b), on_host(bench.float32(a, b))
    del a, b
    released()
    mine, its = ProcessorChecks(), device_checks()
    precision = FLOAT32
    found = cost(
        size,
        multiplied["float32"],
        matrices,
        lambda: its.floats(*matrices, SEED, precision),
        lambda: mine.floats(*matrices, SEED, precision),
        as_numbers=True,
    )
    if size == JUDGED[-1]:
        with without_cupy():
            found["device_without_cupy_s"] = round(seconds(lambda: its.floats(*matrices, SEED, precision), 1), 4)
        found["bfloat16_device_s"] = round(seconds(lambda: its.floats(*matrices, SEED, BFLOAT16_OUT), 1), 4)
    left, right = matrices[0], matrices[1]
    if size <= JUDGED[-1]:
        found["processors_own_product_s"] = round(seconds(lambda: left @ right, 1), 4)
    return found | {"products_on_the_card_s": {name: round(taken, 6) for name, taken in multiplied.items()}}


def cost(
    size: int,
    product_s: float,
    matrices: tuple[Matrix, Matrix, Matrix],
    on_card: Callable[[], CheckResult],
    on_processor: Callable[[], CheckResult],
    *,
    as_numbers: bool = False,
) -> dict[str, Any]:
    """Both checks, what of the card's is bringing the matrices, what memory it takes, and what is left of that afterwards."""
    large = size > JUDGED[-1]
    HEARD.taken()
    before = card_memory()
    with watched_memory() as most:
        device_s = seconds(on_card, 1 if large else 3)
    said = HEARD.taken()
    after = card_memory()
    brought_s = seconds(lambda: bring(matrices, as_numbers), 1)
    released()
    mine, processor_s = timed(on_processor)
    return {
        "device_s": round(device_s, 4),
        "bringing_the_matrices_s": round(brought_s, 4),
        "bringing_gb_per_s": round(sum(m.nbytes for m in matrices) / brought_s / 1e9, 2),
        "processor_s": round(processor_s, 4),
        "processor_over_device": round(processor_s / device_s, 2),
        "product_on_the_card_s": round(product_s, 6),
        "device_over_product": round(device_s / product_s, 1),
        "verdict": mine.verdict.name,
        "by_the_card": bool(said) and all("passed on" in line for line in said),
        "card_mb_at_most": most["mb"],
        "card_mb_before_and_after": [before, after],
    }


def bring(matrices: tuple[Matrix, Matrix, Matrix], as_numbers: bool) -> None:
    """The blocks of a check, and nothing done with them."""
    step = max(1, 2**26 // matrices[0].shape[1])
    for matrix in matrices:
        rows = TensorRows(matrix, DEVICE, as_numbers=as_numbers)
        for start in range(0, matrix.shape[0], step):
            rows[start : start + step]
    if ON_CARD:
        import_module("torch").cuda.synchronize()


def on_device_s(work: Callable[[], Any]) -> float:
    """Seconds of a product on the card."""
    torch = import_module("torch")

    def finished() -> None:
        work()
        if ON_CARD:
            torch.cuda.synchronize()

    return seconds(finished, 3)


def released() -> None:
    """What this script held of the card."""
    gc.collect()
    if ON_CARD:
        import_module("torch").cuda.empty_cache()


def card_memory() -> int:
    """MB that the driver says are in use."""
    if not ON_CARD:
        return 0
    return (find_cards().read(CARD[0].uuid).memory_used_bytes or 0) // 10**6


@contextlib.contextmanager
def watched_memory() -> Iterator[dict[str, int]]:
    """The most that the driver says meanwhile, looked at a hundred times a second."""
    most, over = {"mb": 0}, threading.Event()

    def look() -> None:
        cards = find_cards()
        while not over.wait(0.01):
            most["mb"] = max(most["mb"], (cards.read(CARD[0].uuid).memory_used_bytes or 0) // 10**6)

    watching = threading.Thread(target=look, daemon=True)
    if ON_CARD:
        watching.start()
    try:
        yield most
    finally:
        over.set()
        if ON_CARD:
            watching.join()
