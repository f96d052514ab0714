"""What the executor knows of a GPU and does with it: discovery, health, leases, metering of a real load, and a job on it in the sandbox.

    PYTHONPATH=backend python scripts/gpu/executors.py

Prints one JSON object in less than two minutes; a part that cannot run says why under its own key, and the others go on. Wants PyTorch and
nvidia-ml-py; the sandbox also wants bubblewrap and the packages of the base install.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from computility.domain.errors import ComputilityError, ExecutorBusy
from computility.execution.gpu.card import Card, Cards, NoCards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.card_meter import CardMeter
from computility.execution.gpu.card_pool import CardPool
from computility.execution.gpu.driver_files import driver_files
from computility.execution.gpu.nvml_cards import NvmlCards, find_cards

LOAD_S: Final = 8.0
IDLE_S: Final = 3.0
SAMPLE_S: Final = 0.1
START_S: Final = 120.0
# Says when it is warm, multiplies until it is told to stop, and says what it did.
LOAD: Final = """
import json, sys, threading, time
import torch
size = 8192
a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
for _ in range(5):
    c = a @ b
torch.cuda.synchronize()
print("warm", flush=True)
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
began, products = time.perf_counter(), 0
while not stop.is_set():
    for _ in range(20):
        c = a @ b
    torch.cuda.synchronize()
    products += 20
elapsed = time.perf_counter() - began
print(json.dumps({"products": products, "elapsed_s": elapsed, "tflops": products * 2 * size**3 / elapsed / 1e12,
                  "most_reserved_bytes": torch.cuda.max_memory_reserved()}), flush=True)
"""
# The driver alone, without any library of Python: initialise, count cards, name them, allocate, write and read back.
DRIVER_JOB: Final = """
import ctypes, glob, os
cuda = ctypes.CDLL("libcuda.so.1")
def ask(name, *arguments):
    code = getattr(cuda, name)(*arguments)
    if code:
        raise SystemExit(f"{name} answered {code}")
