"""Running a job: what every back end does, and what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import JobSpecification
from computility.domain.manifest import OutputFile, OutputManifest, make_manifest
from computility.execution.content_store import ContentStore


@dataclass(frozen=True)
class Execution:
    """A run that ended well. ``outputs`` are the files of the manifest by path; standard output and error are files ``stdout``
    and ``stderr`` where anything was written to them."""

    manifest: OutputManifest
    outputs: Mapping[str, bytes]

    @property
    def fuel(self) -> int:
        """WebAssembly fuel that was used."""
        return self.manifest.fuel

    @property
    def units(self) -> int:
        """Payable units: millions of fuel, rounded up."""
        return self.manifest.units


class Executor(Protocol):
    """Runs jobs of one environment class. Two executors of a class come to the same outputs and the same fuel, or to the same fault."""

    @property
    def environment(self) -> str:
        """The environment class."""

    def run(self, specification: JobSpecification, content: ContentStore) -> Execution:
        """Run a job to its end. The program and its inputs come from ``content``.

        Raises:
            JobFault: the job's own fault, the same on every machine of the class.
            ExecutorFailed: this machine could not tell: another environment class, too slow, too little memory, a crash.
            ContentNotFound: the program or an input is not there.
            ContentMismatch: the program or an input is not what its name and size say.
        """


def execution_of(spec: Bytes32, environment: str, fuel: int, outputs: Mapping[str, bytes]) -> Execution:
    """The manifest over outputs, and both.

    Raises:
        InvalidManifest: an output has a path that no manifest can hold.
    """
    files = [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in outputs.items()]
    return Execution(make_manifest(spec, environment, fuel, files), dict(sorted(outputs.items())))
