"""What verification costs and what it catches: Freivalds' checks, the hardware challenge, and the rule of re-execution.

Prints one JSON object; the benches of segment replay and of execution (sandbox, Ray) are run as well, and their keys are in it. Costs are ratios
of processor seconds of one thread, measured in this run, so that other load matters little. With COMPUTILITY_BENCH_QUICK=1 sizes and trials are
small, and costs, which fall with the size, mean nothing.
"""

# ruff: noqa: E402 - numpy reads how many threads it may use when it is loaded
from __future__ import annotations

import os

# One thread each, before numpy is loaded: waiting threads of BLAS would count as work.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import contextlib
import hashlib
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import track

from computility.domain.attestation import Verdict
from computility.domain.errors import NodeUnavailable
from computility.domain.identifiers import Address
from computility.verification.freivalds import check_integer_product
from computility.verification.freivalds_float import check_float_product
from computility.verification.graded_product import check_graded_product, multiply_by_grades, parts_of
from computility.verification.hardware_challenge import HardwareChallenge, answer_card, commitment, row_digest
from computility.verification.hardware_rating import SAMPLED_ROWS, check_answer, micro_cu, sampled_rows
from computility.verification.iexec_rule import executions_and_wrong
from computility.verification.integer_gemm import NumpyGemm
from computility.verification.quorum import QuorumRule
from computility.verification.quorum_simulation import Market, Strategy

Cheat = Callable[[Any, Any, Any, int], Any]
"""A cheap product of two matrices, or of the part of them that has these inner places of so many."""

QUICK: Final = os.environ.get("COMPUTILITY_BENCH_QUICK") == "1"
SIZE: Final = 1_024 if QUICK else 8_192
HONEST_TRIALS: Final = 250 if QUICK else 10_000
CHEAT_TRIALS: Final = 1 if QUICK else 10
SKIP_TRIALS: Final = 40 if QUICK else 400
JOBS: Final = 10_000 if QUICK else 100_000
MARKET_SEEDS: Final = (1, 2, 3)
WORKERS: Final = 100
SLEEPERS: Final = 20
IEXEC_TRUST: Final = 100
GIGABIT_BYTES_PER_S: Final = 125_000_000
CONSOLE: Final = Console(stderr=True)

DISTRIBUTIONS: Final[dict[str, Callable[[np.random.Generator, tuple[int, int]], Any]]] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "positive": lambda random, shape: random.random(shape),
    "heavy-tailed": lambda random, shape: np.exp(3 * random.standard_normal(shape)),
    "badly scaled": lambda random, shape: random.standard_normal(shape) * 10.0 ** random.integers(-6, 7, (shape[0], 1)),
    "sparse": lambda random, shape: random.standard_normal(shape) * (random.random(shape) < 0.02),
}


def main() -> None:
    """Measure everything, and report."""
    report = {
        "bench": "verification",
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "machine": platform.machine(),
        "quick": QUICK,
        **integer_costs(),
        **float_checks(),
        **hardware_detection(),
        **quorum(),
        **injected_faults(),
        **report_of("segments.py"),
        **report_of("execution.py", *(("--starts", "20", "--jobs", "20") if QUICK else ())),
    }
    print(json.dumps(report, indent=2))


