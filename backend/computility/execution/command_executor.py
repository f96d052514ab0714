"""What all executors of commands have in common, whatever holds a command: what a job may ask for, GPUs that it holds, and what it is billed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from computility.domain.errors import ExecutorUnfit, HostMemoryExhausted, OutputTooLarge, WallClockExceeded
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import BlockingExecutor, Run
from computility.execution.executor import Capabilities
from computility.execution.gpu.card_pool import CardPool, HeldCards

_GIB: Final = 1024**3
_WAIT_FOR_CARDS_S: Final = 600
"""How long a job waits for cards that a challenge or another job holds."""


@dataclass(frozen=True)
class CommandBounds:
    """The most that one job may ask for, in bytes and seconds of wall clock, and how many run at one time. ``gpus``: the most cards of a job that a
    cluster places where they are; on this machine its pool of cards says."""

    memory_bytes: int = 4 * _GIB
    input_bytes: int = _GIB
    output_bytes: int = _GIB
    wall_s: int = 24 * 3600
    parallel: int = os.cpu_count() or 1
    gpus: int = 0


class CommandExecutor(BlockingExecutor):
    """An executor of commands. A job with GPUs holds that many cards of ``gpus`` for itself, and sees no other."""

    kind: str
    """The kind of job that it runs."""
    tells_processes = False

    def __init__(self, bounds: CommandBounds | None = None, gpus: CardPool | None = None) -> None:
        super().__init__()
        self._bounds = bounds or CommandBounds()
        self._gpus = gpus

    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job here."""
        bounds = self._bounds
        return Capabilities(
            kind=self.kind,
            environment=self.environment,
            parallel=bounds.parallel,
            memory_bytes=bounds.memory_bytes,
            input_bytes=bounds.input_bytes,
            output_bytes=bounds.output_bytes,
            wall_s=bounds.wall_s,
            gpus=self._gpus.uuids if self._gpus else (),
            safeguards={**self._safeguards(), **self._gpu_safeguards()},
            tells_processes=self.tells_processes,
        )

    def _gpu_safeguards(self) -> Mapping[str, str]:
        if self._gpus:
            return {"gpus": "each held by one job"}
        return {"gpus": f"at most {self._bounds.gpus} a job, of the cluster's"} if self._bounds.gpus else {}

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run: another class, more time, memory, output or GPUs than this machine gives."""
        super().check(specification)
        limits = specification.limits
        assert isinstance(limits, CommandLimits)
        bounds = self._bounds
        if limits.wall_s > bounds.wall_s:
            raise WallClockExceeded(f"the job may take {limits.wall_s} s, and this machine gives it {bounds.wall_s}")
        if limits.scratch_bytes + limits.output_bytes > bounds.output_bytes + bounds.memory_bytes:
            raise HostMemoryExhausted("the job may write more than this machine holds in memory: allow it less")
        if limits.gpus > (offered := len(self._gpus.uuids) if self._gpus else bounds.gpus):
            raise ExecutorUnfit(
                f"the job wants {limits.gpus} GPUs, and this offer has {offered or 'no GPU'}: choose an ask with GPUs"
            )

    def _safeguards(self) -> Mapping[str, str]:
        """What holds a job here, by name."""
        return {}

    def _held_cards(self, run: Run, limits: CommandLimits) -> contextlib.AbstractContextManager[HeldCards | None]:
        """The cards of one job, for as long as it lasts. Raises as the pool does."""
        if not limits.gpus:
            return contextlib.nullcontext()
        if self._gpus is None:
            raise ExecutorUnfit(f"the job wants {limits.gpus} GPUs, and no card is held for it here")
        return self._gpus.held(limits.gpus, f"job {run.attempt}", _WAIT_FOR_CARDS_S, run.cancelled.is_set)


def billed_units(run: Run, limits: CommandLimits) -> int:
    """Seconds of processor by the last sample of a run, or of its GPUs by the clock; at least one, at most what the job may use."""
    last = run.samples[-1]
    used_ms, most_s = last.cpu_ms, limits.cpu_s
    if limits.gpus:
        used_ms, most_s = limits.gpus * last.at_ms, limits.gpus * limits.wall_s
    return min(-(-max(used_ms, 1) // 1000), most_s)


def refuse_too_much(outputs: Mapping[str, bytes], limits: CommandLimits) -> None:
    """Hold what came out against what the job may write.

    Raises:
        OutputTooLarge: more files or bytes.
    """
    if sum(map(len, outputs.values())) > limits.output_bytes or len(outputs) > limits.output_files:
        raise OutputTooLarge(
            f"the job wrote more than {limits.output_files} files or {limits.output_bytes} bytes: allow more output, or write less"
        )
