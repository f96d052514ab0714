"""An executor whose runs a test writes, and a result to hold against them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from computility.domain.errors import EnvironmentMismatch
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import Submission
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.content_store import ContentStore, FileContentStore
from computility.execution.executor import AttemptId, Capabilities, Execution, Prepared, execution_of, fetch_all
from computility.verification.hash_equality import ExecutorOf

ENVIRONMENT = "process-linux-x86-64/debian-12/0123456789abcdef"
JOB = Bytes32("0x" + "11" * 32)
LIMITS = CommandLimits(10, 10, 2**20, 2**20, 8, 2**20, 8)
Script = Callable[[Prepared], Mapping[str, bytes]]


class ScriptedExecutor:
    """Runs a job by calling a function. ``ran`` counts; what a run raises, it raises."""

    environment = ENVIRONMENT

    def __init__(self, script: Script) -> None:
        self._script = script
        self._runs: dict[AttemptId, Prepared] = {}
        self.ran = 0

    def capabilities(self) -> Capabilities:
        """Enough."""
        return Capabilities("process", ENVIRONMENT, 1, 2**30, 2**30, 2**30, 60)

    def check(self, specification: object) -> None:
        """Anything."""

    def prepare(self, specification: TaskSpecification, content: ContentStore) -> Prepared:
        """Fetch."""
        return Prepared(specification, fetch_all(specification, content))

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """Idempotent by attempt, as executors are."""
        self._runs.setdefault(attempt, prepared)

    def collect(self, attempt: AttemptId) -> Execution:
        """What the script writes."""
        prepared = self._runs[attempt]
        self.ran += 1
        outputs = dict(self._script(prepared))
        return execution_of(prepared.specification.digest, ENVIRONMENT, None, outputs, units=1)


class Result:
    """A specification, and what a provider submitted for it."""

    def __init__(self, folder: Path) -> None:
        self.content = FileContentStore(str(folder), 1 << 24)
        self.specification = TaskSpecification("process", ENVIRONMENT, (), ("run",), (), LIMITS, 0, ZERO_BYTES32)

    def submit(self, outputs: Mapping[str, bytes], *, upload: bool = True) -> Submission:
        """Commit to these files."""
        files = [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in outputs.items()]
        manifest = make_manifest(self.specification.digest, ENVIRONMENT, None, files)
        if upload:
            for data in (*outputs.values(), manifest.to_bytes()):
                self.content.put(data)
        return Submission(JOB, 1, manifest.digest, 1, ZERO_BYTES32, 0)


def on(executor: ScriptedExecutor) -> ExecutorOf:
    """The executor of its class."""

    def executor_of(environment: str) -> ScriptedExecutor:
        if environment != ENVIRONMENT:
            raise EnvironmentMismatch(f"no {environment} here")
        return executor

    return executor_of  # type: ignore[return-value]  # as much of an executor as a check uses
