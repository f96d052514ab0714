"""Content in a folder and in S3: the same store by another URL. S3 is a real server on this machine (moto), over a real socket."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from computility.domain.content_id import content_id_of, content_id_of_digest
from computility.domain.errors import ContentMismatch, ContentNotFound, ContentTooLarge
from computility.domain.identifiers import ZERO_BYTES32, bytes32
from computility.execution import content_store
from computility.execution.content_store import FileContentStore
from computility.services.content_sweep import DAY_S, sweep

HAS_S3 = all(importlib.util.find_spec(name) is not None for name in ("s3fs", "moto", "flask"))
LATER = time.time() + 10 * DAY_S


@pytest.fixture(scope="module")
def s3() -> Iterator[None]:
    """An S3 server with one bucket, named by the environment as any S3 is."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(name, value)
        fsspec.filesystem("s3").mkdir("bucket")
        yield
    server.stop()


@pytest.fixture(
    params=["folder", pytest.param("s3", marks=pytest.mark.skipif(not HAS_S3, reason="s3fs or moto is not installed"))]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileContentStore:
    """An empty store on each back end."""
    if request.param == "folder":
        return FileContentStore(str(tmp_path / "content"), 10**6)
    request.getfixturevalue("s3")
    return FileContentStore(f"s3://bucket/{uuid4().hex}", 10**6)


def test_store__keeps_by_name_and_checks_by_hash(store: FileContentStore, tmp_path: Path) -> None:
    cid = store.put(b"hello")
    assert cid == content_id_of(b"hello")
    assert store.put(b"hello") == cid
    assert store.get(cid) == b"hello"
    assert (store.size(cid), store.has(cid)) == (5, True)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(500_000))
    with large.open("rb") as file:
        assert store.get(store.put_file(file)) == large.read_bytes()
    with pytest.raises(ContentNotFound):
        store.get(content_id_of(b"other"))
    with pytest.raises(ContentTooLarge):
        store.put(bytes(10**6 + 1))


def test_store__a_part__is_read_without_the_rest(store: FileContentStore) -> None:
    cid = store.put(bytes(range(256)) * 1000)
    assert store.read_range(cid, 256 * 500 + 10, 5) == bytes(range(10, 15))
    assert store.read_range(cid, 256_000, 5) == b""


def test_store__what_was_damaged__is_not_handed_out(store: FileContentStore) -> None:
    cid = store.put(b"hello")
    store._files.pipe_file(store._path(cid), b"jello")
    with pytest.raises(ContentMismatch):
        store.get(cid)


def document(**fields: object) -> bytes:
    """A document that names content."""
    return json.dumps(fields).encode()


def digest_of(data: bytes) -> str:
    """SHA-256, as manifests spell it."""
    return hashlib.sha256(data).hexdigest()


def test_sweep__of_old_content__keeps_exactly_what_jobs_and_pins_reach(store: FileContentStore) -> None:
    program, words, loud, trace, pinned, nobody = (
        f"{name} of a job".encode() for name in ("a", "b", "c", "d", "e", "f")
    )
    spec = document(module=content_id_of(program), inputs=[content_id_of(words)])
    result = document(files=[{"sha256": digest_of(loud)}])
    inner = document(trace="0x" + digest_of(trace))
    evidence = document(more="0x" + digest_of(inner))
    needed = (program, words, loud, trace, pinned, spec, result, inner, evidence)
    for data in (*needed, nobody):
        store.put(data)
    documents = [bytes32(bytes.fromhex(digest_of(data))) for data in (spec, result, evidence)]
    digests = [*documents, ZERO_BYTES32, bytes32(b"\2" * 32)]

    would = sweep(store, digests, [content_id_of(pinned)], now=LATER, dry=True)
    assert (would.kept, would.dropped, would.dropped_bytes) == (len(needed), 1, len(nobody))
    assert store.has(content_id_of(nobody))
    assert sweep(store, digests, [content_id_of(pinned)], now=LATER) == would
    assert not store.has(content_id_of(nobody))
    assert all(store.has(content_id_of(data)) for data in needed)
    # Evidence of an old pass stays, and what it names does not.
    alone = sweep(store, [], [], alone=documents[2:], now=LATER)
    assert (alone.kept, store.has(content_id_of(evidence)), store.has(content_id_of(inner))) == (1, True, False)
    assert sweep(store, [], [], now=LATER).kept == 0


def test_sweep__of_young_content__drops_nothing(store: FileContentStore) -> None:
    cid = store.put(b"its job is not open yet")
    assert sweep(store, [], [], now=time.time()).dropped == 0
    assert store.has(cid)


def test_sweep__while_a_named_document_is_damaged_or_missing__goes_on(store: FileContentStore) -> None:
    cid = store.put(document(module="x"))
    store._files.pipe_file(store._path(cid), b"{jello")
    missing = bytes32(b"\7" * 32)
    damaged = bytes32(bytes.fromhex(digest_of(document(module="x"))))
    assert sweep(store, [missing, damaged], [], now=LATER).kept == 1
    assert not store.has(content_id_of_digest(missing))


def test_store__what_is_kept_again_after_days__is_young_again(
    store: FileContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = b"a program of long ago"
    cid = store.put(program)
    for keep in (lambda: store.put(program), lambda: store.put_file(io.BytesIO(program))):
        first = store.written_at(cid)
        time.sleep(1.1)  # The back ends tell seconds.
        keep()
        assert store.written_at(cid) == first
        monkeypatch.setattr(content_store.time, "time", lambda: LATER)
        assert keep() == cid
        assert store.written_at(cid) > first
        assert store.get(cid) == program
        monkeypatch.undo()
