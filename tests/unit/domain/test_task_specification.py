"""Job specifications of version 2."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from computility.domain.errors import InvalidJobSpecification
from computility.domain.job_specification import JobSpecification
from computility.domain.specification import parse_specification
from computility.domain.task_specification import TaskSpecification, parse_task_specification

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = json.loads((FOLDER / "task_specification.json").read_text())
FIRST = json.loads((FOLDER / "job_specification.json").read_text())
BY_NAME: dict[str, dict[str, Any]] = {vector["name"]: vector["document"] for vector in VECTORS}
SEALED = BY_NAME["a sealed process with a policy"]


def changed(document: dict[str, Any], *path: str | int, value: Any) -> bytes:
    """The canonical bytes of a specification with one field set."""
    document = copy.deepcopy(document)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return rfc8785.dumps(document)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_specification__golden_vectors__hold(vector: dict[str, Any]) -> None:
    specification = parse_specification(vector["canonical"].encode())
    assert isinstance(specification, TaskSpecification)
    assert specification.to_document() == vector["document"]
    assert specification.to_bytes() == vector["canonical"].encode()
    assert specification.digest == vector["digest"]
    assert specification.binding == vector["binding"]
    assert specification.cid == vector["cid"]
    assert specification.max_units == vector["max_units"]


@pytest.mark.parametrize("vector", FIRST, ids=lambda vector: vector["name"])
def test_parse__version_1__keeps_its_bytes_and_its_id(vector: dict[str, Any]) -> None:
    specification = parse_specification(vector["canonical"].encode())
    assert isinstance(specification, JobSpecification)
    assert (specification.kind, specification.sealing, specification.verification) == ("wasm", None, {})
    assert specification.digest == vector["digest"]


def test_binding__other_boxes__is_the_same() -> None:
    sealed = parse_task_specification(rfc8785.dumps(SEALED))
    other = parse_task_specification(changed(SEALED, "sealing", "readers", 0, "box", value="0x" + "99" * 112))
    assert other.binding == sealed.binding
    assert other.digest != sealed.digest


@pytest.mark.parametrize("path", [("arguments", 1), ("sealing", "readers", 0, "key"), ("seed",)])
def test_binding__another_program_or_reader__is_another(path: tuple[str | int, ...]) -> None:
    sealed = parse_task_specification(rfc8785.dumps(SEALED))
    other = parse_task_specification(changed(SEALED, *path, value="0x" + "77" * 32))
    assert other.binding != sealed.binding


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("the least process", ("surprise",), 1),
        ("the least process", ("version",), 3),
        ("the least process", ("version",), True),
        ("the least process", ("kind",), "shell"),
        ("the least process", ("kind",), "wasm"),
        ("the least process", ("kind",), "container"),
        ("the least process", ("arguments",), []),
        ("the least process", ("arguments",), "true"),
        ("the least process", ("arguments", 0), "a\0b"),
        ("the least process", ("image",), "debian@sha256:" + "ab" * 32),
        ("the least process", ("limits", "fuel"), 1),
        ("the least process", ("limits", "cpu_s"), 0),
        ("the least process", ("limits", "processes"), 0),
        ("the least process", ("limits", "gpus"), -1),
        ("the least process", ("verification",), {"policy": 1}),
        ("the least process", ("verification",), {"method": "Re-Exec"}),
        ("the least process", ("verification",), None),
        ("the least process", ("sealing",), {}),
        ("a container", ("image",), ""),
        ("a container", ("image",), "debian:latest"),
        ("wasm with a policy", ("artifacts",), []),
        ("wasm with a policy", ("limits", "cpu_s"), 1),
        ("a sealed process with a policy", ("inputs", 0, "path"), "train.py"),
        ("a sealed process with a policy", ("inputs", 0, "path"), "../up"),
        ("a sealed process with a policy", ("sealing", "readers"), []),
        ("a sealed process with a policy", ("sealing", "readers", 1, "key"), "0x" + "11" * 32),
        ("a sealed process with a policy", ("sealing", "readers", 1, "box"), "0x" + "11" * 111),
        ("a sealed process with a policy", ("sealing", "inputs"), 1),
    ],
)
def test_parse__a_field_that_does_not_fit__is_refused(name: str, path: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(InvalidJobSpecification):
        parse_specification(changed(BY_NAME[name], *path, value=value))


def test_parse__sealing_that_seals_nothing__is_refused() -> None:
    nothing = {**SEALED["sealing"], "inputs": False, "outputs": False}
    with pytest.raises(InvalidJobSpecification, match="neither"):
        parse_specification(changed(SEALED, "sealing", value=nothing))
