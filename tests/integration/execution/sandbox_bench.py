"""What the sandbox's tests share: a bench that runs commands within given limits."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from computility.domain.content_id import content_id_of
from computility.domain.job_specification import InputFile
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.blocking_executor import BlockingExecutor
from computility.execution.content_store import FileContentStore
from computility.execution.executor import Execution

MIB = 1024 * 1024
SEED = "0x" + "5e" * 32
LIMITS = CommandLimits(
    cpu_s=20,
    wall_s=60,
    memory_bytes=128 * MIB,
    scratch_bytes=2 * MIB,
    processes=32,
    output_bytes=MIB,
    output_files=8,
)

needs_bubblewrap = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="bubblewrap is not installed"
)


@dataclass(frozen=True)
class SandboxBench:
    """Runs commands. ``limits`` are small, so that tests reach them."""

    content: FileContentStore
    executor: BlockingExecutor
    limits: CommandLimits = LIMITS

    def specification(
        self, *arguments: str, inputs: Mapping[str, bytes] | None = None, artifacts: Mapping[str, bytes] | None = None
    ) -> TaskSpecification:
        """The specification of a command on files, all put into the content store."""
        return TaskSpecification(
            "process",
            self.executor.environment,
            self._put(artifacts or {}),
            arguments,
            self._put(inputs or {}),
            self.limits,
            1_790_000_000,
            SEED,
        )

    def run(
        self, *arguments: str, inputs: Mapping[str, bytes] | None = None, artifacts: Mapping[str, bytes] | None = None
    ) -> Execution:
        """Run a command."""
        return self.executor.run(self.specification(*arguments, inputs=inputs, artifacts=artifacts), self.content)

    def shell(self, script: str) -> str:
        """What a shell script prints; where it wrote to standard error, that follows."""
        outputs = self.run("/bin/sh", "-c", script).outputs
        return (outputs.get("stdout", b"") + outputs.get("stderr", b"")).decode()

    def python(self, script: str) -> str:
        """What a Python script prints."""
        return self.run("python3", "-c", script).outputs.get("stdout", b"").decode()

    def within(self, **limits: int) -> SandboxBench:
        """The bench with other limits."""
        return replace(self, limits=replace(self.limits, **limits))

    def _put(self, files: Mapping[str, bytes]) -> tuple[InputFile, ...]:
        for data in files.values():
            self.content.put(data)
        return tuple(InputFile(path, content_id_of(data), len(data)) for path, data in files.items())
