"""One endpoint over plain keep-alive HTTP: the way in for everything that is indexed.

web3.py and httpx cost more for each answer than the answer's content does, so that the indexer speaks HTTP itself. A call ends within its time
limit, however its answer trickles in; answers are bounded, and each way to fail is one error. Errors name the endpoint by host and port only: the
rest of a URL may be a key, and is left out of what the endpoint itself says too.
"""

from __future__ import annotations

import http.client
import itertools
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import orjson

from computility.chain.timed_socket import TimedSocket
from computility.chain.wire import Result, RpcAnswer, RpcAnswers, parse_answers
from computility.domain.errors import AnswerTooLarge, ChainMisbehaved, ChainSilent, ChainUnavailable, RpcRefused

Call = tuple[str, Sequence[Any]]

_MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_READ_BYTES: Final = 256 * 1024
_MOST_SAID: Final = 500
_SHORTEST_KEY: Final = 8
"""What is shorter in a URL is a word like "rpc" or "v3"."""
_BUSY: Final = frozenset({429, 500, 502, 503, 504})


class ChainEndpoint:
    """JSON-RPC at one URL. Each thread has a connection of its own."""

    def __init__(self, url: str, timeout_s: float = 10.0, max_answer_bytes: int = _MAX_ANSWER_BYTES) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ChainUnavailable("a chain endpoint is an http or https URL, like http://127.0.0.1:8545")
        self.url = url
        self.name = parts.hostname + (f":{parts.port}" if parts.port else "")
        self._host, self._port, self._tls = parts.hostname, parts.port, parts.scheme == "https"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        told = [*parts.path.split("/"), *[value for _, value in parse_qsl(parts.query)], parts.username, parts.password]
        self._secrets = tuple(each for each in told if each and len(each) >= _SHORTEST_KEY)
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["authorization"] = "Basic " + b64encode(pair.encode()).decode()
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        self._ids = itertools.count(1)
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"ChainEndpoint({self.name})"

    def call(self, method: str, *params: Any) -> msgspec.Raw:
        """The result of one call, as JSON text.

        Raises:
            ChainUnavailable: no answer in time, or too busy to give one.
            ChainMisbehaved: an answer that is no JSON-RPC answer to this call.
            AnswerTooLarge: it answers with more than the limit.
            RpcRefused: the endpoint's own error.
        """
        return self.batch([(method, params)])[0]

    def batch(self, calls: Sequence[Call]) -> list[msgspec.Raw]:
        """The results of several calls, in order, in one round trip.

        Raises: as ``call``, for the first that fails.
        """
        return self.batch_of(calls, parse_answers)

    def batch_of(self, calls: Sequence[Call], parse: Callable[[bytes], RpcAnswers[Result]]) -> list[Result]:
        """As ``batch``, with results as a parser of answers makes them: an answer is long to go through once more.

        Raises: as ``call``; ``ChainMisbehaved`` too for a result that the parser refuses.
        """
        ids = list(itertools.islice(self._ids, len(calls)))
        asked = [
            {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(params)}
            for identifier, (method, params) in zip(ids, calls, strict=True)
        ]
        body = self.exchange(orjson.dumps(asked if len(asked) != 1 else asked[0]))
        try:
            answers = parse(body)
        except msgspec.ValidationError as error:
            raise ChainMisbehaved(
                f"{self.name} answers with something else than what was asked for ({error}); is this URL a chain endpoint?"
            ) from error
        except msgspec.DecodeError as error:
            raise ChainMisbehaved(
                f"{self.name} answers with something that is no JSON-RPC ({error}); is this URL a chain endpoint?"
            ) from error
        if isinstance(answers, RpcAnswer):
            if len(calls) > 1:
                # A refused batch is one error.
                self._result(answers, answers.id)
                raise ChainMisbehaved(
                    f"{self.name} answers a batch with one result; use an endpoint that takes batches"
                )
            return [self._result(answers, ids[0])]
        by_id = {answer.id: answer for answer in answers}
        if len(by_id) != len(ids):
            raise ChainMisbehaved(f"{self.name} did not answer a batch with as many results; use another endpoint")
        return [self._result(by_id.get(identifier), identifier) for identifier in ids]

    def in_a_line(self, said: str) -> str:
        """The endpoint's own words, as they may stand in an error and in a log: without its URL's keys, in one line, and not too many."""
        for secret in self._secrets:
            said = said.replace(secret, "…")
        return "".join(each if each.isprintable() else " " for each in said[:_MOST_SAID])

    def close(self) -> None:
        """Close this thread's connection."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _result(self, answer: RpcAnswer[Result] | None, identifier: object) -> Result:
        if answer is None or answer.id != identifier:
            raise ChainMisbehaved(
                f"{self.name} answers with something that is no answer to the call; use another endpoint"
            )
        if answer.error is not None:
            raise RpcRefused(f"{self.name}: {self.in_a_line(answer.error.message)}", answer.error.code)
        if isinstance(answer.result, msgspec.UnsetType):
            raise ChainMisbehaved(f"{self.name} answers with neither a result nor an error")
        return answer.result

    def exchange(self, content: bytes) -> bytes:
        """The body of the answer to a request of JSON text.

        Raises:
            ChainSilent: no answer in time.
            ChainUnavailable: none at all, or too busy to give one.
            ChainMisbehaved: it broke off.
            AnswerTooLarge: it answers with more than the limit.
        """
        reused = getattr(self._local, "connection", None) is not None
        give_up = time.monotonic() + self._timeout_s
        try:
            return self._post_once(content, give_up)
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            self.close()
            if not reused:
                raise self._unavailable(error) from error
        # The other side closed a connection that had been idle: once more on a new one.
        try:
            return self._post_once(content, give_up)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise self._unavailable(error) from error

    def _post_once(self, content: bytes, give_up: float) -> bytes:
        try:
            connection = self._connection(give_up)
            connection.request("POST", self._path, content, self._headers)
            response = connection.getresponse()
            body = self._read(response)
        except (http.client.RemoteDisconnected, ConnectionError):
            raise
        except TimeoutError as error:
            self.close()
            raise ChainSilent(
                f"the chain endpoint {self.name} did not answer within {self._timeout_s:g} s; try again, or use another"
            ) from error
        except http.client.IncompleteRead as error:
            self.close()
            raise ChainMisbehaved(f"{self.name} broke off in the middle of an answer") from error
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise self._unavailable(error) from error
        except AnswerTooLarge:
            self.close()
            raise
        if response.status in _BUSY and not body.lstrip().startswith((b"{", b"[")):
            raise ChainUnavailable(f"the chain endpoint {self.name} is busy (HTTP {response.status}); try again")
        if response.status == 429:
            raise ChainUnavailable(
                f"the chain endpoint {self.name} allows no more requests just now (HTTP 429); try again"
            )
        return body

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        while part := response.read1(_READ_BYTES):
            parts.append(part)
            size += len(part)
            if size > self._max_answer_bytes:
                raise AnswerTooLarge(f"{self.name} answers with more than {self._max_answer_bytes} bytes")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        # ``read1`` leaves an answer open whose last byte it has read, and the connection could not be used again.
        response.close()
        return b"".join(parts)

    def _connection(self, give_up: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._tls:
                context = ssl.create_default_context()
                connection = http.client.HTTPSConnection(self._host, self._port, context=context)
            else:
                connection = http.client.HTTPConnection(self._host, self._port)
            self._local.connection = connection
        # None again after an answer that said it was the connection's last.
        connected = connection.sock is not None
        if not connected:
            connection.timeout = max(0.001, give_up - time.monotonic())
            connection.connect()
            # Otherwise a small request waits for the acknowledgement of the one before.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock = self._local.socket = TimedSocket(connection.sock)
        self._local.socket.give_up = give_up
        return connection

    def _unavailable(self, error: Exception) -> ChainUnavailable:
        return ChainUnavailable(
            f"the chain endpoint {self.name} does not answer ({type(error).__name__}); is it running, and is the URL right?"
        )
