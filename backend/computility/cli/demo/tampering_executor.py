"""The cheat of the demo: runs a job honestly, then alters one byte of what came out (decision 0007)."""

from __future__ import annotations

from computility.domain.job_specification import JobSpecification
from computility.execution.content_store import ContentStore
from computility.execution.executor import Execution, Executor, execution_of


class TamperingExecutor:
    """An executor whose results are wrong by one byte."""

    def __init__(self, honest: Executor) -> None:
        self._honest = honest

    @property
    def environment(self) -> str:
        """That of the honest executor."""
        return self._honest.environment

    def run(self, specification: JobSpecification, content: ContentStore) -> Execution:
        """Run honestly, then flip a bit in the middle of the largest output. Raises what the honest one raises."""
        execution = self._honest.run(specification, content)
        outputs = dict(execution.outputs)
        largest = max(outputs, key=lambda path: len(outputs[path]))
        altered = bytearray(outputs[largest])
        altered[len(altered) // 2] ^= 1
        outputs[largest] = bytes(altered)
        return execution_of(specification.digest, self.environment, execution.fuel, outputs)
