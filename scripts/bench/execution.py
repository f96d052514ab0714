"""What running a job costs beyond the job: start of a sandbox, and a provider's cluster, against plain starts in the same run.

Prints one JSON object. ``sandbox_start_p95_ms`` is the 95th percentile of a sandboxed ``true`` minus that of a plain one, started alternately, a
tenth of a second apart, as jobs come to an agent; ``sandbox_in_a_row_…`` is the same without any pause, faster than sandboxes are built in advance;
``sandbox_unprepared_…`` is without any that were built in advance.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import track

from computility.domain.identifiers import bytes32
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.executor import AttemptId, Prepared

MIB = 1024 * 1024
LIMITS = CommandLimits(
    cpu_s=10, wall_s=30, memory_bytes=64 * MIB, scratch_bytes=MIB, processes=16, output_bytes=MIB, output_files=8
)
SEED = "0x" + "5e" * 32
PAUSE_S = 0.1


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=200, help="sandboxes to start")
    parser.add_argument("--jobs", type=int, default=300, help="jobs to run on a cluster of this machine")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    report: dict[str, Any] = {"bench": "execution", "python": sys.version.split()[0], "cpus": os.cpu_count()}
    report |= sandbox_starts(arguments.starts, console)
    report |= ray_jobs(arguments.jobs, console)
    report["load"] = [round(load, 1) for load in os.getloadavg()]
    print(json.dumps(report, indent=2))


def sandbox_starts(count: int, console: Console) -> dict[str, Any]:
    """Milliseconds of a plain and of a sandboxed ``true``."""
    if shutil.which("bwrap") is None:
        return {"sandbox_start_p95_ms": None, "sandbox": "bubblewrap is not installed"}
    from computility.execution.sandbox.process_executor import ProcessExecutor

    executors = {name: ProcessExecutor(spares=spares) for name, spares in (("ready", 4), ("built", 0))}
    specification = TaskSpecification("process", executors["ready"].environment, (), ("true",), (), LIMITS, 0, SEED)

    def sandboxed(name: str) -> None:
        attempt = AttemptId(bytes32(secrets.token_bytes(32)), 1)
        executors[name].start(attempt, Prepared(specification, {}))
        executors[name].collect(attempt)

    def plain() -> None:
        subprocess.run(["/usr/bin/true"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    sandboxed("ready")
    times: dict[str, list[float]] = {"plain": [], "start": [], "in_a_row": [], "unprepared": []}
    for _ in track(range(count), "sandboxes", console=console):
        time.sleep(PAUSE_S)
        times["plain"].append(_ms(plain))
        times["start"].append(_ms(lambda: sandboxed("ready")))
        times["unprepared"].append(_ms(lambda: sandboxed("built")))
    times["in_a_row"] = [_ms(lambda: sandboxed("ready")) for _ in range(count)]
    plains = sorted(times.pop("plain"))
    report: dict[str, Any] = {}
    for name, unordered in times.items():
        ordered = sorted(unordered)
        report[f"sandbox_{name}_p95_ms"] = round(_p95(ordered) - _p95(plains), 2)
        report[f"sandbox_{name}_p50_ms"] = round(statistics.median(ordered) - statistics.median(plains), 2)
        report[f"sandbox_{name}_least_ms"] = round(ordered[0] - plains[0], 2)
    return {
        **report,
        "plain_exec_p95_ms": round(_p95(plains), 2),
        "plain_exec_p50_ms": round(statistics.median(plains), 2),
        "safeguards": dict(executors["ready"].capabilities().safeguards),
    }


def ray_jobs(count: int, console: Console) -> dict[str, Any]:
    """A warm cluster of this machine: milliseconds of one sandboxed job after the other, then jobs a second of many at once."""
    if importlib.util.find_spec("ray") is None or shutil.which("bwrap") is None:
        return {"ray_p50_ms": None, "ray_jobs_per_s": None, "ray": "not installed: pip install 'computility[ray]'"}
    from computility.execution.ray_executor import RayCluster, RayExecutor
    from computility.execution.sandbox.process_executor import ProcessExecutor

    executor = RayExecutor(ProcessExecutor, RayCluster(cpus=os.cpu_count()))
    try:
        executor.warm_up()
        specification = TaskSpecification("process", executor.environment, (), ("true",), (), LIMITS, 0, SEED)

        def start() -> AttemptId:
            attempt = AttemptId(bytes32(secrets.token_bytes(32)), 1)
            executor.start(attempt, Prepared(specification, {}))
            return attempt

        alone = sorted(_ms(lambda: executor.collect(start())) for _ in track(range(count // 4), "ray", console=console))
        began = time.perf_counter()
        for attempt in [start() for _ in range(count)]:
            executor.wait(attempt)
        rate = count / (time.perf_counter() - began)
    finally:
        executor.close()
    return {
        "ray_p50_ms": round(statistics.median(alone), 2),
        "ray_p95_ms": round(_p95(alone), 2),
        "ray_jobs_per_s": round(rate, 1),
    }


def _ms(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def _p95(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


if __name__ == "__main__":
    main()
