"""A verifier's `--device` on a GPU: the rule ``freivalds`` as `verifier serve` and `audit verdict` make it, against the same rule on the processor.

    PYTHONPATH=backend:. python scripts/gpu/product_checks.py [PART …]

Products of cuBLAS in int8, float32 and bfloat16, honest and wrong ones, lie as NumPy files in a content store; each is judged on the card and on the
processor, and both have to say the same. Then what a check takes: on the card, on the processor, and beside the product itself. Prints one JSON
object in about four minutes; each part tells what it found to the standard error as it ends. Wants PyTorch and nvidia-ml-py; CuPy where it is
there. Without a card PyTorch's CPU device stands for it, and the products are small: that tries the script, and measures nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

# They stand in for packages that a borrowed machine lacks, so they come before the product.
from scripts.gpu import verification as bench
from scripts.gpu.parts import run_parts
from scripts.gpu.product_claims import (
    CARD,
    DEVICE,
    ON_CARD,
    Claim,
    claims_of,
    drawn_floats,
    honest_narrow,
    on_host,
    random_claims,
)
from scripts.gpu.product_costs import (
    BUDGET_S,
    HEARD,
    JUDGED,
    SEED,
    STARTED,
    costs,
    device_checks,
    released,
    timed,
    without_cupy,
)  # isort: split

from computility.domain.attestation import Verdict
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import Submission
from computility.execution.content_store import FileContentStore
from computility.execution.gpu.card import Card
from computility.execution.gpu.card_leases import CardLeases
from computility.services.check_device import product_methods
from computility.verification.check_result import CheckResult
from computility.verification.freivalds_float_torch import check_float_tensors
from computility.verification.product_checks import ProcessorChecks
from computility.verification.product_jobs import ProductVerifier
from computility.verification.verifier import Verifier

RANDOM_TRIALS: Final = 150 if ON_CARD else 20
NARROW_TRIALS: Final = 120 if ON_CARD else 15
MOST_BYTES: Final = 2**34
NEARNESS: Final = 1e-5
"""How far measures may be apart that were added up in another order, relative to the processor's."""


@dataclass(frozen=True)
class Inputs:
    """What the rule reads of a specification."""

    inputs: tuple[InputFile, ...]


class Court:
    """The rule on the card and on the processor, over one content store."""

    def __init__(self, folder: Path) -> None:
        self.content = FileContentStore(str(folder), MOST_BYTES)
        self.processor: Verifier = ProductVerifier(self.content)
        self.device: Verifier = (
            product_methods(DEVICE, self.content)["freivalds"]
            if ON_CARD
            else ProductVerifier(self.content, device_checks())
        )

    def judged(self, claim: Claim) -> dict[str, Any]:
        """Both verdicts, and seconds of each, files and hashes included."""
        files = {"a.npy": claim.left, "b.npy": claim.right, "c.npy": claim.product}
        stored = {}
        for name, matrix in files.items():
            stream = io.BytesIO()
            np.save(stream, matrix)
            data = stream.getvalue()
            stored[name] = InputFile(name, self.content.put(data), len(data)), sha256(data).hexdigest()
        product, digest = stored["c.npy"]
        output = OutputFile(product.path, product.size, digest)
        # A manifest wants the class of a sandbox; the rule reads its files alone.
        manifest = make_manifest(Bytes32("0x" + "01" * 32), "cuda/torch/0123456789abcdef", None, [output])
        self.content.put(manifest.to_bytes())
        submission = Submission(Bytes32("0x" + "02" * 32), 1, manifest.digest, 5, Bytes32("0x" + "03" * 32), 9)
        inputs: Any = Inputs((stored["a.npy"][0], stored["b.npy"][0]))
        HEARD.taken()
        its, its_s = timed(lambda: self.device.verify(inputs, submission, claim.policy(), SEED))
        said = HEARD.taken()
        mine, mine_s = timed(lambda: self.processor.verify(inputs, submission, claim.policy(), SEED))
        for file, _ in stored.values():
            self.content.remove(file.cid)
        return {
            "verdict": its.verdict.name,
            "alike": alike(its, mine),
            "as_expected": claim.honest is (its.verdict is Verdict.PASS),
            "by_the_card": bool(said) and all("passed on" in line for line in said),
            "said": sorted({line.replace(DEVICE, "the card") for line in said}),
            "nearness": round(max(its.measures.values(), default=0.0), 4),
            "device_s": round(its_s, 3),
            "processor_s": round(mine_s, 3),
        }


def alike(its: CheckResult, mine: CheckResult) -> bool:
    """Whether the card's path came to the processor's verdict, reason, soundness and measures."""
    same = (its.verdict, its.reason, its.soundness_bits) == (mine.verdict, mine.reason, mine.soundness_bits)
    return same and all(
        np.isclose(its.measures[name], value, rtol=NEARNESS, atol=1e-8, equal_nan=True)
        for name, value in mine.measures.items()
    )


