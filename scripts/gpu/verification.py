"""What verification costs and catches on a GPU: the hardware challenge, device-side digests, and Freivalds' checks against cuBLAS.

    PYTHONPATH=backend:. python scripts/gpu/verification.py [PART …]

Prints one JSON object in less than three minutes; a part that fails says why under its own key, and the others go on. Wants PyTorch and CuPy.
"""

# ruff: noqa: E402 - what stands in for eth_utils has to be there before it is imported
from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

import numpy as np


def stand_in_for_eth_utils() -> None:
    """A borrowed machine has PyTorch and CuPy, and no keccak. Modules hash type names by it as they load; nothing of that is used here."""
    modules = {name: ModuleType(name) for name in ("eth_utils", "eth_utils.address", "eth_utils.crypto")}
    modules["eth_utils.address"].__dict__.update(is_checksum_address=bool, to_checksum_address=str)
    modules["eth_utils.crypto"].__dict__.update(keccak=lambda data: hashlib.sha3_256(data).digest())
    sys.modules.update(modules)


if find_spec("eth_utils") is None:
    stand_in_for_eth_utils()

from scripts.gpu.parts import run_parts

from computility.domain.attestation import Verdict
from computility.domain.identifiers import Address
from computility.domain.merkle import merkle_root
from computility.verification.challenge_stream import random_residues
from computility.verification.device_challenge import answer_on_device, multiply_on_device
from computility.verification.device_kernels import DeviceKernels
from computility.verification.freivalds_float import BFLOAT16_OUT, FLOAT32, Precision, check_float_product
from computility.verification.freivalds_float_torch import check_float_tensors
from computility.verification.hardware_challenge import HardwareChallenge, commitment_of, row_digest
from computility.verification.hardware_rating import check_answer, sampled_rows

SIZE: Final = 8_192
SIZES: Final = (8_192, 16_384, 32_768, 65_536)
"""Of the integer check: what it costs beside the product falls with the size."""
CHALLENGES: Final = ((8_192, 8_192), (65_536, 16_384), (32_768, 32_768), (65_536, 32_768))
"""Rows and size."""
SMALL: Final = 1_024
SEED: Final = b"drawn after the commitment"
REPEATS: Final = 7
HONEST_TRIALS: Final = 400
CHEAT_TRIALS: Final = 10
BUDGET_S: Final = 170.0
STARTED: Final = time.monotonic()


def main() -> None:
    """Measure everything, and report."""
    torch = import_module("torch")
    report: dict[str, Any] = {"bench": "gpu-verification", "python": sys.version.split()[0], "torch": torch.__version__}
    report["device"] = torch.cuda.get_device_name()
    run_parts(report, PARTS, until=STARTED + BUDGET_S)
    print(json.dumps(report, indent=2))


