"""A client of a node's API, for agents and commands. Every call has a timeout, every answer a bound; refusals keep the node's own code.

Long on purpose: a line or two for each operation of the API, in one class, because whoever holds a node uses several.
"""

from __future__ import annotations

import functools
import itertools
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson
import tenacity

from computility.domain.content_id import ContentId, content_id_of
from computility.domain.errors import ContentMismatch, ContentNotFound, NodeMisbehaved, NodeRefused, NodeUnavailable
from computility.domain.identifiers import Address, Bytes32
from computility.domain.statements import SignedStatement, StatementKind
from computility.services.content_transfer import PIECE_BYTES, TooLong, download, upload
from computility.services.waiting_turn import LONGEST_TURN_S, WaitingTurn, told_to_wait_s

_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_LONGEST_WAIT_S: Final = 25
_ATTEMPTS: Final = 4
_KEPT_HEADERS: Final = ("content-type", "retry-after")

_PATHS: Final = {
    StatementKind.ASK: "/v1/asks",
    StatementKind.QUOTE_REQUEST: "/v1/quote-requests",
    StatementKind.QUOTE: "/v1/quotes",
    StatementKind.REFUSAL: "/v1/refusals",
    StatementKind.SUBMISSION: "/v1/submissions",
    StatementKind.ATTESTATION: "/v1/attestations",
    StatementKind.CHALLENGE: "/v1/challenges",
    StatementKind.METER_READING: "/v1/meter-readings",
    StatementKind.METER_CONTEST: "/v1/meter-contests",
    StatementKind.HARDWARE_CLAIM: "/v1/hardware-claims",
    StatementKind.RATING_CHALLENGE: "/v1/rating-challenges",
    StatementKind.RATING_ANSWER: "/v1/rating-answers",
    StatementKind.RATING: "/v1/ratings",
    StatementKind.READER_NOTICE: "/v1/reader-notices",
}


