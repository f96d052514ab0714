"""Output manifests."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from computility.domain.errors import InvalidManifest
from computility.domain.identifiers import Bytes32
from computility.domain.manifest import OutputFile, make_manifest, parse_manifest
from computility.domain.merkle import verify_merkle_proof

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "manifest.json").read_text())
DOCUMENT: dict[str, Any] = VECTORS[-1]["document"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_manifest__golden_vectors__hold(vector: dict[str, Any]) -> None:
    manifest = parse_manifest(vector["canonical"].encode())
    assert manifest.to_document() == vector["document"]
    assert manifest.to_bytes() == vector["canonical"].encode()
    assert manifest.digest == vector["digest"]
    assert manifest.cid == vector["cid"]


def test_manifest__made_from_files_in_any_order__is_the_same() -> None:
    manifest = parse_manifest(VECTORS[-1]["canonical"].encode())
    again = make_manifest(manifest.spec, manifest.environment, manifest.fuel, manifest.files[::-1])
    assert again == manifest


def test_proof__of_one_file__verifies_under_the_root() -> None:
    manifest = parse_manifest(VECTORS[-1]["canonical"].encode())
    for index, file in enumerate(manifest.files):
        proof = manifest.proof(index)
        assert verify_merkle_proof(file.leaf, index, len(manifest.files), proof, manifest.root)
        other = OutputFile(file.path, file.size + 1, file.sha256)
        assert not verify_merkle_proof(other.leaf, index, len(manifest.files), proof, manifest.root)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("surprise",), 1),
        (("version",), 2),
        (("fuel",), DOCUMENT["fuel"] - 10**6),
        (("units",), DOCUMENT["units"] + 1),
        (("fuel",), -1),
        (("exit_code",), "0"),
        (("exit_code",), True),
        (("spec",), DOCUMENT["spec"].upper().replace("X", "x")),
        (("spec",), 1),
        (("root",), "0x" + "00" * 32),
        (("environment",), "somewhere"),
        (("files",), {}),
        (("files",), DOCUMENT["files"][::-1]),
        (("files",), DOCUMENT["files"][:-1]),
        (("files",), [DOCUMENT["files"][0]] * 2),
        (("files", 0), "Z"),
        (("files", 0, "surprise"), 1),
        (("files", 0, "path"), "../Z"),
        (("files", 0, "path"), 5),
        (("files", 0, "size"), DOCUMENT["files"][0]["size"] + 1),
        (("files", 0, "size"), 1.5),
        (("files", 0, "sha256"), "00" * 32),
        (("files", 0, "sha256"), "0x" + "00" * 32),
    ],
)
def test_parse__a_field_that_does_not_fit_or_contradicts_another__is_refused(
    path: tuple[str | int, ...], value: Any
) -> None:
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InvalidManifest):
        parse_manifest(rfc8785.dumps(document))


@pytest.mark.parametrize("field", sorted(DOCUMENT))
def test_parse__a_field_left_out__is_refused(field: str) -> None:
    with pytest.raises(InvalidManifest):
        parse_manifest(rfc8785.dumps({key: value for key, value in DOCUMENT.items() if key != field}))


def test_parse__not_canonical__is_refused() -> None:
    with pytest.raises(InvalidManifest, match="canonical"):
        parse_manifest(json.dumps(DOCUMENT).encode())


def test_make_manifest__a_path_that_leaves_its_folder__is_refused() -> None:
    with pytest.raises(InvalidManifest):
        make_manifest(Bytes32("0x" + "00" * 32), DOCUMENT["environment"], 1, [OutputFile("/a", 0, "00" * 32)])
