"""Job specifications."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from computility.domain.errors import InvalidJobSpecification
from computility.domain.job_specification import MAX_SPECIFICATION_BYTES, JobSpecification, parse_job_specification

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "job_specification.json").read_text())
DOCUMENT: dict[str, Any] = next(vector["document"] for vector in VECTORS if vector["name"] == "a path tracer")
CANONICAL = rfc8785.dumps(DOCUMENT)


def changed(*path: str | int, value: Any) -> bytes:
    """The canonical bytes of the specification with one field set."""
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return rfc8785.dumps(document)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_specification__golden_vectors__hold(vector: dict[str, Any]) -> None:
    specification = parse_job_specification(vector["canonical"].encode())
    assert specification.to_document() == vector["document"]
    assert specification.to_bytes() == vector["canonical"].encode()
    assert specification.digest == vector["digest"]
    assert specification.cid == vector["cid"]
    assert specification.max_units == vector["max_units"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("surprise",), 1),
        (("module", "surprise"), 1),
        (("limits", "surprise"), 1),
        (("inputs", 0, "surprise"), 1),
        (("version",), 2),
        (("version",), True),
        (("version",), "1"),
        (("environment",), "docker"),
        (("environment",), "-/-/0123456789abcdef"),
        (("module", "path"), ""),
        (("module", "size"), -1),
        (("module", "size"), "8"),
        (("module", "size"), True),
        (("module", "cid"), "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"),
        (("module", "cid"), "b" + "a" * 58),
        (("arguments",), "ab"),
        (("arguments",), ["a\0b"]),
        (("arguments",), [1]),
        (("arguments",), [""] * 257),
        (("inputs",), {}),
        (("limits", "fuel"), 0),
        (("limits", "fuel"), 0.5),
        (("limits", "memory_bytes"), 1),
        (("limits", "memory_bytes"), 2**32 + 1),
        (("limits", "output_bytes"), -1),
        (("limits", "output_files"), 2**16 + 1),
        (("clock_s",), -1),
        (("clock_s",), 2**34),
        (("seed",), "0x" + "AB" * 32),
        (("seed",), "0x" + "ab" * 31),
        (("seed",), None),
    ],
)
def test_parse__a_field_that_does_not_fit__is_refused(path: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(InvalidJobSpecification):
        parse_job_specification(changed(*path, value=value))


@pytest.mark.parametrize("field", sorted(DOCUMENT))
def test_parse__a_field_left_out__is_refused(field: str) -> None:
    with pytest.raises(InvalidJobSpecification):
        parse_job_specification(rfc8785.dumps({key: value for key, value in DOCUMENT.items() if key != field}))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../secret",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        "..",
        "a\\b",
        "a\nb",
        "a\0b",
        "e\u0301",
        "x" * 256,
    ],
)
def test_parse__a_path_that_leaves_its_folder_or_has_two_spellings__is_refused(path: str) -> None:
    with pytest.raises(InvalidJobSpecification):
        parse_job_specification(changed("inputs", 0, "path", value=path))
    with pytest.raises(InvalidJobSpecification):
        parse_job_specification(changed("module", "path", value=path))


@pytest.mark.parametrize("other", ["demo.scene", "demo.scene/part"])
def test_parse__two_inputs_in_one_place__is_refused(other: str) -> None:
    entry = DOCUMENT["inputs"][0]
    with pytest.raises(InvalidJobSpecification, match=r"demo\.scene"):
        parse_job_specification(changed("inputs", value=[entry, {**entry, "path": other}]))


@pytest.mark.parametrize(
    "respell",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: data.replace(b'"size":8', b'"size":8.0'),
        lambda data: data.replace(b'"size":8', b'"size":8,"size":8'),
        lambda data: data.replace(b"demo", b"\\u0064emo"),
        lambda data: data.decode().encode("utf-16"),
        lambda data: data[:-1],
        lambda data: b"[" + data + b"]",
        lambda _: b"[" * 100_000,
        lambda _: b"\xff",
        lambda _: b"",
        lambda data: data.replace(b'"picture.png"', b'"\\ud800"'),
        lambda data: data.replace(b"5000000000", b"9" * 5_000),
        lambda data: data.replace(b"picture.png", b"x" * MAX_SPECIFICATION_BYTES),
    ],
)
def test_parse__bytes_that_would_not_be_written_the_same_again__is_refused(respell: Callable[[bytes], bytes]) -> None:
    assert parse_job_specification(CANONICAL).to_bytes() == CANONICAL
    with pytest.raises(InvalidJobSpecification):
        parse_job_specification(respell(CANONICAL))


def test_specification__made_in_python_with_a_wrong_field__is_refused_as_well() -> None:
    good = parse_job_specification(CANONICAL)
    with pytest.raises(InvalidJobSpecification, match="clock_s"):
        JobSpecification(good.environment, good.module, (), (), good.limits, clock_s=-1, seed=good.seed)
