"""Running a job: what every back end does, and what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from computility.domain.errors import ContentMismatch
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, OutputManifest, make_manifest
from computility.domain.metering import units_of_fuel_up
from computility.domain.specification import Specification
from computility.execution.content_store import ContentStore


@dataclass(frozen=True)
class AttemptId:
    """One attempt at a job. Whatever is asked of an executor is asked of an attempt, and asking twice is asking once."""

    job: Bytes32
    attempt: int

    def __str__(self) -> str:
        """A name for folders, threads and objects of clusters: 160 bits of the job's id, for which no buyer finds two jobs (80 bits of work), in
        as many characters as Kubernetes takes with a prefix."""
        return f"{self.job[2:42]}-{self.attempt}"


class RunState(Enum):
    """Where an attempt stands. ``FAULTED``: the job's own fault. ``FAILED``: this machine's. ``UNKNOWN``: never started here, or forgotten."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAULTED = "faulted"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class MeterSample:
    """What an attempt had used ``at_ms`` milliseconds after its start: processor milliseconds, bytes of memory just then, fuel, millijoules of its
    GPUs, the names of its processes just then, and its GPUs by UUID. Zero, and none, where a back end cannot tell."""

    at_ms: int
    cpu_ms: int = 0
    memory_bytes: int = 0
    fuel: int = 0
    energy_mj: int = 0
    processes: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What a back end takes. Sizes in bytes, for one job; ``parallel`` jobs at one time. ``gpus`` are UUIDs. ``safeguards`` says by name what holds a
    job (``network: none``, ``cgroup: v2``), as found on this machine. ``image`` is one by digest that is here, where jobs run in images.
    ``tells_processes``: its samples name a job's processes while it runs, without which no reading of a lease is believed."""

    kind: str
    environment: str
    parallel: int
    memory_bytes: int
    input_bytes: int
    output_bytes: int
    wall_s: int
    gpus: tuple[str, ...] = ()
    safeguards: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    tells_processes: bool = False


@dataclass(frozen=True)
class Prepared:
    """A specification and everything it names, fetched and checked: artifacts and inputs by path."""

    specification: Specification
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Execution:
    """A run that ended well. ``outputs`` are the files of the manifest by path; standard output and error are files ``stdout``
    and ``stderr`` where anything was written to them. ``units`` are payable units."""

    manifest: OutputManifest
    outputs: Mapping[str, bytes]
    units: int
    samples: tuple[MeterSample, ...] = field(default=(), compare=False)

    @property
    def fuel(self) -> int:
        """WebAssembly fuel that was used; zero where the kind of job is not metered in fuel."""
        return self.manifest.fuel or 0


class Executor(Protocol):
    """Runs jobs of one environment class. Two executors of a class offer a job the same programs and limits; of a deterministic class (``wasm``) they
    come to the same outputs and the same fuel, or to the same fault."""

    @property
    def environment(self) -> str:
        """The environment class."""

    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job here."""

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run, before anything is fetched.

        Raises:
            EnvironmentMismatch: a job of another class.
            ExecutorFailed: the job wants more than this machine gives.
            JobFault: a job that no machine of the class takes.
        """

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """Check, fetch and check what was fetched.

        Raises:
            ExecutionError: as ``check``.
            ContentNotFound: an artifact or an input is not there.
            ContentMismatch: an artifact or an input is not what its name and size say.
        """

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """Start an attempt. One that runs, or is known to have ended, is not started again.

        Raises:
            ExecutorBusy: too many run already.
        """

    def status(self, attempt: AttemptId) -> RunState:
        """Where it stands."""

    def meter(self, attempt: AttemptId) -> Iterator[MeterSample]:
        """Its samples from the first on, as they come, until it ends."""

    def collect(self, attempt: AttemptId) -> Execution:
        """Wait for its end, and take what came out.

        Raises:
            JobFault: the job's own fault, the same on every machine of a deterministic class.
            ExecutorFailed: this machine could not tell: too slow, too little memory, a crash, cancelled, never started.
        """

    def cancel(self, attempt: AttemptId) -> None:
        """End it now. One that has ended stays as it is."""


def run_to_end(
    executor: Executor, attempt: AttemptId, specification: Specification, content: ContentStore
) -> Execution:
    """One attempt from preparing to collecting. Raises what these do."""
    return run_prepared(executor, attempt, executor.prepare(specification, content))


def run_prepared(executor: Executor, attempt: AttemptId, prepared: Prepared) -> Execution:
    """One attempt from starting to collecting. Raises what ``collect`` does."""
    executor.start(attempt, prepared)
    return executor.collect(attempt)


def fetch_all(specification: Specification, content: ContentStore) -> dict[str, bytes]:
    """Every file that a specification names, by path.

    Raises:
        ContentNotFound: one is not there.
        ContentMismatch: one is not what its name and size say.
    """
    return {file.path: fetch(file, content) for file in specification.files}


def fetch(file: InputFile, content: ContentStore) -> bytes:
    """One file, checked. Raises as ``fetch_all``."""
    data = content.get(file.cid)
    if len(data) != file.size:
        raise ContentMismatch(
            f"{file.path} has {len(data)} bytes, and its specification says {file.size}: correct the specification"
        )
    return data


def execution_of(
    spec: Bytes32,
    environment: str,
    fuel: int | None,
    outputs: Mapping[str, bytes],
    *,
    units: int | None = None,
    samples: tuple[MeterSample, ...] = (),
) -> Execution:
    """The manifest over outputs, and both. ``units`` follow from ``fuel`` where they are not given.

    Raises:
        InvalidManifest: an output has a path that no manifest can hold.
    """
    files = [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in outputs.items()]
    manifest = make_manifest(spec, environment, fuel, files)
    return Execution(
        manifest, dict(sorted(outputs.items())), units_of_fuel_up(fuel or 0) if units is None else units, samples
    )
