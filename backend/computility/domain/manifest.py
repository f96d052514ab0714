"""What a job produced: the document behind ``Attestation.result``. Canonical JSON; the Merkle root over its files stands inside it.

Version 1 is of runs that are metered in fuel, which every machine of a class uses alike. Version 2 is of all others: seconds are no part of a result,
so that two honest runs come to the same digest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import canonical_json, parse_canonical_json
from computility.domain.content_id import ContentId, content_id_of_digest
from computility.domain.environment_class import parse_environment_class
from computility.domain.errors import InvalidManifest, InvalidMessage
from computility.domain.file_path import paths_fault
from computility.domain.identifiers import Bytes32, parse_bytes32
from computility.domain.merkle import merkle_proof, merkle_root
from computility.domain.metering import units_of_fuel_up

FUELLED: Final = 1
TIMED: Final = 2
MAX_MANIFEST_BYTES: Final = 32 * 1024 * 1024
_MAX_INTEGER: Final = 2**53 - 1
_MAX_EXIT_CODE: Final = 2**32 - 1
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TIMED_FIELDS: Final = frozenset({"version", "spec", "environment", "exit_code", "root", "files"})
_FIELDS: Final = {FUELLED: _TIMED_FIELDS | {"fuel", "units"}, TIMED: _TIMED_FIELDS}
_FILE_FIELDS: Final = frozenset({"path", "size", "sha256"})


@dataclass(frozen=True)
class OutputFile:
    """A file that a job wrote: relative POSIX path, size in bytes, SHA-256 as 64 hex digits without 0x."""

    path: str
    size: int
    sha256: str

    @property
    def cid(self) -> ContentId:
        """The content id of the file."""
        return content_id_of_digest("0x" + self.sha256)

    @property
    def leaf(self) -> bytes:
        """The file's leaf in the Merkle tree: its entry in canonical JSON."""
        return canonical_json(asdict(self))


@dataclass(frozen=True)
class OutputManifest(CanonicalDocument):
    """The files of one run, what it used, and what it ran. ``root`` is the Merkle root over ``files``, which are sorted by path.
    ``fuel`` and ``units`` are None exactly in version 2. ``Attestation.result`` is its digest.

    Raises:
        InvalidManifest: a field that does not fit, or that contradicts another.
    """

    spec: Bytes32
    environment: str
    fuel: int | None
    units: int | None
    exit_code: int
    root: Bytes32
    files: tuple[OutputFile, ...]
    version: int = FUELLED

    def __post_init__(self) -> None:
        try:
            _check_integer("version", self.version, FUELLED, TIMED)
            _check_integer("exit_code", self.exit_code, 0, _MAX_EXIT_CODE)
            self._check_meter()
            for name in ("spec", "root"):
                if parse_bytes32(getattr(self, name)) != getattr(self, name):
                    raise InvalidManifest(f"{name} has to be in lower case")
            parse_environment_class(self.environment)
        except InvalidManifest:
            raise
        except InvalidMessage as error:
            raise InvalidManifest(str(error)) from error
        self._check_files()
        if self.root != merkle_root([file.leaf for file in self.files]):
            raise InvalidManifest("root is not the Merkle root over the files")

    def _check_meter(self) -> None:
        if self.version == TIMED:
            if self.fuel is not None or self.units is not None:
                raise InvalidManifest("a manifest of version 2 has no fuel and no units")
            return
        _check_integer("fuel", self.fuel, 0, _MAX_INTEGER)
        _check_integer("units", self.units, 0, _MAX_INTEGER)
        assert self.fuel is not None
        if self.units != units_of_fuel_up(self.fuel):
            raise InvalidManifest(f"{self.fuel} fuel are {units_of_fuel_up(self.fuel)} units, not {self.units}")

    def _check_files(self) -> None:
        for file in self.files:
            if not isinstance(file.path, str) or not isinstance(file.sha256, str) or not _SHA256.fullmatch(file.sha256):
                raise InvalidManifest("a file has a path, a size and a sha256 of 64 hex digits in lower case")
            _check_integer("size", file.size, 0, _MAX_INTEGER)
        paths = [file.path for file in self.files]
        if fault := paths_fault(paths):
            raise InvalidManifest(fault)
        if paths != sorted(paths):
            raise InvalidManifest("the files have to be sorted by path")

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        document = {**asdict(self), "files": [asdict(file) for file in self.files]}
        return {name: value for name, value in document.items() if name in _FIELDS[self.version]}

    def proof(self, index: int) -> tuple[Bytes32, ...]:
        """The Merkle proof of the file at ``index``.

        Raises:
            IndexError: no such file.
        """
        return merkle_proof([file.leaf for file in self.files], index)


def make_manifest(spec: Bytes32, environment: str, fuel: int | None, files: Sequence[OutputFile]) -> OutputManifest:
    """The manifest of a run that ended with exit code 0: sorts the files, works out units and root. Of version 2 where ``fuel`` is None.

    Raises:
        InvalidManifest: a path that does not fit.
    """
    ordered = tuple(sorted(files, key=lambda file: file.path))
    root = merkle_root([file.leaf for file in ordered])
    if fuel is None:
        return OutputManifest(spec, environment, None, None, 0, root, ordered, TIMED)
    return OutputManifest(spec, environment, fuel, units_of_fuel_up(fuel), 0, root, ordered, FUELLED)


def parse_manifest(data: bytes) -> OutputManifest:
    """Read a manifest.

    Raises:
        InvalidManifest: not canonical JSON, an unknown, missing or ill-formed field, or a root that is not the files'.
    """
    document = parse_canonical_json(data, MAX_MANIFEST_BYTES, InvalidManifest)
    version = document.get("version")
    fields = _FIELDS.get(version) if type(version) is int else None
    if fields is None:
        raise InvalidManifest(f"manifests of version {FUELLED} and {TIMED} are known here, not {str(version)[:60]}")
    if document.keys() != fields or not isinstance(document["files"], list):
        raise InvalidManifest(f"a manifest of version {version} has exactly the fields {', '.join(sorted(fields))}")
    files = tuple(_file(entry) for entry in document["files"])
    return OutputManifest(**{"fuel": None, "units": None, **document, "files": files})


def _file(entry: Any) -> OutputFile:
    if not isinstance(entry, dict) or entry.keys() != _FILE_FIELDS:
        raise InvalidManifest("a file has exactly the fields path, size and sha256")
    return OutputFile(**entry)


def _check_integer(name: str, value: Any, lowest: int, highest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidManifest(f"{name} has to be an integer between {lowest} and {highest}, not {str(value)[:60]}")
