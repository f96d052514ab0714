"""What a provider's agent does with runs that came to nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.verification.scripted_executor import ScriptedExecutor

from computility.domain.errors import (
    ComputilityError,
    HostMemoryExhausted,
    JobFailed,
    JobMemoryExceeded,
    JobTimeExceeded,
    WallClockExceeded,
)
from computility.domain.identifiers import Address, bytes32
from computility.domain.job import JobState
from computility.domain.quoting import ProviderPolicy
from computility.execution.executor import AttemptId
from computility.services.provider_agent import ProviderAgent

JOB = bytes32(b"\x11" * 32)


@pytest.fixture
def agent() -> ProviderAgent:
    """An agent that has nobody to talk to."""
    account: Any = SimpleNamespace(address=Address("0x" + "11" * 20))
    executor: Any = ScriptedExecutor(lambda *_: {})
    return ProviderAgent(account, SimpleNamespace(), executor, ProviderPolicy())  # type: ignore[arg-type]  # none is asked


def watched(state: JobState, now: int) -> Any:
    """A job that ends at 100."""
    return SimpleNamespace(id=JOB, chain=SimpleNamespace(state=state), terms=SimpleNamespace(end=100), now=now)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (JobTimeExceeded("10 s"), 1),
        (JobMemoryExceeded("64 MiB"), 1),
        (JobFailed("exit code 1"), 1),
        (WallClockExceeded("this machine is slow"), 4),
        (HostMemoryExhausted("this machine is full"), 4),
    ],
)
def test_job__that_reached_its_own_limit__is_handed_back_at_once(
    agent: ProviderAgent, error: ComputilityError, tries: int
) -> None:
    for _ in range(tries):
        assert JOB not in agent._excuses
        agent._could_not_run(watched(JobState.OPEN, 1), error)
    assert agent._excuses[JOB].reason == error.code


@pytest.mark.parametrize(
    ("state", "now", "is_ended"), [(JobState.OPEN, 100, False), (JobState.OPEN, 101, True), (JobState.CLOSED, 1, True)]
)
def test_run__of_a_job_that_is_over__is_ended(agent: ProviderAgent, state: JobState, now: int, is_ended: bool) -> None:
    ended: list[AttemptId] = []
    attempt = AttemptId(JOB, 1)
    agent._running[JOB] = SimpleNamespace(cancel=ended.append), attempt  # type: ignore[assignment]  # only ends it
    agent._end_runs_of_what_is_over([watched(state, now)])
    assert ended == ([attempt] if is_ended else [])
