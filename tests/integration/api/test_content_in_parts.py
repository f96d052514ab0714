"""Content over connections that break: ranges down, pieces up.

a range
├── comes as 206, of what is there; nothing of what is there is a 416
└── of content that is another now comes whole
an upload
├── goes on where it broke off, and is named by its hash when it is whole
├── at another place, beyond its size, too large, of another hash, or unknown is refused
├── that is left alone is dropped; too many are refused, of one client before of all
├── that is written to is not dropped, and leaves nothing behind
├── that two requests finish at once is kept once
└── of a node that is killed leaves no file
a client
├── brings and fetches content over a connection that breaks again and again
├── that has too many uploads under way waits for its turn as it was told, and no longer than a minute
└── that is closed meanwhile ends at once
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from computility.domain.content_id import content_id_of
from computility.domain.errors import Conflict, ContentNotFound, LimitReached, NodeRefused, NodeUnavailable
from computility.services import content_transfer, node_client, waiting_turn
from computility.services.node_client import NodeClient
from computility.services.uploads import IDLE_S, Uploads

PIECE = {"Content-Type": "application/offset+octet-stream"}


def test_range__comes_as_asked_for(served: Any) -> None:
    cid = served.client.put("/v1/content", content=b"0123456789").json()["cid"]
    place = f"/v1/content/{cid}"

    part = served.client.get(place, headers={"Range": "bytes=2-4"})
    none = served.client.get(place, headers={"Range": "bytes=10-"})
    other = served.client.get(place, headers={"Range": "bytes=2-4", "If-Range": '"other"'})

    assert (part.status_code, part.content) == (206, b"234")
    assert (part.headers["content-range"], part.headers["content-length"]) == ("bytes 2-4/10", "3")
    assert served.client.get(place, headers={"Range": "bytes=-2", "If-Range": part.headers["etag"]}).content == b"89"
    assert (none.status_code, none.headers["content-range"]) == (416, "bytes */10")
    assert none.json()["code"] == "range-not-satisfiable"
    assert (other.status_code, other.content) == (200, b"0123456789")
    assert served.client.head(place).headers["accept-ranges"] == "bytes"


def test_upload__goes_on_where_it_broke_off(served: Any) -> None:
    data = secrets.token_bytes(50_000)
    named = base64.b64encode(content_id_of(data).encode()).decode()
    begun = served.client.post("/v1/uploads", headers={"Upload-Length": "50000", "Upload-Metadata": f"cid {named}"})
    place = begun.headers["location"]
    assert begun.status_code == 201

    first = served.client.patch(place, content=data[:20_000], headers={**PIECE, "Upload-Offset": "0"})
    assert (first.status_code, first.headers["upload-offset"]) == (204, "20000")
    assert "content-id" not in first.headers
    assert served.client.head(place).headers["upload-offset"] == "20000"
    again = served.client.patch(place, content=data[:20_000], headers={**PIECE, "Upload-Offset": "0"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    last = served.client.patch(place, content=data[20_000:], headers={**PIECE, "Upload-Offset": "20000"})
    assert last.headers["content-id"] == content_id_of(data)
    assert served.client.get(f"/v1/content/{content_id_of(data)}").content == data
    assert served.client.head(place).status_code == 404


def test_upload__that_cannot_be__is_refused(served: Any) -> None:
    def begin(size: int, **headers: str) -> Any:
        return served.client.post("/v1/uploads", headers={"Upload-Length": str(size), **headers})

    assert begin(100_001).status_code == 413
    named = base64.b64encode(content_id_of(b"other").encode()).decode()
    other = begin(4, **{"Upload-Metadata": f"cid {named}"}).headers["location"]
    refused = served.client.patch(other, content=b"data", headers={**PIECE, "Upload-Offset": "0"})
    assert (refused.status_code, refused.json()["code"]) == (422, "content-mismatch")
    assert begin(4, **{"Upload-Metadata": "cid !"}).status_code == 422
    longer = begin(2).headers["location"]
    assert served.client.patch(longer, content=b"data", headers={**PIECE, "Upload-Offset": "0"}).status_code == 413
    assert served.client.delete(longer).status_code == 204
    assert served.client.delete(longer).status_code == 404


def test_uploads__left_alone_are_dropped_and_too_many_refused(served: Any) -> None:
    now = [0.0]
    uploads = Uploads(served.node.content, lambda: now[0])
    begun = [uploads.begin(1_000, None, "greedy") for _ in range(16)]
    with pytest.raises(LimitReached, match="you have 16 uploads of 16000 bytes under way here"):
        uploads.begin(1, None, "greedy")
    # Nobody knows whose these are.
    begun += [uploads.begin(1_000, None, "") for _ in range(48)]
    with pytest.raises(LimitReached, match="too many uploads wait"):
        uploads.begin(1, None, "e")
    now[0] = IDLE_S + 1
    uploads.begin(1, None, "greedy")
    with pytest.raises(ContentNotFound):
        uploads.find(begun[0].id)
    assert begun[0].file.closed
    uploads.close()


def test_uploads__of_one_client__leave_room_for_others(served: Any) -> None:
    largest = {"Upload-Length": "100000"}
    begun = [served.client.post("/v1/uploads", headers=largest) for _ in range(3)]
    assert [answer.status_code for answer in begun] == [201, 201, 429]
    assert begun[-1].json()["code"] == "limit-reached"
    assert int(begun[-1].headers["retry-after"]) > 0
    assert served.client.put("/v1/content", content=b"small").status_code == 429
    served.node.uploads.begin(100_000, None, "another")
    assert served.client.delete(begun[0].headers["location"]).status_code == 204
    assert served.client.put("/v1/content", content=b"small").status_code == 201
    assert served.client.post("/v1/uploads", headers=largest).status_code == 201


def test_uploads__that_fail_at_the_end__hold_nothing_afterwards(served: Any) -> None:
    named = base64.b64encode(content_id_of(b"other").encode()).decode()
    headers = {"Upload-Length": "90000", "Upload-Metadata": f"cid {named}"}
    for _ in range(5):
        place = served.client.post("/v1/uploads", headers=headers).headers["location"]
        ended = served.client.patch(place, content=bytes(90_000), headers={**PIECE, "Upload-Offset": "0"})
        assert (ended.status_code, ended.json()["code"]) == (422, "content-mismatch")
        other = served.client.put(f"/v1/content?cid={content_id_of(b'other')}", content=bytes(90_000))
        assert other.status_code == 422


def test_upload__that_is_written_to__is_not_dropped_and_leaves_nothing_behind(served: Any) -> None:
    uploads = Uploads(served.node.content)
    begun = uploads.begin(8, None, "a")
    with uploads.writing(begun.id, 0) as upload:
        with pytest.raises(Conflict):
            uploads.drop(begun.id)
        upload.write(b"12345678")
    uploads.finish(begun.id)
    upload.write(b"")
    assert begun.file.closed
    uploads.close()


def test_upload__that_two_requests_finish_at_once__is_kept_once(served: Any) -> None:
    uploads = Uploads(served.node.content)
    begun = uploads.begin(50_000, None, "a")
    with uploads.writing(begun.id, 0) as upload:
        upload.write(b"x" * 50_000)
    told: list[Any] = []

    def finish() -> None:
        try:
            told.append(uploads.finish(begun.id))
        except ContentNotFound as gone:
            told.append(gone)

    with begun.writing:
        both = [threading.Thread(target=finish) for _ in range(2)]
        for thread in both:
            thread.start()
    for thread in both:
        thread.join(30)
    assert [answer for answer in told if isinstance(answer, str)] == [content_id_of(b"x" * 50_000)]
    assert len(told) == 2
    uploads.close()


def test_uploads__of_a_node_that_is_killed__leave_no_file(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from computility.execution.content_store import FileContentStore\n"
        "from computility.services.content import ContentService\n"
        "from computility.services.uploads import Uploads\n"
        "content = ContentService(FileContentStore('content', 10**6), 10**6, 10**6)\n"
        "uploads = Uploads(content)\n"
        "with content.receive('a') as upload, uploads.writing(uploads.begin(9, None, 'b').id, 0) as pending:\n"
        "    upload.write(b'half')\n"
        "    pending.write(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=--1", "lines=1-2", "bytes=0-1,3-4", "bytes=0x1-", "bytes=a-b"]
)
def test_range__that_is_nonsense__is_answered_with_the_whole(served: Any, asked: str) -> None:
    cid = served.client.put("/v1/content", content=b"0123456789").json()["cid"]
    answer = served.client.get(f"/v1/content/{cid}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, b"0123456789")


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=9999999999999999999-", "bytes=10-9999999999999999999"])
def test_range__beyond_the_content__is_refused(served: Any, asked: str) -> None:
    cid = served.client.put("/v1/content", content=b"0123456789").json()["cid"]
    assert served.client.get(f"/v1/content/{cid}", headers={"Range": asked}).status_code == 416


class CuttingProxy:
    """Passes connections on, and cuts each off after ``budget`` bytes of either direction."""

    def __init__(self, upstream: int, budget: int) -> None:
        self.cut = 0
        self._upstream, self._budget = upstream, budget
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        left = self._budget
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data[:left])
                left -= len(data)
                if left <= 0:
                    self.cut += 1
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


@pytest.fixture
def cutting(served: Any) -> Iterator[CuttingProxy]:
    """The node behind a connection that breaks after 40,000 bytes."""
    with _listening(served.client.app) as port:
        proxy = CuttingProxy(port, 40_000)
        yield proxy
        proxy.close()


@contextlib.contextmanager
def _listening(app: Any) -> Iterator[int]:
    """The node on a port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        # Before, it would refuse what the proxy passes on.
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join(10)


