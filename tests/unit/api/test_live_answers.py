"""Long polls and event streams, over a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from computility.api.job_stream import job_stream
from computility.api.long_poll import poll
from computility.api.openapi_document import example_of
from computility.api.problems import install_problem_handlers
from computility.api.schemas.job import JobRow
from computility.domain.errors import UnknownJob
from computility.services.change_feed import ChangeFeed

_JOB = "0x" + "11" * 32


class _Server:
    """A counter that can be polled, and one job that can be followed."""

    def __init__(self, url: str, feed: ChangeFeed, row: JobRow) -> None:
        self.url = url
        self.feed = feed
        self.count = 0
        self.row: JobRow | None = row

    def raise_count(self) -> None:
        """Count one up, and tell."""
        self.count += 1
        self.feed.publish(["count"])

    def change_job(self, **changes: object) -> None:
        """Change the job's row, and tell."""
        assert self.row is not None
        self.row = self.row.model_copy(update=changes)
        self.feed.publish([f"job:{_JOB}"])


@contextmanager
def _running(max_waiters: int = 10, max_streams: int = 2, heartbeat_s: float = 5) -> Iterator[_Server]:
    app = FastAPI()
    install_problem_handlers(app)
    schemas = {"JobRow": JobRow.model_json_schema(ref_template="#/components/schemas/{model}")}
    schemas.update(schemas["JobRow"].pop("$defs"))
    feed = ChangeFeed(max_waiters, max_streams)
    row = JobRow.model_validate({**example_of(schemas["JobRow"], schemas), "id": _JOB})
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(f"http://127.0.0.1:{listener.getsockname()[1]}", feed, row)

        @app.get("/count")
        async def count(request: Request, wait: float, above: int = 0) -> int:
            async def look() -> int:
                return server.count

            return await poll(request, feed, "count", look, lambda found: found > above, wait)

        @app.get("/job")
        async def job(request: Request) -> Response:
            async def look() -> JobRow:
                if server.row is None:
                    raise UnknownJob("no such job")
                return server.row

            return await job_stream(request, feed, _JOB, look, heartbeat_s)

        uvicorn_server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=uvicorn_server.run, args=([listener],), daemon=True)
        thread.start()
        while not uvicorn_server.started:
            time.sleep(0.01)
        yield server
        uvicorn_server.should_exit = True
        thread.join(10)


def _get(server: _Server, path: str) -> httpx.Response:
    return httpx.get(server.url + path, timeout=10)


def test_a_poll__answers_as_soon_as_there_is_something() -> None:
    with _running() as server:
        threading.Timer(0.3, server.raise_count).start()
        begin = time.monotonic()

        assert _get(server, "/count?wait=8").json() == 1
        assert 0.2 < time.monotonic() - begin < 2


def test_a_poll_without_news__answers_with_what_there_is_when_its_time_is_up() -> None:
    with _running() as server:
        begin = time.monotonic()

        assert _get(server, "/count?wait=1").json() == 0
        assert 0.9 < time.monotonic() - begin < 4


def test_a_change_that_is_not_enough__does_not_end_the_poll() -> None:
    with _running() as server:
        for delay in (0.1, 0.3, 0.5):
            threading.Timer(delay, server.raise_count).start()

        assert _get(server, "/count?wait=8&above=2").json() == 3


def test_one_poll_too_many__is_told_to_come_back() -> None:
    with _running(max_waiters=1) as server:
        waiting = threading.Thread(target=_get, args=(server, "/count?wait=3"))
        waiting.start()
        time.sleep(0.3)

        refused = _get(server, "/count?wait=3")

        assert refused.status_code == 503
        assert refused.json()["code"] == "node-busy"
        assert refused.headers["retry-after"] == "5"
        assert _get(server, "/count?wait=0").json() == 0
        server.raise_count()
        waiting.join()
        assert _get(server, "/count?wait=3").json() == 1


def test_a_poller_that_hangs_up__leaves_its_place() -> None:
    with _running(max_waiters=1) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url + "/count?wait=20", timeout=0.3)
        time.sleep(1.5)

        assert _get(server, "/count?wait=1").status_code == 200


def _next_row(lines: Iterator[str]) -> JobRow:
    for line in lines:
        if line.startswith("data: "):
            return JobRow.model_validate_json(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


def test_a_stream__begins_with_the_row_and_tells_every_change_once() -> None:
    with _running() as server, httpx.stream("GET", server.url + "/job", timeout=10) as stream:
        lines = stream.iter_lines()
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert _next_row(lines).state == "open"

        server.feed.publish([f"job:{_JOB}"])
        server.change_job(state="pending")
        assert _next_row(lines).state == "pending"
        server.change_job(state="closed")
        assert _next_row(lines).state == "closed"


def test_a_quiet_stream__sends_heartbeats() -> None:
    with _running(heartbeat_s=1) as server, httpx.stream("GET", server.url + "/job", timeout=10) as stream:
        lines = stream.iter_lines()
        _next_row(lines)

        assert next(line for line in lines if line).startswith(": ping")


def test_streams__are_limited_and_a_closed_one_makes_room() -> None:
    with _running(max_streams=1, heartbeat_s=1) as server:
        with httpx.stream("GET", server.url + "/job", timeout=10) as stream:
            # Held, because httpx closes a response whose iterator is dropped.
            lines = stream.iter_lines()
            _next_row(lines)
            assert _get(server, "/job").status_code == 503

        deadline = time.monotonic() + 10
        while True:
            with httpx.stream("GET", server.url + "/job", timeout=10) as again:
                if again.status_code == 200:
                    break
            assert time.monotonic() < deadline, "the place of the closed stream was never given back"
            time.sleep(0.2)


def test_an_unknown_job__is_a_problem_and_takes_no_place() -> None:
    with _running(max_streams=1) as server:
        row, server.row = server.row, None
        for _ in range(3):
            assert _get(server, "/job").status_code == 404
        server.row = row

        with httpx.stream("GET", server.url + "/job", timeout=10) as stream:
            assert stream.status_code == 200
