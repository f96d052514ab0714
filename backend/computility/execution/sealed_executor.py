"""Runs sealed jobs on any executor: opens inputs before, seals outputs after. Keys stay in this process: the job itself never sees one.

The manifest is over the sealed outputs, so a result says nothing of what is in it, and whoever may read the job comes to the same manifest.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from computility.domain.errors import ContentMismatch, SealedInputUnfit
from computility.domain.specification import Specification
from computility.domain.task_specification import TaskSpecification
from computility.execution.content_store import ContentStore
from computility.execution.delegating_executor import DelegatingExecutor
from computility.execution.executor import AttemptId, Execution, Executor, Prepared, execution_of, fetch
from computility.execution.executor_set import ExecutorSet
from computility.execution.reader_key import ReaderKey, input_key, open_file, output_key, seal_output

_REMEMBERED: Final = 256


@dataclass(frozen=True, repr=False)
class _Opened(Prepared):
    """Prepared, with the content key. No repr: a key must not reach a log."""

    content_key: bytes = b""


def reading(executors: ExecutorSet, reader: ReaderKey | None) -> ExecutorSet:
    """The same executors, taking jobs that are sealed to ``reader`` too; None reads nothing."""
    if reader is None:
        return executors
    return ExecutorSet(
        [SealedExecutor(executor, reader) for executor in executors], executors.left_out, executors.names
    )


def _opened(content_key: bytes, path: str, data: bytes) -> bytes:
    try:
        return open_file(input_key(content_key), data)
    except ContentMismatch as error:
        raise SealedInputUnfit(
            f"{path} is what the job names, and was sealed with another key than the job's"
        ) from error


class SealedExecutor(DelegatingExecutor):
    """An executor that can read what is sealed to ``reader``. Jobs that are not sealed pass through."""

    def __init__(self, inner: Executor, reader: ReaderKey) -> None:
        super().__init__(inner)
        self._reader = reader
        self._output_keys: OrderedDict[AttemptId, bytes] = OrderedDict()

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run.

        Raises:
            NotAReader: the job is sealed to others.
        """
        super().check(specification)
        if isinstance(specification, TaskSpecification) and specification.sealing is not None:
            self._reader.open(specification)

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """Check, fetch, check what was fetched, and open the inputs.

        Raises:
            NotAReader: the job is sealed to others.
            ContentMismatch: an input was changed on the way.
            SealedInputUnfit: it is what the job names, and does not open.
        """
        if not isinstance(specification, TaskSpecification) or specification.sealing is None:
            return super().prepare(specification, content)
        super().check(specification)
        key = self._reader.open(specification)
        files = {file.path: fetch(file, content) for file in specification.files}
        if specification.sealing.inputs:
            for file in specification.inputs:
                files[file.path] = _opened(key, file.path, files[file.path])
        return _Opened(specification, files, key)

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """Start an attempt."""
        sealing = prepared.specification.sealing
        if isinstance(prepared, _Opened) and sealing is not None and sealing.outputs:
            self._output_keys[attempt] = output_key(prepared.content_key, attempt)
            while len(self._output_keys) > _REMEMBERED:
                self._output_keys.popitem(last=False)
        # What is handed on may leave this process (Ray pickles it), so it is without the key.
        super().start(attempt, Prepared(prepared.specification, prepared.files))

    def collect(self, attempt: AttemptId) -> Execution:
        """Wait for its end, and seal what came out."""
        execution = super().collect(attempt)
        key = self._output_keys.get(attempt)
        if key is None:
            return execution
        sealed = {path: seal_output(key, path, data) for path, data in execution.outputs.items()}
        manifest = execution.manifest
        return execution_of(
            manifest.spec, self.environment, manifest.fuel, sealed, units=execution.units, samples=execution.samples
        )