def milliseconds(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """The median over ``repeats`` runs, after one that warms up, of everything that the device does."""
    torch, cupy = import_module("torch"), import_module("cupy")
    work()
    spent = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        cupy.cuda.Device().synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        cupy.cuda.Device().synchronize()
        spent.append((time.perf_counter() - started) * 1_000)
    return round(statistics.median(spent), 3)


def challenge_of(rows: int, size: int) -> HardwareChallenge:
    """A challenge for one card."""
    return HardwareChallenge(b"a seed of the chain", Address("0x" + "11" * 20), ("gpu-0",), rows, size)


def exactness() -> Mapping[str, Any]:
    """The device's draws, products, digests and trees against the processor's, bit for bit."""
    kernels = DeviceKernels()
    challenge = challenge_of(SMALL, SMALL)
    left, right = challenge.left("gpu-0"), challenge.right()
    a = kernels.draw_rows(challenge.left_key("gpu-0"), SMALL, SMALL)
    b, b_by_columns = (draw(challenge.right_key(), SMALL, SMALL) for draw in (kernels.draw_rows, kernels.draw_columns))
    drawn_alike = [(found.get() == wanted).all() for found, wanted in ((a, left), (b, right), (b_by_columns, right))]
    reference = (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int32)
    product = multiply_on_device(a, b_by_columns)
    extreme = kernels.xp.full((SMALL, SIZE), -128, dtype=kernels.xp.int8)
    highest = multiply_on_device(extreme, extreme.T)
    found = kernels.row_digests(product)
    digests = [digest.tobytes() for digest in found.get()]
    vector = random_residues(SEED, "freivalds", (SMALL, 1))[:, 0]
    altered = product.copy()
    altered[17, 5] += 1
    answer = answer_on_device(challenge, "gpu-0", kernels)
    return {
        "drawn_as_on_the_processor": bool(all(drawn_alike)),
        "product_entries_that_differ": int((product.get() != reference).sum()),
        "highest_sums_right": bool((highest == SIZE * 128 * 128).all()),
        "row_digests_that_differ": sum(a != row_digest(b) for a, b in zip(digests, reference, strict=True)),
        "roots_that_differ": sum(
            kernels.merkle_root(found[:count]) != merkle_root(digests[:count])
            for count in (1, 2, 3, 7, 100, SMALL - 1, SMALL)
        ),
        "answer_alike": list(answer.digests) == digests and answer.root == merkle_root(digests),
        "honest_product_passes": kernels.is_product(a, b, product, vector),
        "one_altered_entry_is_caught": not kernels.is_product(a, b, altered, vector),
    }


def challenge_throughput() -> Mapping[str, Any]:
    """Whole challenges, from the seed to the root, part by part; and a verifier on the processor that checks the first."""
    kernels = DeviceKernels()
    return {f"{rows}x{size}": one_challenge(kernels, rows, size) for rows, size in CHALLENGES} | {
        "verifier": verified(kernels, *CHALLENGES[0])
    }


def one_challenge(kernels: DeviceKernels, rows: int, size: int) -> Mapping[str, Any]:
    """Milliseconds of each part, and of an answer."""
    cupy = import_module("cupy")
    challenge = challenge_of(rows, size)
    left = kernels.draw_rows(challenge.left_key("gpu-0"), rows, size)
    right = kernels.draw_columns(challenge.right_key(), size, size)
    found = {
        "draw_left_ms": milliseconds(partial(kernels.draw_rows, challenge.left_key("gpu-0"), rows, size), 3),
        "draw_right_ms": milliseconds(partial(kernels.draw_columns, challenge.right_key(), size, size), 3),
        "int8_product_ms": milliseconds(partial(multiply_on_device, left, right), 3),
    }
    product = multiply_on_device(left, right)
    digests = kernels.row_digests(product)
    found |= {
        "row_digests_ms": milliseconds(partial(kernels.row_digests, product), 3),
        "merkle_root_ms": milliseconds(partial(kernels.merkle_root, digests), 3),
    }
    del left, right, product, digests
    found["answer_ms"] = milliseconds(lambda: answer_on_device(challenge, "gpu-0", kernels), 3)
    cupy.get_default_memory_pool().free_all_blocks()
    import_module("torch").cuda.empty_cache()
    tera = {name: round(challenge.operations / found[f"{name}_ms"] / 1e9, 1) for name in ("int8_product", "answer")}
    return found | {
        "int8_product_tera_operations_per_s": tera["int8_product"],
        "rating_cu": tera["answer"],
        "rating_share_of_product": round(tera["answer"] / tera["int8_product"], 3),
    }


def verified(kernels: DeviceKernels, rows: int, size: int) -> Mapping[str, Any]:
    """What a verifier does of an answer, on one processor core."""
    challenge = challenge_of(rows, size)
    answer = answer_on_device(challenge, "gpu-0", kernels)
    root = commitment_of([answer.root])
    opened = {"gpu-0": answer.opened(sampled_rows(challenge, "gpu-0", root, SEED))}
    digests = {"gpu-0": answer.digests}
    started = time.perf_counter()
    found = check_answer(challenge, root, digests, opened, SEED)
    return {"on_the_processor_s": round(time.perf_counter() - started, 3), "verdict": found.verdict.name}


def integer_cost() -> Mapping[str, Any]:
    """Freivalds' check of int8 products on the same device, against the product on the tensor cores, both layouts of the right factor."""
    torch, cupy, kernels = import_module("torch"), import_module("cupy"), DeviceKernels()
    copied = torch.empty(2**30, dtype=torch.int32, device="cuda")
    copy_ms = milliseconds(partial(copied[: 2**29].copy_, copied[2**29 :]))
    found: dict[str, Any] = {"copy_tb_per_s": round(copied.nbytes / copy_ms / 1e9, 2)}
    del copied
    for size in SIZES:
        cupy.get_default_memory_pool().free_all_blocks()
        torch.cuda.empty_cache()
        challenge = challenge_of(size, size)
        left = kernels.draw_rows(challenge.left_key("gpu-0"), size, size)
        right = kernels.draw_columns(challenge.right_key(), size, size)
        multiply_ms = milliseconds(partial(multiply_on_device, left, right), 3)
        product = multiply_on_device(left, right)
        del right
        by_rows = kernels.draw_rows(challenge.right_key(), size, size)
        vector = random_residues(SEED, "freivalds", (size, 1))[:, 0]
        check_ms = milliseconds(partial(kernels.is_product, left, by_rows, product, vector))
        read = left.nbytes + by_rows.nbytes + product.nbytes
        found[str(size)] = {
            "passes": kernels.is_product(left, by_rows, product, vector),
            "check_ms": check_ms,
            "check_reads_tb_per_s": round(read / check_ms / 1e9, 2),
            "int8_product_ms": multiply_ms,
            "int8_product_tera_operations_per_s": round(challenge.operations / multiply_ms / 1e9, 1),
            "freivalds_cost": round(check_ms / multiply_ms, 4),
        }
        product[size // 2, size // 3] += 1
        found[str(size)]["an_altered_entry_is_caught"] = not kernels.is_product(left, by_rows, product, vector)
        if size == SIZE:
            slow_ms = milliseconds(partial(multiply_on_device, left, by_rows), 3)
            a, b = (torch.from_dlpack(matrix).double() for matrix in (left, by_rows))
            double_ms = milliseconds(partial(torch.matmul, a, b), 3)
            found[str(size)] |= {
                "int8_product_with_right_by_rows_ms": slow_ms,
                "float64_product_ms": double_ms,
                "freivalds_cost_with_right_by_rows": round(check_ms / slow_ms, 4),
                "freivalds_cost_of_float64_product": round(check_ms / double_ms, 4),
            }
            del a, b
        del left, by_rows, product
    return found


def float_cost() -> Mapping[str, Any]:
    """The float check on the device against cuBLAS in float32, TF32 and bfloat16; and what it says of each product."""
    torch = import_module("torch")
    generator = torch.Generator(device="cuda").manual_seed(1)
    left, right = (torch.randn(SIZE, SIZE, device="cuda", generator=generator) for _ in range(2))
    found: dict[str, Any] = {"n": SIZE}
    for name, multiply, precision in FORMATS:
        torch.cuda.empty_cache()
        a, b = (matrix.bfloat16() if name == "bf16" else matrix for matrix in (left, right))
        product = multiply(a, b)
        multiplies, checks = partial(multiply, a, b), partial(check_float_tensors, a, b, product, SEED, precision)
        product_ms = milliseconds(multiplies, 3)
        check_ms = milliseconds(checks, 3)
        result = checks()
        found[name] = {
            "product_ms": product_ms,
            "check_ms": check_ms,
            "freivalds_cost": round(check_ms / product_ms, 4),
            "granted": "float32" if precision is FLOAT32 else "bfloat16 result",
            "verdict": result.verdict.name,
            "measures": {key: round(value, 4) for key, value in result.measures.items()},
        }
    return found


def float_answers() -> Mapping[str, Any]:
    """Honest products by cuBLAS of five distributions and random shapes, and the cheats that hardware makes cheap."""
    random = np.random.default_rng(1)
    rejected, disagreed = 0, 0
    worst = {"row": 0.0, "joint": 0.0, "terms": 0.0}
    for trial in range(HONEST_TRIALS):
        shape = [int(length) for length in random.integers(1, 2_049, 3)]
        left, right = tensors(random, trial, shape)
        product = float32(left, right)
        result = check_float_tensors(left, right, product, SEED + trial.to_bytes(8, "big"))
        rejected += result.verdict is not Verdict.PASS
        worst = {name: max(value, result.measures.get(name, 0.0)) for name, value in worst.items()}
        if trial % 40 == 0:
            again = check_float_product(
                left.cpu().numpy(), right.cpu().numpy(), product.cpu().numpy(), SEED + trial.to_bytes(8, "big")
            )
            disagreed += again.verdict is not result.verdict
    missed = dict.fromkeys(CHEATS, 0)
    least = dict.fromkeys(CHEATS, float("inf"))
    for trial in range(CHEAT_TRIALS * len(DISTRIBUTIONS)):
        left, right = tensors(random, trial, [2_048, 4_096, 2_048])
        for name, multiply in CHEATS.items():
            result = check_float_tensors(left, right, multiply(left, right), SEED + trial.to_bytes(8, "big"))
            missed[name] += result.verdict is not Verdict.FAIL
            least[name] = min(least[name], max(result.measures.values(), default=float("inf")))
    return {
        "honest_trials": HONEST_TRIALS,
        "float_false_rejects": rejected,
        "disagrees_with_the_processor": disagreed,
        "highest_honest_share_of_limits": {name: round(value, 4) for name, value in worst.items()},
        "cheat_trials_each": CHEAT_TRIALS * len(DISTRIBUTIONS),
        "float_missed_cheats": missed,
        "least_excess": {name: round(value, 2) for name, value in least.items()},
    }


def transfer() -> Mapping[str, Any]:
    """What it would take to hash and check on the host instead: bringing a product there, and SHA-256 over it."""
    cupy = import_module("cupy")
    product = cupy.zeros((SIZE, SIZE), dtype=cupy.int32)
    copy_ms = milliseconds(product.get, 3)
    on_host = product.get()
    started = time.perf_counter()
    hashlib.sha256(on_host.data).digest()
    return {"copy_ms": copy_ms, "sha256_on_one_core_ms": round((time.perf_counter() - started) * 1_000, 1)}


DISTRIBUTIONS: Final[tuple[Callable[[np.random.Generator, tuple[int, int]], Any], ...]] = (
    lambda random, shape: random.standard_normal(shape),
    lambda random, shape: random.random(shape),
    lambda random, shape: np.exp(3 * random.standard_normal(shape)),
    lambda random, shape: random.standard_normal(shape) * 10.0 ** random.integers(-6, 7, (shape[0], 1)),
    lambda random, shape: random.standard_normal(shape) * (random.random(shape) < 0.02),
)


def tensors(random: np.random.Generator, trial: int, shape: list[int]) -> tuple[Any, Any]:
    """Two matrices of float32 on the device."""
    torch = import_module("torch")
    sample = DISTRIBUTIONS[trial % len(DISTRIBUTIONS)]
    rows, inner, columns = shape
    left, right = (
        torch.from_numpy(sample(random, sides).astype(np.float32)).cuda() for sides in ((rows, inner), (inner, columns))
    )
    return left, right


def float32(left: Any, right: Any) -> Any:
    """cuBLAS in float32, without TF32."""
    torch = import_module("torch")
    torch.backends.cuda.matmul.allow_tf32 = False
    return left @ right


def tf32(left: Any, right: Any) -> Any:
    """cuBLAS on the tensor cores in TF32."""
    torch = import_module("torch")
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        return left @ right
    finally:
        torch.backends.cuda.matmul.allow_tf32 = False


def bf16(left: Any, right: Any) -> Any:
    """cuBLAS on the tensor cores in bfloat16, summed in float32, given back as its inputs were."""
    return (left.bfloat16() @ right.bfloat16()).to(left.dtype)


def int8(left: Any, right: Any) -> Any:
    """Both rounded to 8 bits of their highest entry, multiplied on the tensor cores."""
    torch = import_module("torch")
    steps = [matrix.abs().max() / 127 for matrix in (left, right)]
    quantised = [(matrix / step).round().to(torch.int8) for matrix, step in zip((left, right), steps, strict=True)]
    return torch._int_mm(*quantised).float() * (steps[0] * steps[1])


def without_a_row(left: Any, right: Any) -> Any:
    """The product with zeros for its largest row."""
    product = float32(left, right)
    product[product.abs().sum(1).argmax()] = 0
    return product


def without_a_hundredth(left: Any, right: Any) -> Any:
    """The product over 99 % of the inner dimension."""
    kept = left.shape[1] - left.shape[1] // 100
    return float32(left[:, :kept].contiguous(), right[:kept].contiguous())


FORMATS: Final[tuple[tuple[str, Callable[[Any, Any], Any], Precision], ...]] = (
    ("fp32", float32, FLOAT32),
    ("tf32", tf32, FLOAT32),
    ("bf16", bf16, BFLOAT16_OUT),
)
CHEATS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "tf32": tf32,
    "bf16": bf16,
    "int8": int8,
    "zeroed_row": without_a_row,
    "k_skipped": without_a_hundredth,
}
PARTS: Final[dict[str, Callable[[], Mapping[str, Any]]]] = {
    "exactness": exactness,
    "challenge": challenge_throughput,
    "integer": integer_cost,
    "float": float_cost,
    "transfer": transfer,
    "float_answers": float_answers,
}


if __name__ == "__main__":
    main()
