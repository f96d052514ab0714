"""One job in its sandbox: starts it, watches it, and reads what it hands out."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

from computility.domain.errors import ExecutorCrashed, JobMemoryExceeded, JobTimeExceeded
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import Run
from computility.execution.executor import MeterSample, Prepared
from computility.execution.gpu.card_meter import CardMeter
from computility.execution.gpu.card_pool import HeldCards
from computility.execution.job_environment import job_environment
from computility.execution.sandbox.bubblewrap import HEADER_LINES, SandboxLimits, job_line
from computility.execution.sandbox.built_sandbox import BuiltSandbox
from computility.execution.sandbox.control_groups import JobGroup
from computility.execution.sandbox.output_archive import longest_archive
from computility.execution.sandbox.process_tree import tree_names, tree_usage

_WATCH_S: Final = 0.2
_SAMPLE_S: Final = 1.0
_SAID: Final = 400
_MAX_HEADER: Final = 256
_ENDING_S: Final = 5.0
_TIME: Final = re.compile(rb"(\d+)m([\d.]+)s")


class SandboxedRun:
    """One run, to its end, in a sandbox that was built for it."""

    def __init__(
        self, run: Run, prepared: Prepared, limits: CommandLimits, tools: Iterable[str], cards: HeldCards | None
    ) -> None:
        self._run = run
        self._cards = cards
        self._uuids = cards.uuids if cards else ()
        self._prepared = prepared
        self._limits = limits
        self._tools = tuple(tools)
        self._most_bytes = longest_archive(limits.output_bytes, limits.output_files) + _MAX_HEADER
        self._said = bytearray()

    def archive(self, built: BuiltSandbox, files: Mapping[str, bytes]) -> tuple[int, bytes]:
        """The exit code of the command, and the tar stream. ``files`` are those that the sandbox was not built with.

        Raises:
            ExecutorFailed: too long, too much memory, cancelled, or the sandbox fell over.
        """
        limits = self._limits
        bounds = SandboxLimits(
            data_bytes=limits.memory_bytes,
            file_bytes=max(limits.output_bytes, limits.scratch_bytes),
            cpu_s=limits.cpu_s + 1,
            processes=limits.processes,
        )
        line = job_line(self._prepared.specification.arguments, self._environment(), bounds)
        with self._run.stopped_by(built.process.kill):
            built.begin(line, files, all_memory(limits), limits.processes + 8)
            return self._watched(built)

    def _watched(self, built: BuiltSandbox) -> tuple[int, bytes]:
        result = bytearray()
        end = self._run.started + self._limits.wall_s
        next_sample = 0.0
        usage = (0, 0)
        group, pid = built.group, built.process.pid
        # A card that a job holds runs nothing else, so its energy is the job's.
        meter = self._cards.meter(lambda _: True) if self._cards else None
        with selectors.DefaultSelector() as selector:
            selector.register(built.result, selectors.EVENT_READ, self._take)
            selector.register(built.complaints, selectors.EVENT_READ, self._listen)
            while True:
                ready = selector.select(min(_WATCH_S, max(0.0, end - time.monotonic())))
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 20)
                    if not data:
                        selector.unregister(key.fd)
                    key.data(result, data)
                if built.result not in selector.get_map():
                    break
                if ready and time.monotonic() < end:
                    continue
                usage = self._usage(pid, group)
                self._check_limits(usage, end)
                if group is not None and group.ran_out_of_memory():
                    raise self._too_much_memory()
                if time.monotonic() >= next_sample:
                    energy_mj = _energy_mj(meter)
                    names = tree_names(pid)
                    self._run.sample(
                        MeterSample(
                            self._run.elapsed_ms(), *usage, energy_mj=energy_mj, processes=names, cards=self._uuids
                        )
                    )
                    next_sample = time.monotonic() + _SAMPLE_S
        spent_ms = max((group.cpu_ms() if group is not None else None) or 0, usage[0])
        if group is not None and group.ran_out_of_memory():
            raise self._too_much_memory()
        code, times_ms, archive = _parts(bytes(result)) or self._crash(built)
        self._run.sample(
            MeterSample(
                self._run.elapsed_ms(), max(spent_ms, times_ms), 0, energy_mj=_energy_mj(meter), cards=self._uuids
            )
        )
        return code, archive

    def _take(self, result: bytearray, data: bytes) -> None:
        result += data
        if len(result) > self._most_bytes:
            raise ExecutorCrashed("the sandbox hands out more than the job could write")

    def _listen(self, _result: bytearray, data: bytes) -> None:
        """What bubblewrap and the shell complain about: kept short, so that nobody fills this machine's memory with it."""
        self._said += data
        del self._said[:-_SAID]

    def _usage(self, pid: int, group: JobGroup | None) -> tuple[int, int]:
        cpu_ms, memory = tree_usage(pid)
        if group is not None:
            cpu_ms = max(cpu_ms, group.cpu_ms() or 0)
            memory = group.memory_bytes() or memory
        return cpu_ms, memory

    def _check_limits(self, usage: tuple[int, int], end: float) -> None:
        cpu_ms, memory = usage
        if time.monotonic() >= end:
            raise JobTimeExceeded(f"the job took longer than the {self._limits.wall_s} s that it may")
        if cpu_ms > self._limits.cpu_s * 1000:
            raise JobTimeExceeded(f"the job took more processor time than the {self._limits.cpu_s} s that it may")
        if memory > all_memory(self._limits):
            raise self._too_much_memory()

    def _too_much_memory(self) -> JobMemoryExceeded:
        return JobMemoryExceeded(f"the job used more than the {all_memory(self._limits)} bytes that it may")

    def _crash(self, built: BuiltSandbox) -> NoReturn:
        with contextlib.suppress(subprocess.TimeoutExpired):
            built.process.wait(_ENDING_S)
        built.process.kill()
        status = built.process.wait()
        said = self._said.decode(errors="replace").strip()
        end = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        raise ExecutorCrashed(f"the sandbox ended with {end}" + (f" and said: {said}" if said else ""))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": ":".join([*(f"{place}/bin" for place in self._tools), "/usr/bin", "/bin"]),
            **job_environment(self._run.attempt, self._prepared.specification),
            **(self._cards.files.environment(self._cards.uuids) if self._cards else {}),
        }


def _parts(result: bytes) -> tuple[int, int, bytes] | None:
    """Exit code, processor milliseconds and tar stream of what a supervisor hands out; None where it did not come to an end."""
    lines = result.split(b"\n", HEADER_LINES)
    if len(lines) <= HEADER_LINES or not lines[0].isdigit():
        return None
    times = _TIME.findall(b" ".join(lines[1:HEADER_LINES]))
    return int(lines[0]), round(sum(int(m) * 60_000 + float(s) * 1000 for m, s in times)), lines[HEADER_LINES]


def _energy_mj(meter: CardMeter | None) -> int:
    return (meter.use().energy_mj if meter else None) or 0


def all_memory(limits: CommandLimits) -> int:
    """Files of a sandbox are in memory, so they count beside what processes hold."""
    return limits.memory_bytes + 2 * limits.scratch_bytes + limits.output_bytes + 32 * 1024**2