class NodeClient:
    """One node. Safe to use from several threads."""

    def __init__(self, url: str, timeout_s: float = 15.0, max_content_bytes: int = 64 * 1024 * 1024) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NodeUnavailable(f"a node is an http or https URL, like http://127.0.0.1:8000, not {url[:80]!r}")
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._max_content_bytes = max_content_bytes
        # To read the authorities takes longer than a command's calls do. Plain HTTP needs none, and would trust nobody without.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if parts.scheme == "http" else True
        self._http = httpx.Client(
            base_url=self.url, timeout=timeout_s, verify=verify, follow_redirects=False, trust_env=False
        )
        self._uploads = WaitingTurn()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._uploads.close()

    # ---------------------------------------------------------------- the node itself

    def health(self) -> dict[str, Any]:
        """How the node is."""
        return self._get("/v1/health")

    def config(self) -> dict[str, Any]:
        """Contracts, signing domain, committee, tokens, examples."""
        return self._get("/v1/config")

    def audit(self, timeout_s: float = 600.0) -> dict[str, Any]:
        """The node's audit of its store against the chain."""
        return self._get("/v1/audit", timeout_s=timeout_s)

    # ---------------------------------------------------------------- statements

    def publish(self, statement: SignedStatement) -> dict[str, Any]:
        """Bring a signed statement to the node. A second time changes nothing.

        Raises:
            NodeRefused: the node does not take it; the message says why.
        """
        body = statement.to_json()
        if statement.kind is StatementKind.ASK_WITHDRAWAL:
            return self._send("POST", f"/v1/asks/{body['message']['ask']}/withdrawal", body)
        return self._send("POST", _PATHS[statement.kind], body)

    def asks(self, **filters: Any) -> list[dict[str, Any]]:
        """Open asks, the cheapest unit first."""
        return list(self._all("/v1/asks", filters))

    def ask(self, ask: str) -> dict[str, Any]:
        """One ask, open or not."""
        return self._get(f"/v1/asks/{ask}")

    def quote_requests(
        self, *, provider: Address | None = None, status: str | None = None, wait_s: int = 0
    ) -> list[dict[str, Any]]:
        """Quote requests, the oldest first; with ``wait_s`` waits for one."""
        filters = {"provider": provider, "status": status, "wait": min(wait_s, _LONGEST_WAIT_S)}
        return list(self._all("/v1/quote-requests", filters))

    def quote_request(self, request: Bytes32, wait_s: int = 0) -> dict[str, Any]:
        """A request and its answer; with ``wait_s`` waits for the answer."""
        return self._get(f"/v1/quote-requests/{request}", {"wait": min(wait_s, _LONGEST_WAIT_S)})

    def quote(self, job: Bytes32) -> dict[str, Any]:
        """The quote that a job came from."""
        return self._get(f"/v1/quotes/{job}")

    # ---------------------------------------------------------------- jobs

    def job(self, job: Bytes32) -> dict[str, Any]:
        """A job's row.

        Raises:
            NodeRefused: the node knows no such job (``problem_code`` is ``unknown-job``).
        """
        return self._get(f"/v1/jobs/{job}")

    def jobs(self, **filters: Any) -> list[dict[str, Any]]:
        """Jobs, the newest first."""
        return list(self._all("/v1/jobs", filters))

    def some_job(self, wait_s: int, **filters: Any) -> dict[str, Any] | None:
        """The newest job by these filters; waits for one as long as there is none, and answers None after ``wait_s`` seconds."""
        query = {**filters, "limit": 1, "wait": min(wait_s, _LONGEST_WAIT_S)}
        items: list[dict[str, Any]] = self._get("/v1/jobs", query)["items"]
        return items[0] if items else None

    def jobs_newest_first(self, most: int, **filters: Any) -> Iterator[dict[str, Any]]:
        """At most so many jobs, asked for page by page as they are wanted."""
        return itertools.islice(self._all("/v1/jobs", filters), most)

    def job_events(self, job: Bytes32) -> list[dict[str, Any]]:
        """Every event behind a job, in the order of the chain."""
        return list(self._all(f"/v1/jobs/{job}/events", {}))

    def submissions(self, job: Bytes32) -> list[dict[str, Any]]:
        """What the provider submitted, in the order in which the node took it in."""
        return list(self._all(f"/v1/jobs/{job}/submissions", {}))

    def challenges(self, job: Bytes32) -> list[dict[str, Any]]:
        """Verifiers' challenges to a job, in the order in which the node took them in."""
        return list(self._all(f"/v1/jobs/{job}/challenges", {}))

    def meter_readings(self, job: Bytes32, after: int = 0) -> list[dict[str, Any]]:
        """The meter of a lease, in the order of its readings; those that follow reading ``after``."""
        return list(self._all(f"/v1/jobs/{job}/meter-readings", {"limit": 200, "after": after or None}))

    def lease_service(self, provider: Address) -> dict[str, Any]:
        """Uptime and start latency of a provider's newest leases."""
        return self._get(f"/v1/statistics/providers/{provider}/leases")

    def meter_contests(self, job: Bytes32) -> list[dict[str, Any]]:
        """What the buyer of a lease does not believe of its meter."""
        return list(self._all(f"/v1/jobs/{job}/meter-contests", {}))

    def attestations(self, job: Bytes32, limit: int = 200) -> dict[str, Any]:
        """A page of attestations, and their ``aggregate``."""
        return self._get(f"/v1/jobs/{job}/attestations", {"limit": limit})

    def outputs(self, job: Bytes32) -> dict[str, Any]:
        """A job's manifest and its files."""
        return self._get(f"/v1/jobs/{job}/outputs")

    def account(self, address: Address) -> dict[str, Any]:
        """Balances of an account."""
        return self._get(f"/v1/accounts/{address}")

    def scores(self, address: Address) -> dict[str, Any]:
        """Credit scores of an account."""
        return self._get(f"/v1/scores/{address}")

    def provider(self, address: Address) -> dict[str, Any]:
        """A provider."""
        return self._get(f"/v1/providers/{address}")

    def providers(self) -> list[dict[str, Any]]:
        """Every provider that ever registered."""
        return list(self._all("/v1/providers", {"limit": 200}))

    def of_provider(self, kind: StatementKind, provider: Address, limit: int = 50) -> list[dict[str, Any]]:
        """The newest claims, steps of rounds or ratings that concern a provider, the newest first."""
        items: list[dict[str, Any]] = self._get(_PATHS[kind], {"provider": provider, "limit": limit})["items"]
        return items

    def reader_notices(self, account: Address, limit: int = 50) -> list[dict[str, Any]]:
        """What an account told of its reader key, the newest first."""
        query = {"account": account, "limit": limit}
        items: list[dict[str, Any]] = self._get(_PATHS[StatementKind.READER_NOTICE], query)["items"]
        return items

    def events(self, limit: int = 50, **filters: Any) -> list[dict[str, Any]]:
        """The newest events."""
        items: list[dict[str, Any]] = self._get("/v1/events", {**filters, "limit": limit})["items"]
        return items

    # ---------------------------------------------------------------- content

    def put_content(self, data: bytes) -> ContentId:
        """Upload content. Where this client has as many uploads under way as the node allows, waits for its
        turn as the node says, a minute at most.

        Raises:
            NodeRefused: too large, the node is full, or the turn did not come.
        """
        cid = content_id_of(data)
        if len(data) > PIECE_BYTES:
            if not self.has_content(cid):
                self._put_in_pieces(cid, data)
            return cid
        put = functools.partial(
            self._request, "PUT", f"/v1/content?cid={cid}", content=data, media_type="application/octet-stream"
        )
        answer = self._in_turn(put)
        named = self._document(answer).get("cid")
        if named != cid:
            raise NodeMisbehaved(f"the node {self.url} names {cid} {str(named)[:80]}")
        return cid

    def has_content(self, cid: ContentId) -> bool:
        """Whether the node has it."""
        return self._request("HEAD", f"/v1/content/{cid}").status_code == httpx.codes.OK

    def get_content(self, cid: ContentId) -> bytes:
        """Download content, and check it.

        Raises:
            ContentNotFound: the node does not have it.
            ContentMismatch: what the node sent has another hash, or is too large.
        """
        try:
            response = download(self._http, f"/v1/content/{cid}", self._max_content_bytes)
        except TooLong:
            raise NodeMisbehaved(
                f"the node {self.url} answers with more than {self._max_content_bytes} bytes"
            ) from None
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise ContentNotFound(f"the node {self.url} has no content {cid}: ask whoever named it to upload it")
        if response.status_code != httpx.codes.OK:
            raise self._refused(response)
        if content_id_of(response.content) != cid:
            raise ContentMismatch(f"what the node {self.url} sent as {cid} has another hash: use another node")
        return response.content

    def _put_in_pieces(self, cid: ContentId, data: bytes) -> None:
        try:
            answer = self._in_turn(lambda: self._upload(data, cid))
            if answer.status_code == httpx.codes.NOT_FOUND:
                # The node was started anew meanwhile.
                answer = self._in_turn(lambda: self._upload(data, cid))
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if answer.is_error:
            raise self._refused(answer)

    def _upload(self, data: bytes, cid: ContentId) -> httpx.Response:
        self._not_closed()
        return upload(self._http, data, cid)

    def _in_turn(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        answer = self._uploads.take(f"the node {self.url}", send)
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return answer
        refused = self._refused(answer)
        if not isinstance(refused, NodeRefused):
            raise refused
        message = (
            f"{refused}. No turn came within the {LONGEST_TURN_S:g} s that are waited for: try again when other uploads to "
            f"{self.url} are finished, or use another node"
        )
        raise NodeRefused(message, refused.problem_code, refused.status)

    # ---------------------------------------------------------------- transport

    def _all(self, path: str, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        wanted: dict[str, Any] = dict(filters)
        while True:
            page = self._get(path, wanted)
            yield from page["items"]
            if not page["next"]:
                return
            wanted["cursor"] = page["next"]

    def _get(self, path: str, query: Mapping[str, Any] | None = None, timeout_s: float | None = None) -> dict[str, Any]:
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        return self._document(self._request("GET", path, parameters=parameters, timeout_s=timeout_s))

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = orjson.dumps(body)
        return self._document(self._request(method, path, content=content, media_type="application/json"))

    def _request(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        media_type: str | None = None,
        timeout_s: float | None = None,
        limit: int = _MAX_ANSWER_BYTES,
    ) -> httpx.Response:
        # Reading twice and publishing twice change nothing, so whatever fails on the way may be tried again.
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=2.0),
            retry=tenacity.retry_if_exception_type(httpx.TransportError),
            reraise=True,
        )
        # A long poll may take as long as it asked for, and then the answer its own time.
        timeout = timeout_s or self._timeout_s + float((parameters or {}).get("wait", 0))
        headers = {"content-type": media_type} if media_type else {}
        request = self._http.build_request(
            method, path, params=parameters or None, content=content, headers=headers, timeout=timeout
        )
        try:
            return retrying(self._exchange, request, limit)
        except httpx.HTTPError as error:
            raise self._silent(error) from error

    def _silent(self, error: httpx.HTTPError) -> NodeUnavailable:
        return NodeUnavailable(
            f"the node {self.url} does not answer ({type(error).__name__}): is it running, and is the URL right?"
        )

    def _exchange(self, request: httpx.Request, limit: int) -> httpx.Response:
        self._not_closed()
        response = self._http.send(request, stream=True)
        received = bytearray()
        try:
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > limit:
                    raise NodeMisbehaved(f"the node {self.url} answers with more than {limit} bytes")
        finally:
            response.close()
        return httpx.Response(
            response.status_code,
            headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            content=bytes(received),
        )

    def _not_closed(self) -> None:
        if self._http.is_closed:
            # A thread of an agent that is ending was still asking.
            raise NodeUnavailable(f"this client of the node {self.url} is closed")

    def _document(self, response: httpx.Response) -> dict[str, Any]:
        if response.is_error:
            raise self._refused(response)
        try:
            document = orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise NodeMisbehaved(
                f"the node {self.url} answers with no JSON: is this URL a Computility node?"
            ) from error
        if not isinstance(document, dict):
            raise NodeMisbehaved(f"the node {self.url} answers with something that its API does not know")
        return document

    def _refused(self, response: httpx.Response) -> NodeRefused | NodeMisbehaved | NodeUnavailable:
        try:
            problem = orjson.loads(response.content)
            code, detail = str(problem["code"]), str(problem.get("detail") or problem.get("title"))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                # A proxy before the node says so in words of its own.
                told_s = told_to_wait_s(response)
                when = "later" if told_s is None else f"in {told_s:.0f} s"
                return NodeUnavailable(f"the node {self.url} allows no more requests just now: try again {when}")
            if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                return NodeUnavailable(f"the node {self.url} fails (HTTP {response.status_code}): try again")
            return NodeMisbehaved(
                f"{self.url} answers with HTTP {response.status_code}: is this URL a Computility node?"
            )
        return NodeRefused(detail, code, response.status_code)


class NodeContentStore:
    """A node's content as a ``ContentStore``."""

    def __init__(self, node: NodeClient) -> None:
        self._node = node

    def put(self, data: bytes) -> ContentId:
        """Upload."""
        return self._node.put_content(data)

    def get(self, cid: ContentId) -> bytes:
        """Download, checked.

        Raises:
            ContentNotFound: not there.
            ContentMismatch: damaged on the way.
        """
        return self._node.get_content(cid)

    def has(self, cid: ContentId) -> bool:
        """Whether it is there."""
        return self._node.has_content(cid)


def wait_for_node(node: NodeClient, timeout_s: float) -> dict[str, Any]:
    """Wait until a node answers and is not behind; its health.

    Raises:
        NodeUnavailable: not within ``timeout_s``.
    """
    give_up = time.monotonic() + timeout_s
    while True:
        try:
            health = node.health()
            if health.get("status") == "ok":
                return health
        except NodeUnavailable:
            if time.monotonic() > give_up:
                raise
        if time.monotonic() > give_up:
            raise NodeUnavailable(f"the node {node.url} is not ready after {timeout_s:g} s: look at its log")
        time.sleep(0.2)
