"""Reader keys: what one seals, in Python or in the web app, the other opens; and copies of keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from computility.domain.errors import KeystoreError
from computility.domain.task_specification import parse_task_specification
from computility.execution.executor import AttemptId
from computility.execution.reader_key import ReaderKey, input_key, open_file, open_outputs, output_key, seal_output
from computility.execution.reader_key_file import load_reader_key, save_reader_key

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sealing.json").read_text())
KEY = ReaderKey(bytes([9]) * 32)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"sealed by {vector['by']}")
def test_a_sealed_job__is_opened_by_each_reader__whoever_sealed_it(vector: dict[str, Any]) -> None:
    specification = parse_task_specification(vector["specification"].encode())
    assert specification.binding == vector["binding"]
    attempt = AttemptId(vector["job"], vector["attempt"])
    sealed = {file["path"]: raw(file["sealed"]) for file in vector["outputs"]}
    for reader in vector["readers"]:
        key = ReaderKey(raw(reader["secret"]))
        assert key.public == reader["public"]
        content_key = key.open(specification)
        assert content_key == raw(vector["content_key"])
        for file in vector["inputs"]:
            assert open_file(input_key(content_key), raw(file["sealed"])) == raw(file["plain"])
        opened = open_outputs(specification, attempt, sealed, key)
        assert opened == {file["path"]: raw(file["plain"]) for file in vector["outputs"]}
        for path, data in opened.items():
            assert seal_output(output_key(content_key, attempt), path, data) == sealed[path]


def test_a_copy__is_read_by_its_owner_alone__and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    save_reader_key(KEY, path)
    assert path.stat().st_mode & 0o077 == 0
    assert load_reader_key(path).public == KEY.public


def test_a_copy__never_writes_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text("something of mine")
    with pytest.raises(KeystoreError, match="there already"):
        save_reader_key(KEY, path)
    assert path.read_text() == "something of mine"


@pytest.mark.parametrize(
    "change", [{"kind": "wallet"}, {"version": 2}, {"secret": "0x12"}, {"secret": 5}, {"secret": "0x" + "zz" * 32}]
)
def test_what_is_no_copy__is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "key.json"
    save_reader_key(KEY, path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(KeystoreError, match="no copy of a reader key"):
        load_reader_key(path)


def test_a_copy_with_a_changed_half__is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    save_reader_key(KEY, path)
    path.write_text(path.read_text().replace(KEY.public, ReaderKey(bytes([8]) * 32).public))
    with pytest.raises(KeystoreError, match="damaged"):
        load_reader_key(path)
    with pytest.raises(KeystoreError, match="cannot be read"):
        load_reader_key(tmp_path / "nowhere")