def report_of(script: str, *arguments: str) -> dict[str, Any]:
    """What another bench reports, but for what every bench says of itself. A process of its own: this one has loaded and warmed much."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {key: value for key, value in report.items() if key not in ("bench", "python", "machine", "quick", "numpy")}


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of this process, and what came out."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def integer_costs() -> dict[str, Any]:
    """The integer check and the hardware challenge against the same product, the fastest exact one of two."""
    CONSOLE.print(f"an integer product of {SIZE} × {SIZE}, and the hardware challenge of that size …")
    challenge = HardwareChallenge(b"a seed of the chain", Address("0x" + "11" * 20), ("cpu",), SIZE, SIZE)
    gemm = NumpyGemm()
    draw_s, (left, right) = seconds(lambda: (challenge.left("cpu"), challenge.right()))
    single_s, product = seconds(lambda: gemm.multiply(left, right))
    double_s, again = seconds(lambda: left.astype(np.float64) @ right.astype(np.float64))
    assert (again == product).all()
    del again
    product_s = min(single_s, double_s)
    runs = [
        seconds(lambda: check_integer_product(left, right, product, b"drawn after the commitment")) for _ in range(3)
    ]
    assert all(result.verdict is Verdict.PASS for _, result in runs)
    check_s = statistics.median(spent for spent, _ in runs)
    hash_s, _ = seconds(lambda: hashlib.sha256(product.data).digest())

    digests_s, digests = seconds(lambda: tuple(row_digest(row) for row in product))
    answer = {"cpu": digests}
    root = commitment([digests])
    seed = b"drawn after the commitment"
    opened = {"cpu": product[sampled_rows(challenge, "cpu", root, seed)]}
    verifier_s, verdict = seconds(lambda: check_answer(challenge, root, answer, opened, seed))
    assert verdict.verdict is Verdict.PASS
    challenge_s = draw_s + single_s + digests_s
    return {
        "freivalds_n": SIZE,
        "freivalds_cost": round(check_s / product_s, 4),
        "freivalds_product_s": round(product_s, 3),
        "freivalds_product_float64_s": round(double_s, 3),
        "freivalds_check_s": round(check_s, 3),
        "freivalds_hash_cost": round(hash_s / product_s, 4),
        "freivalds_transfer_bytes": product.nbytes,
        "freivalds_transfer_s_at_1_gbit": round(product.nbytes / GIGABIT_BYTES_PER_S, 2),
        "hardware_verifier_cost": round(verifier_s / challenge_s, 4),
        "hardware_challenge_s": round(challenge_s, 3),
        "hardware_verifier_s": round(verifier_s, 3),
        "hardware_transfer_bytes": opened["cpu"].nbytes + 32 * SIZE,
        "hardware_micro_cu_of_one_thread": micro_cu(challenge, round(challenge_s * 1_000)),
    }


def float_checks() -> dict[str, Any]:
    """Honest products of random shapes, and cheap ones, delivered by grades as `graded_product` wants them, and as one matrix."""
    random = np.random.default_rng(1)
    rejected = {"graded": 0, "single": 0}
    worst = {"row": 0.0, "joint": 0.0, "terms": 0.0}
    for trial in track(range(HONEST_TRIALS), "honest float products", console=CONSOLE):
        sample = list(DISTRIBUTIONS.values())[trial % len(DISTRIBUTIONS)]
        rows, inner, columns = (int(length) for length in random.integers(1, 257, 3))
        left, right = sample(random, (rows, inner)).astype("f4"), sample(random, (inner, columns)).astype("f4")
        seed = b"honest trial" + trial.to_bytes(8, "big")
        graded = check_graded_product(left, right, multiply_by_grades(left, right), seed)
        single = check_float_product(left, right, left @ right, seed)
        rejected["graded"] += graded.verdict is not Verdict.PASS
        rejected["single"] += single.verdict is not Verdict.PASS
        worst = {name: max(worst[name], *(one.measures.get(name, 0.0) for one in (graded, single))) for name in worst}
    missed: dict[str, int] = dict.fromkeys(CHEATS, 0)
    missed_single: dict[str, int] = dict.fromkeys(CHEATS, 0)
    least = dict.fromkeys(CHEATS, float("inf"))
    errors: list[float] = []
    shapes = [(256, 512, 256)] if QUICK else [(256, 512, 256), (1_024, 4_096, 512)]
    trials = [(shape, name, n) for shape in shapes for name in DISTRIBUTIONS for n in range(CHEAT_TRIALS)]
    for shape, distribution, trial in track(trials, "cheap float products", console=CONSOLE):
        sample = DISTRIBUTIONS[distribution]
        left, right = sample(random, shape[:2]).astype("f4"), sample(random, shape[1:]).astype("f4")
        seed = b"cheap trial" + trial.to_bytes(8, "big")
        for cheat, multiply in CHEATS.items():
            result = check_graded_product(left, right, by_grades(left, right, multiply), seed)
            missed[cheat] += result.verdict is not Verdict.FAIL
            least[cheat] = min(least[cheat], max(result.measures.values()))
            single = multiply(left, right, np.arange(shape[1]), shape[1])
            if check_float_product(left, right, single, seed).verdict is not Verdict.FAIL:
                missed_single[cheat] += 1
                exact = left.astype(np.float64) @ right.astype(np.float64)
                errors.append(float(np.linalg.norm(single - exact) / np.linalg.norm(left @ right - exact)))
    return {
        "float_honest_trials": HONEST_TRIALS,
        "float_distributions": list(DISTRIBUTIONS),
        "float_false_rejects": rejected["graded"],
        "float_highest_honest_share_of_limits": {name: round(value, 4) for name, value in worst.items()},
        "float_cheat_trials": len(trials) * len(CHEATS),
        "float_missed_cheats": sum(missed.values()),
        "float_missed_by_cheat": missed,
        "float_least_excess_by_cheat": {name: round(value, 2) for name, value in least.items()},
        "float_single_false_rejects": rejected["single"],
        "float_single_missed_by_cheat": missed_single,
        "float_single_errors_of_missed_over_honest": [round(error, 3) for error in errors],
    }


def by_grades(left: Any, right: Any, multiply: Cheat) -> Any:
    """What a cheat delivers where grades are wanted."""
    return np.vstack(
        [multiply(left[:, places], right[places], places, left.shape[1]) for places in parts_of(left, right)]
    )


def hardware_detection() -> dict[str, Any]:
    """How often a provider that skips 1 % of the rows, at places of its choice, fails."""
    rows, size = 8_192, 64
    random = np.random.default_rng(2)
    challenge = HardwareChallenge(b"a seed of the chain", Address("0x" + "11" * 20), ("cpu",), rows, size)
    honest = answer_card(challenge, "cpu", challenge.right(), NumpyGemm())
    caught = 0
    for trial in track(range(SKIP_TRIALS), "skipped rows", console=CONSOLE):
        product, digests = honest.product.copy(), list(honest.digests)
        for row in random.choice(rows, rows // 100, replace=False):
            product[row] = 0
            digests[row] = row_digest(product[row])
        root = commitment([digests])
        seed = b"drawn after the commitment" + trial.to_bytes(8, "big")
        opened = {"cpu": product[sampled_rows(challenge, "cpu", root, seed)]}
        caught += check_answer(challenge, root, {"cpu": digests}, opened, seed).verdict is Verdict.FAIL
    return {
        "hardware_detection": round(caught / SKIP_TRIALS, 4),
        "hardware_sampled_rows": SAMPLED_ROWS,
        "hardware_rows": rows,
        "hardware_gpu": "scripts/gpu/verification.py",
    }


def quorum() -> dict[str, Any]:
    """The rule against every strategy, each on several markets, and iExec's rule on the market of sleepers."""
    rule = QuorumRule()
    runs = [(strategy, seed) for strategy in Strategy for seed in MARKET_SEEDS]
    outcomes: dict[str, list[dict[str, float]]] = {strategy.value: [] for strategy in Strategy}
    for strategy, seed in track(runs, "markets", console=CONSOLE):
        cheaters = 0 if strategy is Strategy.HONEST else SLEEPERS
        outcomes[strategy.value].append(asdict(Market(rule, strategy, WORKERS, cheaters, seed).run(JOBS)))
    mean = {
        strategy: {name: round(statistics.mean(run[name] for run in runs), 6) for name in runs[0]}
        for strategy, runs in outcomes.items()
    }
    sleepers = mean[Strategy.SLEEPER.value]
    executions, wrong = executions_and_wrong(IEXEC_TRUST, WORKERS, SLEEPERS, JOBS, MARKET_SEEDS[0])
    at_five = Market(QuorumRule(audit_bps=500), Strategy.SLEEPER, WORKERS, SLEEPERS, MARKET_SEEDS[0]).run(JOBS)
    return {
        "simulated_jobs": JOBS,
        "simulated_workers": WORKERS,
        "simulated_markets_each": len(MARKET_SEEDS),
        "executions_per_job": sleepers["executions_per_job"],
        "wrong_accepted": sleepers["wrong_accepted"],
        "wrong_accepted_worst_market": max(run["wrong_accepted"] for run in outcomes[Strategy.SLEEPER.value]),
        "wrong_vested": sleepers["wrong_vested"],
        "best_cheater_profit": max(
            mean[strategy.value]["cheater_profit"] for strategy in Strategy if strategy is not Strategy.HONEST
        ),
        "by_strategy": mean,
        "at_5_percent_audits": {name: round(value, 6) for name, value in asdict(at_five).items()},
        "iexec_trust": IEXEC_TRUST,
        "iexec_executions_per_job": round(executions, 4),
        "iexec_wrong_accepted": round(wrong, 4),
    }


