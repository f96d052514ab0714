"""A JSON-RPC client that trusts nothing: timeouts, bounded answers, and one error for each way in which an endpoint can fail.

Errors name the endpoint by host and port only: the rest of a URL may be an access key.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import tenacity

from computility.chain.endpoint import ChainEndpoint
from computility.domain.errors import ChainMisbehaved, ChainSilent, ChainUnavailable, RpcRefused, WrongChain
from computility.domain.identifiers import Bytes32, parse_bytes32

BlockTag = int | str
"""A block number, ``latest``, ``safe``, ``finalized`` or ``pending``."""

_ATTEMPTS: Final = 3
# A read is asked once more when no answer comes: endpoints lose single requests (a Ganache those that overlap with a new block).
_ATTEMPTS_AFTER_SILENCE: Final = 2
_NOT_REPEATED: Final = frozenset({"eth_sendRawTransaction", "evm_mine"})


@dataclass(frozen=True)
class BlockHeader:
    """The part of a header that the ledger is kept by."""

    number: int
    hash: Bytes32
    parent_hash: Bytes32
    timestamp: int
    base_fee: int | None


class RpcClient:
    """One endpoint. Safe to use from several threads."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self._endpoint = ChainEndpoint(url, timeout_s)
        self.url = url
        self.name = self._endpoint.name
        self.timeout_s = timeout_s
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        return f"RpcClient({self.name})"

    def close(self) -> None:
        """Close this thread's connection; those of other threads close as their threads end."""
        self._endpoint.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call.

        Raises:
            ChainUnavailable: no answer, after three attempts; where it stays silent, after two, and one where the call changes the chain.
            ChainMisbehaved: an answer that is no JSON-RPC answer to this call.
            RpcRefused: the endpoint's own error.
        """
        request = self._request(method, params)
        return self._result(self._post(request, method not in _NOT_REPEATED), request["id"])

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of several calls, in order, in one round trip.

        Raises: as ``call``, for the first that fails.
        """
        if not calls:
            return []
        requests = [self._request(method, params) for method, params in calls]
        answers = self._post(requests, _NOT_REPEATED.isdisjoint(method for method, _ in calls))
        if not isinstance(answers, list) or len(answers) != len(requests):
            if isinstance(answers, dict) and "error" in answers:
                self._result(answers, answers.get("id"))
            raise ChainMisbehaved(f"{self.name} did not answer a batch with as many results; use another endpoint")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [self._result(by_id.get(request["id"]), request["id"]) for request in requests]

    def chain_number(self) -> int:
        """The EVM chain id."""
        return self.quantity(self.call("eth_chainId"))

    def require_chain(self, chain_number: int) -> None:
        """Make sure that this is the chain that is meant.

        Raises:
            WrongChain: it is another one.
        """
        found = self.chain_number()
        if found != chain_number:
            raise WrongChain(f"{self.name} serves chain {found}, not {chain_number}: check the RPC URL")

    def block_number(self) -> int:
        """Number of the newest block."""
        return self.quantity(self.call("eth_blockNumber"))

    def header(self, block: BlockTag) -> BlockHeader | None:
        """The header of a block, or None when the chain has no such block."""
        return self.parse_header(self.call("eth_getBlockByNumber", block_tag(block), False), block)

    def headers(self, first: int, last: int) -> list[BlockHeader]:
        """The headers of blocks ``first`` to ``last``, both included.

        Raises:
            ChainMisbehaved: one is missing, which a reorganisation may cause while it goes on.
        """
        found = self.batch([("eth_getBlockByNumber", (hex(number), False)) for number in range(first, last + 1)])
        headers = [self.parse_header(raw, first + index) for index, raw in enumerate(found)]
        if any(header is None for header in headers):
            raise ChainMisbehaved(f"{self.name} has no header for a block below its head; it may be reorganising")
        return [header for header in headers if header is not None]

    def parse_header(self, raw: Any, wanted: BlockTag) -> BlockHeader | None:
        """A header from a ``eth_getBlockBy…`` answer.

        Raises:
            ChainMisbehaved: not a header, or not the wanted block's.
        """
        if raw is None:
            return None
        try:
            header = BlockHeader(
                number=int(raw["number"], 16),
                hash=parse_bytes32(raw["hash"]),
                parent_hash=parse_bytes32(raw["parentHash"]),
                timestamp=int(raw["timestamp"], 16),
                base_fee=int(raw["baseFeePerGas"], 16) if raw.get("baseFeePerGas") else None,
            )
        except Exception as error:
            raise ChainMisbehaved(f"{self.name} answers with something that is no block header") from error
        if isinstance(wanted, int) and header.number != wanted:
            raise ChainMisbehaved(f"{self.name} answers with block {header.number} when asked for {wanted}")
        return header

    def quantity(self, raw: Any) -> int:
        """A hex quantity as an integer.

        Raises:
            ChainMisbehaved: it is none.
        """
        try:
            return int(raw, 16)
        except (TypeError, ValueError) as error:
            raise ChainMisbehaved(f"{self.name} answers with something that is no quantity") from error

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, body: Any, repeat: bool) -> Any:
        def spent(state: tenacity.RetryCallState) -> bool:
            silent = isinstance(state.outcome and state.outcome.exception(), ChainSilent)
            most = (_ATTEMPTS_AFTER_SILENCE if repeat else 1) if silent else _ATTEMPTS
            return state.attempt_number >= most

        retrying = tenacity.Retrying(
            stop=spent,
            wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=1.0),
            retry=tenacity.retry_if_exception_type(ChainUnavailable),
            reraise=True,
        )
        answer = retrying(self._endpoint.exchange, orjson.dumps(body))
        try:
            return orjson.loads(answer)
        except orjson.JSONDecodeError as error:
            raise ChainMisbehaved(
                f"{self.name} answers with something that is no JSON; is this URL a chain endpoint?"
            ) from error

    def _result(self, answer: Any, wanted_id: Any) -> Any:
        if not isinstance(answer, dict) or answer.get("id") != wanted_id:
            raise ChainMisbehaved(
                f"{self.name} answers with something that is no answer to the call; use another endpoint"
            )
        error = answer.get("error")
        if error is not None:
            if not isinstance(error, dict):
                raise ChainMisbehaved(f"{self.name} answers with an error of no known form")
            code = error.get("code")
            message = self._endpoint.in_a_line(str(error.get("message", "no message")))
            raise RpcRefused(f"{self.name}: {message}", code if isinstance(code, int) else 0, error.get("data"))
        if "result" not in answer:
            raise ChainMisbehaved(f"{self.name} answers with neither a result nor an error")
        return answer["result"]


def block_tag(block: BlockTag) -> str:
    """A block as JSON-RPC names it."""
    return hex(block) if isinstance(block, int) else block