def test_client__over_a_connection_that_breaks__brings_and_fetches_all(
    cutting: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (content_transfer, node_client):
        monkeypatch.setattr(module, "PIECE_BYTES", 30_000)
    data = secrets.token_bytes(95_000)
    client = NodeClient(f"http://127.0.0.1:{cutting.port}")

    cid = client.put_content(data)
    brought = cutting.cut
    assert client.get_content(cid) == data
    assert brought >= 1
    assert cutting.cut > brought
    client.close()


def _fill(served: Any) -> list[Any]:
    """Uploads of the largest size, as many as may be under way, so that no other may begin."""
    return [served.node.uploads.begin(100_000, None, "") for _ in range(8)]


@pytest.mark.parametrize("piece_bytes", [30_000, 100_000], ids=["in-pieces", "at-once"])
def test_client__with_too_many_uploads__waits_for_its_turn_as_told(
    served: Any, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(node_client, "PIECE_BYTES", piece_bytes)
    begun = _fill(served)
    told = _Told(monkeypatch, lambda: served.node.uploads.drop(begun.pop().id))
    data = secrets.token_bytes(50_000)
    with _listening(served.client.app) as port:
        client = NodeClient(f"http://127.0.0.1:{port}")

        assert client.get_content(client.put_content(data)) == data
        client.close()
    [waited_s] = told.waited_s
    assert 5 <= waited_s <= 5.5


def test_client__whose_turn_does_not_come__says_what_to_do(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(served)
    told = _Told(monkeypatch, lambda: None)
    with _listening(served.client.app) as port:
        client = NodeClient(f"http://127.0.0.1:{port}")

        with pytest.raises(NodeRefused, match=r"No turn came within the 60 s .*use another node") as caught:
            client.put_content(b"small")
        client.close()
    assert (caught.value.problem_code, caught.value.status) == ("limit-reached", 429)
    assert len(told.waited_s) == 11


def test_client__that_is_closed_while_it_waits__ends_at_once(served: Any) -> None:
    _fill(served)
    with _listening(served.client.app) as port:
        client = NodeClient(f"http://127.0.0.1:{port}")
        threading.Timer(0.5, client.close).start()
        begun = time.monotonic()

        with pytest.raises(NodeUnavailable, match="closed"):
            client.put_content(b"small")
        assert time.monotonic() - begun < 4


class _Told:
    """Instead of time that passes, ``meanwhile`` happens; how long it was to be is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
        self.waited_s: list[float] = []

        def wait(_event: threading.Event, timeout: float | None = None) -> bool:
            self.waited_s.append(timeout or 0.0)
            meanwhile()
            return False

        monkeypatch.setattr(waiting_turn.tenacity.nap.sleep_using_event, "__call__", wait)
