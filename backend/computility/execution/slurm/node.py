"""What a batch job runs on a machine of the cluster: ``python -m computility.execution.slurm.node FOLDER ATTEMPT`` runs it in this machine's sandbox.

It ends well whenever it could say what came of the attempt, be it a fault; anything else is the machine's own failure.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from computility.domain.errors import ComputilityError
from computility.domain.task_specification import CommandLimits
from computility.execution.executor import AttemptId, Executor
from computility.execution.gpu.assigned_cards import assigned_pool
from computility.execution.gpu.nvml_cards import find_cards
from computility.execution.slurm.node_settings import settings_from
from computility.execution.spool import SpooledAttempt


def run_attempt(spooled: SpooledAttempt, attempt: AttemptId) -> None:
    """Run what is in the folder, and leave what came of it there."""
    prepared, settings = spooled.read()
    try:
        limits = prepared.specification.limits
        has_cards = isinstance(limits, CommandLimits) and limits.gpus > 0
        executor = settings_from(settings).make(assigned_pool(find_cards()) if has_cards else None)
        executor.check(prepared.specification)
        executor.start(attempt, prepared)
        _end_with_a_signal(executor, attempt)
        meter = threading.Thread(target=_write_samples, args=(executor, attempt, spooled), daemon=True)
        meter.start()
        execution = executor.collect(attempt)
        meter.join()
    except ComputilityError as error:
        spooled.write_error(error)
    else:
        spooled.write_execution(execution)


def _write_samples(executor: Executor, attempt: AttemptId, spooled: SpooledAttempt) -> None:
    for sample in executor.meter(attempt):
        spooled.write_sample(sample)


def _end_with_a_signal(executor: Executor, attempt: AttemptId) -> None:
    def end(_signal: int, _frame: FrameType | None) -> None:
        executor.cancel(attempt)

    signal.signal(signal.SIGTERM, end)


def main() -> None:
    """The attempt of the folder that is named, which is called after it."""
    folder = Path(sys.argv[1])
    job, _, number = sys.argv[2].rpartition("-")
    run_attempt(SpooledAttempt(folder), AttemptId(job, int(number)))  # type: ignore[arg-type]  # the agent wrote it


if __name__ == "__main__":
    main()
