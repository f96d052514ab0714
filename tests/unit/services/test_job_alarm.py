"""An agent at rest, and what wakes it."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest

from computility.domain.errors import NodeUnavailable
from computility.services.job_alarm import JobAlarm

WAIT_S = 60.0
PACE_S = 0.02


class ScriptedNode:
    """Answers each long poll with what the test puts in."""

    def __init__(self) -> None:
        self.answers: queue.Queue[dict[str, Any] | Exception | None] = queue.Queue()
        self.asked: queue.Queue[dict[str, Any]] = queue.Queue()

    def some_job(self, wait_s: int, **filters: Any) -> dict[str, Any] | None:
        """As `NodeClient.some_job`."""
        self.asked.put({"wait_s": wait_s, **filters})
        answer = self.answers.get(timeout=WAIT_S)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def node() -> ScriptedNode:
    return ScriptedNode()


@pytest.fixture
def alarm(node: ScriptedNode) -> Any:
    """Of a verifier; ended with the test."""
    stop = threading.Event()
    alarm = JobAlarm(node, [{"verifier": "0x1"}], 10, PACE_S)  # type: ignore[arg-type]  # what it asks of a node
    alarm.listen(stop)
    yield alarm
    stop.set()
    node.answers.put(None)


def test_an_agent__looks_at_its_start_and_as_long_as_it_has_live_jobs(alarm: JobAlarm, node: ScriptedNode) -> None:
    assert alarm.is_due
    alarm.looked(1)
    assert alarm.is_due
    assert node.asked.empty(), "it looks by itself"


def test_an_agent_without_a_job__rests_until_the_node_tells_of_one(alarm: JobAlarm, node: ScriptedNode) -> None:
    alarm.looked(0)
    assert not alarm.is_due
    asked = node.asked.get(timeout=WAIT_S)
    assert asked == {"wait_s": 10, "verifier": "0x1", "state": ("open", "pending", "disputed")}
    node.answers.put(None)
    node.asked.get(timeout=WAIT_S)
    assert not alarm.is_due
    node.answers.put({"id": "0x2"})
    alarm.wait(WAIT_S)
    assert alarm.is_due
    alarm.looked(1)
    assert alarm.is_due


def test_a_node_that_does_not_answer__is_asked_again(alarm: JobAlarm, node: ScriptedNode) -> None:
    alarm.looked(0)
    node.answers.put(NodeUnavailable("down"))
    node.answers.put({"id": "0x2"})
    alarm.wait(WAIT_S)
    assert alarm.is_due
