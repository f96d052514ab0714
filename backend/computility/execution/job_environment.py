"""Environment variables that every command finds, wherever it runs. Nothing of the agent's own is among them."""

from __future__ import annotations

from computility.domain.specification import Specification
from computility.execution.executor import AttemptId


def job_environment(attempt: AttemptId, specification: Specification) -> dict[str, str]:
    """Variables of one attempt; ``PATH`` is the back end's to add."""
    return {
        "HOME": "/tmp",  # noqa: S108 - of the sandbox
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "COMPUTILITY_JOB": attempt.job,
        "COMPUTILITY_ATTEMPT": str(attempt.attempt),
        "COMPUTILITY_SEED": specification.seed,
        "COMPUTILITY_CLOCK": str(specification.clock_s),
    }
