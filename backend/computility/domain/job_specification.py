"""What a buyer wants run: the document behind ``Terms.spec``, version 1 (``task_specification`` is version 2).

Canonical JSON (RFC 8785) of the form in ``job_specification.schema.json``; its SHA-256 is the digest in the terms, its content id follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import canonical_json, parse_canonical_json
from computility.domain.content_id import ContentId, parse_content_id
from computility.domain.document_schema import schema_fault
from computility.domain.environment_class import parse_environment_class
from computility.domain.errors import (
    InvalidEnvironmentClass,
    InvalidIdentifier,
    InvalidJobSpecification,
    InvalidMessage,
)
from computility.domain.file_path import path_fault, paths_fault
from computility.domain.metering import units_of_fuel_up

VERSION: Final = 1
MAX_SPECIFICATION_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class InputFile:
    """A file that a job reads: relative POSIX path, content, size in bytes."""

    path: str
    cid: ContentId
    size: int


@dataclass(frozen=True)
class Limits:
    """What a job may use: WebAssembly fuel, bytes of linear memory, bytes and number of output files."""

    fuel: int
    memory_bytes: int
    output_bytes: int
    output_files: int


@dataclass(frozen=True)
class JobSpecification(CanonicalDocument):
    """A program, its arguments and inputs, and the limits, clock and randomness that it runs with.

    ``module.path`` is argv[0]; ``arguments`` follow. Every clock answers ``clock_s`` (UTC seconds). ``seed`` (0x and 64 hex digits) fixes randomness.
    ``Terms.spec`` is its digest.

    Raises:
        InvalidJobSpecification: a field that does not fit.
    """

    environment: str
    module: InputFile
    arguments: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    limits: Limits
    clock_s: int
    seed: str
    version: int = VERSION

    def __post_init__(self) -> None:
        document = self.to_document()
        if fault := schema_fault("job_specification", document, "the specification"):
            raise InvalidJobSpecification(fault)
        fault = path_fault(self.module.path) or paths_fault(file.path for file in self.inputs)
        if fault is not None:
            raise InvalidJobSpecification(f"{fault}: rename the file")
        try:
            parse_environment_class(self.environment)
            for file in (self.module, *self.inputs):
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
        return {**asdict(self), "arguments": list(self.arguments), "inputs": [asdict(file) for file in self.inputs]}

    @property
    def kind(self) -> str:
        """Version 1 knows WebAssembly only."""
        return "wasm"

    @property
    def artifacts(self) -> tuple[InputFile, ...]:
        """The module alone."""
        return (self.module,)

    @property
    def files(self) -> tuple[InputFile, ...]:
        """Everything to fetch: the module, then the inputs."""
        return (self.module, *self.inputs)

    @property
    def verification(self) -> Mapping[str, Any]:
        """Version 1 leaves it to the verifier."""
        return {}

    @property
    def sealing(self) -> None:
        """All may read jobs of version 1."""

    @property
    def max_units(self) -> int:
        """Payable units if all the fuel is used."""
        return units_of_fuel_up(self.limits.fuel)


def parse_job_specification(data: bytes) -> JobSpecification:
    """Read a specification.

    Raises:
        InvalidJobSpecification: not canonical JSON, an unknown, missing or ill-formed field, or a version that is not known here.
    """
    document = parse_canonical_json(data, MAX_SPECIFICATION_BYTES, InvalidJobSpecification)
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        raise InvalidJobSpecification(
            f"job specifications of version {VERSION} are known here, not {document.get('version')!r}"
        )
    try:
        specification = JobSpecification(
            **{
                **document,
                "module": _file(document["module"]),
                "arguments": tuple(document["arguments"]),
                "inputs": tuple(_file(entry) for entry in document["inputs"]),
                "limits": Limits(**document["limits"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise InvalidJobSpecification(f"a field is missing, unknown or of another type: {error}") from error
    if specification.to_bytes() != data:
        raise InvalidJobSpecification("arguments and inputs have to be lists")
    return specification


def _file(entry: Mapping[str, Any]) -> InputFile:
    return InputFile(**entry)
