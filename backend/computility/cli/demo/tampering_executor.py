"""The cheat of the demo: runs a job honestly, then alters one byte of what came out (decision 0007)."""

from __future__ import annotations

from computility.execution.delegating_executor import DelegatingExecutor
from computility.execution.executor import AttemptId, Execution, execution_of


class TamperingExecutor(DelegatingExecutor):
    """An executor whose results are wrong by one byte. All else is the honest one's."""

    def collect(self, attempt: AttemptId) -> Execution:
        """What came out, with a bit flipped in the middle of the largest output."""
        execution = super().collect(attempt)
        outputs = dict(execution.outputs)
        largest = max(outputs, key=lambda path: len(outputs[path]))
        altered = bytearray(outputs[largest])
        altered[len(altered) // 2] ^= 1
        outputs[largest] = bytes(altered)
        manifest = execution.manifest
        return execution_of(manifest.spec, self.environment, manifest.fuel, outputs, units=execution.units)
