"""How a machine of the cluster makes the executor that runs a job: written down, as nothing but a shared folder reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from computility.execution.command_executor import CommandBounds
from computility.execution.executor import Executor
from computility.execution.gpu.card_pool import CardPool


@dataclass(frozen=True)
class NodeSettings:
    """``kind`` is ``process`` or ``wasm``; ``tools`` and ``toolset`` are those of ``ProcessExecutor``, and have to be alike on all machines."""

    kind: str
    bounds: CommandBounds
    tools: Mapping[str, str] = field(default_factory=dict)
    toolset: Mapping[str, str] = field(default_factory=dict)

    def make(self, cards: CardPool | None = None) -> Executor:
        """The executor on this machine; ``cards`` are those that Slurm gave to the job.

        Raises:
            ExecutorUnfit: something that it needs is not installed.
        """
        bounds = self.bounds
        if self.kind == "wasm":
            from computility.execution.wasm.executor import WasmExecutor

            return WasmExecutor(
                timeout_s=bounds.wall_s,
                max_memory_bytes=bounds.memory_bytes,
                max_output_bytes=bounds.output_bytes,
                max_input_bytes=bounds.input_bytes,
            )
        from computility.execution.sandbox.process_executor import ProcessExecutor

        return ProcessExecutor(bounds, tools=self.tools, toolset=self.toolset, gpus=cards, spares=0)

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def settings_from(document: Mapping[str, Any]) -> NodeSettings:
    """Read what ``to_document`` wrote."""
    return NodeSettings(**{**document, "bounds": CommandBounds(**document["bounds"])})