count, device, context, pointer = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
ask("cuInit", 0)
ask("cuDeviceGetCount", ctypes.byref(count))
ask("cuDeviceGet", ctypes.byref(device), 0)
raw = (ctypes.c_ubyte * 16)()
ask("cuDeviceGetUuid", ctypes.byref(raw), device)
ask("cuCtxCreate_v2", ctypes.byref(context), 0, device)
ask("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(1 << 28))
ask("cuMemsetD32_v2", pointer, 7, ctypes.c_size_t(1 << 26))
back = (ctypes.c_uint32 * 4)()
ask("cuMemcpyDtoH_v2", back, pointer, ctypes.c_size_t(16))
print(count.value, bytes(raw).hex(), list(back), sorted(glob.glob("/dev/nvidia*")), os.getuid(), os.environ["CUDA_VISIBLE_DEVICES"])
"""
TORCH_JOB: Final = """
import time, torch
a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
end = time.time() + 4
while time.time() < end:
    b = a @ a
    torch.cuda.synchronize()
print(torch.cuda.get_device_name(0), torch.cuda.device_count(), float(b.float().abs().mean()) > 0)
"""


def main() -> None:
    """Measure everything, and report."""
    cards = find_cards()
    report: dict[str, Any] = {
        "bench": "gpu-executors",
        "python": platform.python_version(),
        "kernel": platform.release(),
    }
    report["discovery"] = told(lambda: discovery(cards))
    if not isinstance(cards, NvmlCards):
        report["why_nothing_more"] = cards.reason if isinstance(cards, NoCards) else "no card"
        print(json.dumps(report, indent=2))
        return
    first = cards.found()[0]
    report["question_us"] = told(lambda: questions(cards, first))
    report["leases"] = told(lambda: leases(cards))
    report["metering"] = told(lambda: metering(cards, first))
    report["challenge"] = told(lambda: challenge(cards))
    report["sandbox"] = told(lambda: sandbox(cards))
    print(json.dumps(report, indent=2))


def told(part: Callable[[], Any]) -> Any:
    """What a part found, or why it found nothing."""
    try:
        return part()
    except Exception as error:  # noqa: BLE001 - the other parts still have something to say
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {
            "failed": f"{type(error).__name__}: {str(error)[:600]}",
            "at": f"{Path(where.filename).name}:{where.lineno}",
        }


def discovery(cards: Cards) -> list[dict[str, Any]]:
    """Each card, its health, and what it does while nobody uses it."""
    return [
        {
            **asdict(card),
            "model": card.model,
            "health": str(cards.health(card.uuid)),
            "good": cards.health(card.uuid).good,
            "reading": asdict(cards.read(card.uuid)),
        }
        for card in cards.found()
    ]


def questions(cards: Cards, card: Card) -> dict[str, float]:
    """Microseconds that a look at a card takes: what metering costs the job's machine."""
    return {
        "read": microseconds(lambda: cards.read(card.uuid)),
        "health": microseconds(lambda: cards.health(card.uuid)),
    }


def microseconds(action: Callable[[], object], times: int = 50) -> float:
    """Median of some."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1e6)
    return round(statistics.median(taken), 1)


def leases(cards: Cards) -> dict[str, Any]:
    """A challenge against a card that a job holds."""
    uuids = [card.uuid for card in cards.found()]
    with tempfile.TemporaryDirectory() as folder:
        of_jobs, of_challenger = (CardLeases(uuids, Path(folder)) for _ in range(2))
        with of_jobs.some(1, "job"):
            try:
                with of_challenger.all_of(uuids, "hardware challenge"):
                    while_held = "challenged a job's card"
            except ExecutorBusy as busy:
                while_held = f"refused: {busy}"
        with of_challenger.all_of(uuids, "hardware challenge"):
            after = "granted"
    return {"challenge_while_a_job_holds_a_card": while_held, "challenge_afterwards": after}


@contextmanager
def load() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A process that keeps the first card busy. What it did is in the dictionary when it has ended."""
    did: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-c", LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as busy:
        assert busy.stdin is not None
        assert busy.stdout is not None
        try:
            if busy.stdout.readline() != "warm\n":
                raise RuntimeError("the load did not start")
            yield busy, did
            busy.stdin.write("\n")
            busy.stdin.flush()
            did |= json.loads(busy.stdout.readline())
        finally:
            busy.stdin.close()
            busy.wait(START_S)


def metering(cards: NvmlCards, card: Card) -> dict[str, Any]:
    """Energy, utilisation and memory of one process: idle, then under a load that knows itself what it does."""
    booked = cards.keep_accounts(card.uuid)
    idle = CardMeter(cards, [card.uuid], lambda _: True)
    time.sleep(IDLE_S)
    idle_mj = idle.use().energy_mj
    samples = []
    with load() as (busy, did):
        meter = CardMeter(cards, [card.uuid], lambda pid: pid == busy.pid)
        began = time.perf_counter()
        while time.perf_counter() - began < LOAD_S:
            samples.append(cards.read(card.uuid))
            time.sleep(SAMPLE_S)
        elapsed = time.perf_counter() - began
        use = meter.use()
    powers = [sample.power_mw for sample in samples if sample.power_mw is not None]
    shares = [sample.sm_percent for sample in samples if sample.sm_percent is not None]
    of_process = [
        part.sm_percent for sample in samples for part in sample.processes if part.pid == busy.pid and part.sm_percent
    ]
    by_counter = None if use.energy_mj is None else use.energy_mj / elapsed
    by_samples = statistics.mean(powers) if powers else None
    account = cards.accounts(card.uuid).get(busy.pid)
    return {
        "load": did,
        "seconds": round(elapsed, 2),
        "idle_watts": None if idle_mj is None else round(idle_mj / IDLE_S / 1000, 1),
        "energy_j": None if use.energy_mj is None else use.energy_mj / 1000,
        "watts_by_energy_counter": None if by_counter is None else round(by_counter / 1000, 1),
        "watts_by_power_samples": None if by_samples is None else round(by_samples / 1000, 1),
        "counter_over_samples": round(by_counter / by_samples, 4) if by_counter and by_samples else None,
        "power_limit_w": (card.power_limit_mw or 0) / 1000,
        "joules_per_tflop": round(by_counter / 1000 / did["tflops"], 4) if by_counter else None,
        "sm_percent_median": statistics.median(shares) if shares else None,
        "sm_percent_of_the_process": max(of_process, default=None),
        "processes_seen": sorted({part.pid == busy.pid for sample in samples for part in sample.processes}),
        "process_memory_bytes": use.memory_bytes,
        "process_memory_over_its_own_count": round(use.memory_bytes / did["most_reserved_bytes"], 3)
        if use.memory_bytes
        else None,
        "sm_clock_mhz": samples[-1].sm_clock_mhz,
        "temperature_c": samples[-1].temperature_c,
        "accounting_on": booked,
        "account_after_its_end": asdict(account) if account else None,
        "health_under_load": str(cards.health(card.uuid)),
    }


def challenge(cards: Cards) -> dict[str, Any]:
    """The hardware challenge on leased cards, answered and checked."""
    from computility.domain.attestation import Verdict
    from computility.domain.identifiers import ZERO_ADDRESS
    from computility.services.claimed_devices import worker_on
    from computility.verification.hardware_answer import answer_challenge
    from computility.verification.hardware_challenge import HardwareChallenge
    from computility.verification.hardware_rating import check_answer, micro_cu, sampled_rows

    uuids = tuple(card.uuid for card in cards.found())[:1]
    asked = HardwareChallenge(b"\x5e" * 32, ZERO_ADDRESS, uuids, 4096, 8192)
    worker = worker_on(uuids[0], cards)
    with tempfile.TemporaryDirectory() as folder:
        held = CardLeases(uuids, Path(folder))
        answer_challenge(asked, held, lambda _: worker)
        answer = answer_challenge(asked, held, lambda _: worker)
    seed = b"drawn after the commitment"
    opened = {found.card: found.opened(sampled_rows(asked, found.card, answer.root, seed)) for found in answer.answers}
    verdict = check_answer(asked, answer.root, {found.card: found.digests for found in answer.answers}, opened, seed)
    return {
        "worker": worker.name,
        "elapsed_ms": answer.elapsed_ms,
        "passes": verdict.verdict is Verdict.PASS,
        "cu": micro_cu(asked, answer.elapsed_ms) / 1e6,
    }


def sandbox(cards: Cards) -> dict[str, Any]:
    """A job on the card in bubblewrap: walls, driver, PyTorch, energy, units."""
    if shutil.which("bwrap") is None:
        return {"not_run": "bubblewrap is not installed", "driver_files": asdict(driver_files(cards.found()[:1]))}
    from computility.domain.identifiers import bytes32
    from computility.domain.task_specification import CommandLimits, TaskSpecification
    from computility.execution.command_executor import CommandBounds
    from computility.execution.executor import AttemptId, Prepared
    from computility.execution.sandbox.process_executor import ProcessExecutor

    gib = 1024**3
    folders = {
        str(Path(path).resolve())
        for path in (sys.prefix, sys.base_prefix, Path(sys.executable).resolve().parent.parent)
    }
    tools = {
        folder: folder for folder in sorted(folders) if not Path(folder).is_relative_to("/usr") and open_to_all(folder)
    }
    pool = CardPool(cards)
    executor = ProcessExecutor(CommandBounds(memory_bytes=64 * gib), tools=tools, gpus=pool)
    limits = CommandLimits(120, 100, 32 * gib, 2 * gib, 512, 2**20, 16, 1)
    python = str(Path(sys.prefix) / "bin" / "python3")
    found: dict[str, Any] = {
        "tools": tools,
        "driver": asdict(driver_files(pool.offered[:1])),
        "class": executor.environment,
    }

    def run(number: int, *command: str) -> dict[str, Any]:
        attempt = AttemptId(bytes32(bytes([number]) * 32), 1)
        specification = TaskSpecification("process", executor.environment, (), command, (), limits, 0, "0x" + "5e" * 32)
        began = time.perf_counter()
        try:
            executor.start(attempt, Prepared(specification, {}))
            time.sleep(0.5)
            held = pool.leases.holders()
            done = executor.collect(attempt)
        except ComputilityError as error:
            return {"failed": f"{error.code}: {str(error)[-700:]}"}
        last = done.samples[-1]
        return {
            "said": done.outputs.get("stdout", b"").decode(errors="replace")[:700],
            "units_gpu_s": done.units,
            "seconds": round(time.perf_counter() - began, 2),
            "energy_j": last.energy_mj / 1000,
            "watts": round(last.energy_mj / max(last.at_ms, 1), 1),
            "cpu_s": last.cpu_ms / 1000,
            "held_meanwhile": held,
        }

    def proof() -> str:
        executor.self_test()
        return "the walls stand"

    found["self_test"] = told(proof)
    of_system = "/usr/bin/python3"
    found["driver_job"] = run(1, of_system if Path(of_system).exists() else python, "-c", DRIVER_JOB)
    found["torch_job"] = run(2, python, "-c", TORCH_JOB)
    if "failed" in found["torch_job"]:
        # The interpreter behind the environment may lie where a job's user cannot go: the system's, with the environment's packages.
        packages = next(entry for entry in sys.path if entry.endswith("site-packages"))
        found["torch_job_of_system"] = run(3, "/usr/bin/env", f"PYTHONPATH={packages}", of_system, "-c", TORCH_JOB)
    found["held_afterwards"] = pool.leases.holders()
    found["safeguards"] = dict(executor.capabilities().safeguards)
    found["user"] = os.geteuid()
    return found


def open_to_all(folder: str) -> bool:
    """Whether a job's own user can reach a folder."""
    return all(part.stat().st_mode & 0o001 for part in (Path(folder), *Path(folder).parents))


if __name__ == "__main__":
    main()
