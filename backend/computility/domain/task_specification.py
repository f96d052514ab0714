"""Version 2 of the document behind ``Terms.spec``: a program of any kind, who verifies it how, and who can read it.

Canonical JSON (RFC 8785) of the form in ``task_specification.schema.json``. Version 1 (``job_specification``) stays valid, with its bytes and ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import canonical_json, parse_canonical_json
from computility.domain.content_id import parse_content_id
from computility.domain.document_schema import schema_fault
from computility.domain.environment_class import parse_environment_class
from computility.domain.errors import (
    InvalidEnvironmentClass,
    InvalidIdentifier,
    InvalidJobSpecification,
    InvalidMessage,
)
from computility.domain.file_path import paths_fault
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import MAX_SPECIFICATION_BYTES, InputFile, Limits
from computility.domain.metering import units_of_fuel_up
from computility.domain.sealing import Sealing, sealing_from_document

VERSION: Final = 2
KINDS: Final = ("wasm", "process", "container")


@dataclass(frozen=True)
class CommandLimits:
    """What a command may use: seconds of processor and of wall clock, bytes of memory, of scratch files and of output files, number of output files
    and of processes at one time, GPUs."""

    cpu_s: int
    wall_s: int
    memory_bytes: int
    scratch_bytes: int
    processes: int
    output_bytes: int
    output_files: int
    gpus: int = 0


@dataclass(frozen=True)
class TaskSpecification(CanonicalDocument):
    """What runs, on what, within which limits.

    ``kind`` ``wasm``: ``artifacts`` is the module alone, its path is argv[0], ``limits`` are ``Limits``. ``process``, ``container``: ``arguments`` is
    the whole argv, ``limits`` are ``CommandLimits``; a container has an ``image``, as ``name@sha256:<hex>``. ``verification`` is the policy by which
    the result is checked: a JSON object with a ``method``, or empty for the verifier's own choice. ``sealing`` is None where all may read.
    ``Terms.spec`` is its digest.

    Raises:
        InvalidJobSpecification: a field that does not fit.
    """

    kind: str
    environment: str
    artifacts: tuple[InputFile, ...]
    arguments: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    limits: Limits | CommandLimits
    clock_s: int
    seed: str
    image: str = ""
    verification: Mapping[str, Any] = field(default_factory=dict)
    sealing: Sealing | None = None
    version: int = VERSION

    def __post_init__(self) -> None:
        document = self.to_document()
        if fault := schema_fault("task_specification", document, "the specification"):
            raise InvalidJobSpecification(fault)
        if fault := paths_fault(file.path for file in self.files):
            raise InvalidJobSpecification(f"{fault}: rename the file")
        try:
            parse_environment_class(self.environment)
            for file in self.files:
                parse_content_id(file.cid)
            size = len(canonical_json(document))
        except (InvalidEnvironmentClass, InvalidIdentifier, InvalidMessage) as refused:
            raise InvalidJobSpecification(str(refused)) from refused
        if size > MAX_SPECIFICATION_BYTES:
            raise InvalidJobSpecification(
                f"a job specification has at most {MAX_SPECIFICATION_BYTES} bytes, not {size}: pack its inputs into fewer files"
            )

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "version": self.version,
            "kind": self.kind,
            "environment": self.environment,
            "image": self.image,
            "artifacts": [asdict(file) for file in self.artifacts],
            "arguments": list(self.arguments),
            "inputs": [asdict(file) for file in self.inputs],
            "limits": asdict(self.limits),
            "clock_s": self.clock_s,
            "seed": self.seed,
            "verification": dict(self.verification),
            "sealing": self.sealing.to_document() if self.sealing else None,
        }

    @property
    def files(self) -> tuple[InputFile, ...]:
        """Everything to fetch: artifacts, then inputs."""
        return (*self.artifacts, *self.inputs)

    @property
    def binding(self) -> Bytes32:
        """The digest with every box empty: what a box holds beside the key."""
        if self.sealing is None:
            return self.digest
        return replace(self, sealing=self.sealing.without_boxes()).digest

    @property
    def max_units(self) -> int:
        """Payable units if all that is allowed is used: millions of fuel; GPU seconds where there are GPUs; else seconds of processor."""
        if isinstance(self.limits, Limits):
            return units_of_fuel_up(self.limits.fuel)
        return self.limits.gpus * self.limits.wall_s or self.limits.cpu_s


def parse_task_specification(data: bytes) -> TaskSpecification:
    """Read a specification of version 2.

    Raises:
        InvalidJobSpecification: not canonical JSON, or an unknown, missing or ill-formed field.
    """
    document = parse_canonical_json(data, MAX_SPECIFICATION_BYTES, InvalidJobSpecification)
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        raise InvalidJobSpecification(f"this reads job specifications of version {VERSION}")
    try:
        limits = Limits if document["kind"] == "wasm" else CommandLimits
        specification = TaskSpecification(
            **{
                **document,
                "artifacts": tuple(InputFile(**entry) for entry in document["artifacts"]),
                "arguments": tuple(document["arguments"]),
                "inputs": tuple(InputFile(**entry) for entry in document["inputs"]),
                "limits": limits(**document["limits"]),
                "sealing": None if document["sealing"] is None else sealing_from_document(document["sealing"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise InvalidJobSpecification(f"a field is missing, unknown or of another type: {error}") from error
    if specification.to_bytes() != data:
        raise InvalidJobSpecification(
            "arguments, artifacts and inputs have to be lists, and every limit has to be named"
        )
    return specification
