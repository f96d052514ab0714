"""Reader keys: what one seals, in Python or in the web app, the other opens; and copies of keys."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PublicKey, SealedBox

from computility.domain.errors import KeystoreError
from computility.domain.task_specification import parse_task_specification
from computility.execution.executor import AttemptId
from computility.execution.reader_key import (
    ReaderKey,
    input_key,
    open_file,
    open_outputs,
    output_key,
    seal_output,
    shut_out,
)
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


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"sealed by {vector['by']}")
def test_a_readers_box__is_one_that_every_reader_can_make__and_nonsense_in_it_is_seen_by_all(
    vector: dict[str, Any],
) -> None:
    specification = parse_task_specification(vector["specification"].encode())
    assert specification.sealing is not None
    content_key = ReaderKey(raw(vector["readers"][0]["secret"])).open(specification)
    assert shut_out(specification, content_key) == frozenset()
    mine, its = specification.sealing.readers[:2]
    nonsense = (
        "0x" + "5a" * (len(raw(its.box))),
        mine.box,
        "0x" + bytes(SealedBox(PublicKey(raw(its.key))).encrypt(bytes(64))).hex(),
        # A box that opens to the right key, as libsodium makes it: only its reader could tell.
        "0x" + bytes(SealedBox(PublicKey(raw(its.key))).encrypt(content_key + raw(specification.binding))).hex(),
    )
    for box in nonsense:
        sealing = replace(specification.sealing, readers=(mine, replace(its, box=box)))
        changed = replace(specification, sealing=sealing)
        # Who is a reader sees it without the other's secret.
        assert shut_out(changed, ReaderKey(raw(vector["readers"][0]["secret"])).open(changed)) == {its.key}


def test_a_key_that_nobody_can_hold__has_no_box() -> None:
    vector = VECTORS[0]
    specification = parse_task_specification(vector["specification"].encode())
    assert specification.sealing is not None
    mine, its = specification.sealing.readers[:2]
    nobody = replace(its, key="0x" + "00" * 32)
    changed = replace(specification, sealing=replace(specification.sealing, readers=(mine, nobody)))
    assert shut_out(changed, raw(vector["content_key"])) >= {nobody.key}


def test_a_copy__is_read_by_its_owner_alone__and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    save_reader_key(KEY, path)
    assert path.stat().st_mode & 0o077 == 0
    assert load_reader_key(path).public == KEY.public


def test_a_copy__is_read_from_a_descriptor_too__so_that_it_need_not_lie_anywhere(tmp_path: Path) -> None:
    save_reader_key(KEY, tmp_path / "key.json")
    reads, writes = os.pipe()
    os.write(writes, (tmp_path / "key.json").read_bytes())
    os.close(writes)
    try:
        assert load_reader_key(Path(f"/dev/fd/{reads}")).public == KEY.public
    finally:
        os.close(reads)


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