def verdicts() -> Mapping[str, Any]:
    """Every claim at every size, card against processor."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder))
        for size in JUDGED:
            each = {claim.name: court.judged(claim) for claim in claims_of(size, by_grades=size == JUDGED[0])}
            found[str(size)] = {
                "claims": len(each),
                "not_alike": [name for name, row in each.items() if not row["alike"]],
                "not_as_expected": [name for name, row in each.items() if not row["as_expected"]],
                "honest_but_not_by_the_card": [
                    name for name, row in each.items() if row["verdict"] == "PASS" and not row["by_the_card"]
                ],
                "each": each,
            }
    return found


def random_verdicts() -> Mapping[str, Any]:
    """Random shapes, types, distributions and faults, with CuPy's kernels and without them."""
    random = np.random.default_rng(7)
    found: dict[str, Any] = {"trials": RANDOM_TRIALS}
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder))
        for way in ("with CuPy", "without CuPy") if find_spec("cupy") else ("without CuPy",):
            with without_cupy() if way == "without CuPy" else contextlib.nullcontext():
                rows = [(claim, court.judged(claim)) for claim in random_claims(random, RANDOM_TRIALS)]
            found[way] = {
                "honest": sum(claim.honest for claim, _ in rows),
                "not_alike": [claim.name for claim, row in rows if not row["alike"]],
                "not_as_expected": [claim.name for claim, row in rows if not row["as_expected"]],
                "passed_but_not_by_the_card": [
                    claim.name for claim, row in rows if row["verdict"] == "PASS" and not row["by_the_card"]
                ],
                "said": sorted({line for _, row in rows for line in row["said"]}),
            }
    return found


def narrow_answers() -> Mapping[str, Any]:
    """Honest narrow products: how many fail, and how near to the limits they come."""
    found: dict[str, Any] = {}
    for name, precision, left, right, product in honest_narrow(NARROW_TRIALS):
        result = check_float_tensors(left, right, product, SEED, precision)
        row = found.setdefault(name, {"trials": 0, "rejected": 0, "unjudged": 0, "nearest": {}})
        row["trials"] += 1
        row["rejected"] += result.verdict is Verdict.FAIL
        row["unjudged"] += result.verdict is Verdict.NO_FAULT
        for measure, value in result.measures.items():
            row["nearest"][measure] = max(row["nearest"].get(measure, 0.0), round(value, 4))
    return found


def trouble() -> Mapping[str, Any]:
    """A card that a job holds, one without memory, and two checks at one time: the processor checks, says why, and the card is used again."""
    if not ON_CARD:
        return {"left_out": "there is no card"}
    torch = import_module("torch")
    factors = drawn_floats(2_048)
    matrices = on_host(factors[0]), on_host(factors[1]), on_host(bench.float32(*factors))
    del factors
    checks = device_checks()
    expected = ProcessorChecks().floats(*matrices, SEED)

    def said() -> dict[str, Any]:
        HEARD.taken()
        found = checks.floats(*matrices, SEED)
        return {"alike": alike(found, expected), "said": HEARD.taken()}

    found: dict[str, Any] = {"free": said()}
    with CardLeases([CARD[0].uuid]).some(1, "job 0x12"):
        found["held by a job"] = said()
    released()
    free, _ = torch.cuda.mem_get_info()
    taken = torch.empty(free - 2**26, dtype=torch.uint8, device=DEVICE)
    found["no memory"] = said()
    del taken
    released()
    found["memory again"] = said()
    both: list[dict[str, Any]] = []

    def beside() -> None:
        both.append({"alike": alike(checks.floats(*matrices, SEED), expected)})

    threads = [threading.Thread(target=beside) for _ in range(4)]
    HEARD.taken()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found["four at one time"] = {"alike": all(one["alike"] for one in both), "said": HEARD.taken()}
    return found


def main() -> None:
    """Measure everything, and report."""
    torch = import_module("torch")
    report: dict[str, Any] = {
        "bench": "gpu-product-checks",
        "device": told_of(CARD[0]) if ON_CARD else "PyTorch's CPU device: there is no card",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
    }
    run_parts(report, PARTS, until=STARTED + BUDGET_S)
    print(json.dumps(report, indent=2))


def told_of(card: Card) -> str:
    return f"{card.name}, driver {card.driver}"


PARTS: Final[dict[str, Callable[[], Mapping[str, Any]]]] = {
    "trouble": trouble,
    "random": random_verdicts,
    "narrow": narrow_answers,
    "costs": costs,
    "verdicts": verdicts,
}


if __name__ == "__main__":
    main()
