"""The cheat of the demo: runs a job honestly, then alters one byte of what came out (decision 0007)."""

from __future__ import annotations

from collections.abc import Iterator

from computility.domain.specification import Specification
from computility.execution.content_store import ContentStore
from computility.execution.executor import (
    AttemptId,
    Capabilities,
    Execution,
    Executor,
    MeterSample,
    Prepared,
    RunState,
    execution_of,
)


class TamperingExecutor:
    """An executor whose results are wrong by one byte. All else is the honest one's."""

    def __init__(self, honest: Executor) -> None:
        self._honest = honest

    @property
    def environment(self) -> str:
        """That of the honest executor."""
        return self._honest.environment

    def capabilities(self) -> Capabilities:
        """Those of the honest executor."""
        return self._honest.capabilities()

    def check(self, specification: Specification) -> None:
        """As the honest executor."""
        self._honest.check(specification)

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """As the honest executor."""
        return self._honest.prepare(specification, content)

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """As the honest executor."""
        self._honest.start(attempt, prepared)

    def status(self, attempt: AttemptId) -> RunState:
        """As the honest executor."""
        return self._honest.status(attempt)

    def meter(self, attempt: AttemptId) -> Iterator[MeterSample]:
        """As the honest executor."""
        return self._honest.meter(attempt)

    def cancel(self, attempt: AttemptId) -> None:
        """As the honest executor."""
        self._honest.cancel(attempt)

    def collect(self, attempt: AttemptId) -> Execution:
        """What came out, with a bit flipped in the middle of the largest output."""
        execution = self._honest.collect(attempt)
        outputs = dict(execution.outputs)
        largest = max(outputs, key=lambda path: len(outputs[path]))
        altered = bytearray(outputs[largest])
        altered[len(altered) // 2] ^= 1
        outputs[largest] = bytes(altered)
        manifest = execution.manifest
        return execution_of(manifest.spec, self.environment, manifest.fuel, outputs, units=execution.units)