def injected_faults() -> dict[str, Any]:
    """Honest submissions, and a verifier's side that breaks at each of its calls in each way: whom it accuses wrongly."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.unit.verification.test_no_fault_of_machines import FAULTS, POLICIES, case

    trials = failed = 0
    for policy in POLICIES.values():
        world, check = case(policy)
        check()
        calls = world.calls
        for fault in FAULTS.values():
            for place in range(calls):
                world.calls, world.breaks_at, world.fault = 0, place, fault
                trials += 1
                # A node that cannot be asked at all ends the round without a word.
                with contextlib.suppress(NodeUnavailable):
                    failed += check().verdict is Verdict.FAIL
    return {"false_fail": failed, "false_fail_trials": trials, "false_fail_faults": list(FAULTS)}


def rounded(matrix: Any, dropped_bits: int) -> Any:
    """float32 with so many bits of the mantissa rounded away: 13 gives TF32, 16 bfloat16."""
    half = np.uint32(1 << (dropped_bits - 1))
    mask = np.uint32(0xFFFFFFFF ^ ((1 << dropped_bits) - 1))
    return ((matrix.view(np.uint32) + half) & mask).view(np.float32)


def quantised(left: Any, right: Any, places: Any, inner: int) -> Any:
    """The product of both rounded to 8 bits of their highest entry."""
    steps = [np.abs(matrix).max() / 127 for matrix in (left, right)]
    return np.round(left / steps[0]) @ np.round(right / steps[1]) * np.float32(steps[0] * steps[1])


def without_a_row(left: Any, right: Any, places: Any, inner: int) -> Any:
    """The product with zeros for its largest row."""
    product = left @ right
    product[np.abs(product).sum(axis=1).argmax()] = 0
    return product


def without_a_hundredth(left: Any, right: Any, places: Any, inner: int) -> Any:
    """The product over the first 99 % of the inner dimension, whatever parts it is cut into."""
    kept = places < inner - inner // 100
    return left[:, kept] @ right[kept]


def without_the_smallest(left: Any, right: Any, places: Any, inner: int) -> Any:
    """The product without a hundredth of its terms, at least one: the smallest, which show least."""
    sizes = np.linalg.norm(left, axis=0) * np.linalg.norm(right, axis=1)
    kept = sizes.argsort()[max(1, len(places) // 100) :]
    return left[:, kept] @ right[kept]


CHEATS: Final[dict[str, Cheat]] = {
    "tf32": lambda left, right, places, inner: rounded(left, 13) @ rounded(right, 13),
    "bf16": lambda left, right, places, inner: rounded(left, 16) @ rounded(right, 16),
    "int8": quantised,
    "zeroed_row": without_a_row,
    "k_skipped": without_a_hundredth,
    "k_skipped_smallest": without_the_smallest,
}


if __name__ == "__main__":
    main()
