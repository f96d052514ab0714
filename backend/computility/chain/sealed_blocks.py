"""Blocks whose every log of ours is proven: header to its hash, bloom or receipts to the header.

A log that an endpoint leaves out of ``eth_getLogs`` cannot be noticed in the answer. It can here: a block whose bloom leaves no room for our
contracts has none of their logs, and of any other block all receipts are fetched and hashed to the root that its header names.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from computility.chain.endpoint import Call, ChainEndpoint
from computility.chain.receipt_trie import bloom_may_hold, receipts_root, require_block_hash
from computility.chain.wire import WireLog
from computility.domain.errors import ChainMisbehaved, RpcRefused
from computility.domain.logs_digest import digest_of, digested

_HEADERS_AT_ONCE: Final = 100
_RECEIPTS_AT_ONCE: Final = 100
_BLOCKS_AT_ONCE: Final = 8


@dataclass(frozen=True)
class SealedBlock:
    """A block and all of our contracts' logs in it. ``header`` is the endpoint's answer, held against the hash."""

    number: int
    hash: str
    parent_hash: str
    header: dict[str, Any]
    logs: tuple[WireLog, ...]

    def digest(self) -> bytes | None:
        """What binds the logs; None without any."""
        if not self.logs:
            return None
        return digest_of(
            digested(
                int(log.log_index, 16),
                bytes.fromhex(log.transaction_hash[2:]),
                bytes.fromhex(log.address[2:]),
                bytes.fromhex("".join(log.topics).replace("0x", "")),
                bytes.fromhex(log.data[2:]),
            )
            for log in self.logs
        )


class BlockSealer:
    """Proves blocks through one endpoint, for the logs of some contracts."""

    def __init__(self, endpoint: ChainEndpoint, addresses: Sequence[str]) -> None:
        self._endpoint = endpoint
        self._wanted = frozenset(address.lower() for address in addresses)
        self._raw = tuple(bytes.fromhex(address[2:]) for address in addresses)
        self._one_by_one = False
        """The endpoint has no ``eth_getBlockReceipts``."""

    def blocks(self, first: int, last: int) -> list[SealedBlock]:
        """Blocks ``first`` to ``last``, each the parent of the next.

        Raises:
            ChainMisbehaved: a header, a receipt or a link between blocks is not what its hash says; or the chain is reorganising just now.
            ChainError: the endpoint fails.
        """
        try:
            return self._blocks(first, last)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ChainMisbehaved(
                f"{self._endpoint.name} answers with an ill-formed block or receipt: {error}"
            ) from error

    def _blocks(self, first: int, last: int) -> list[SealedBlock]:
        headers = self._headers(first, last)
        for below, above in itertools.pairwise(headers):
            if above["parentHash"] != below["hash"]:
                raise ChainMisbehaved(f"a block of {self._endpoint.name} does not follow the one below it")
        maybe = [header for header in headers if self._may_hold_ours(header)]
        receipts: dict[str, list[dict[str, Any]]] = {}
        for start in range(0, len(maybe), _BLOCKS_AT_ONCE):
            some = maybe[start : start + _BLOCKS_AT_ONCE]
            for header, answer in zip(some, self._receipts(some), strict=True):
                receipts[header["hash"]] = answer
        return [
            SealedBlock(
                int(header["number"], 16),
                header["hash"],
                header["parentHash"],
                header,
                self._logs(header, receipts[header["hash"]]) if header["hash"] in receipts else (),
            )
            for header in headers
        ]

    def _headers(self, first: int, last: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(first, last + 1, _HEADERS_AT_ONCE):
            numbers = range(start, min(last + 1, start + _HEADERS_AT_ONCE))
            answers = self._endpoint.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
            for number, raw in zip(numbers, answers, strict=True):
                header = orjson.loads(memoryview(raw))
                if not isinstance(header, dict) or header.get("number") != hex(number):
                    raise ChainMisbehaved(f"{self._endpoint.name} has no block {number}; it may be reorganising")
                require_block_hash(header)
                found.append(header)
        return found

    def _may_hold_ours(self, header: dict[str, Any]) -> bool:
        bloom = bytes.fromhex(header["logsBloom"][2:])
        return any(bloom_may_hold(bloom, address) for address in self._raw)

    def _receipts(self, headers: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        if not self._one_by_one:
            try:
                answers = self._endpoint.batch([("eth_getBlockReceipts", (header["hash"],)) for header in headers])
            except RpcRefused:
                # Some chains lack it, some take only a number there; what is refused for another reason is refused again below.
                self._one_by_one = True
            else:
                return [
                    self._checked(header, orjson.loads(memoryview(raw)))
                    for header, raw in zip(headers, answers, strict=True)
                ]
        found = []
        for header in headers:
            calls: list[Call] = [("eth_getTransactionReceipt", (tx,)) for tx in header["transactions"]]
            receipts = [
                orjson.loads(memoryview(raw))
                for start in range(0, len(calls), _RECEIPTS_AT_ONCE)
                for raw in self._endpoint.batch(calls[start : start + _RECEIPTS_AT_ONCE])
            ]
            found.append(self._checked(header, receipts))
        return found

    def _checked(self, header: dict[str, Any], receipts: Any) -> list[dict[str, Any]]:
        name, number = self._endpoint.name, header["number"]
        if not isinstance(receipts, list) or not all(isinstance(receipt, dict) for receipt in receipts):
            raise ChainMisbehaved(
                f"{name} has no receipts of block {number}; it may be reorganising, or have forgotten them"
            )
        if [receipt.get("transactionHash") for receipt in receipts] != header["transactions"]:
            raise ChainMisbehaved(f"{name} answers with receipts of other transactions than block {number} has")
        if receipts_root(receipts) != header["receiptsRoot"]:
            raise ChainMisbehaved(f"the receipts that {name} gives for block {number} do not hash to its receipts root")
        return receipts

    def _logs(self, header: dict[str, Any], receipts: list[dict[str, Any]]) -> tuple[WireLog, ...]:
        logs: list[WireLog] = []
        index = 0
        for receipt in receipts:
            for log in receipt["logs"]:
                if log["address"].lower() in self._wanted:
                    # Where it stands follows from what is proven; what the endpoint says of it does not count.
                    logs.append(
                        WireLog(
                            address=log["address"],
                            topics=log["topics"],
                            data=log["data"],
                            block_number=header["number"],
                            block_hash=header["hash"],
                            transaction_hash=receipt["transactionHash"],
                            log_index=hex(index),
                        )
                    )
                index += 1
        return tuple(logs)


def digests_of(
    url: str, timeout_s: float, addresses: Sequence[str], first: int, last: int
) -> list[tuple[int, str, str, bytes | None]]:
    """Number, hash, parent hash and digest of proven blocks: ``BlockSealer.blocks`` for a process of its own.

    Raises: as ``BlockSealer.blocks``.
    """
    key = (url, tuple(addresses))
    if key not in _SEALERS:
        _SEALERS[key] = BlockSealer(ChainEndpoint(url, timeout_s), addresses)
    return [
        (block.number, block.hash, block.parent_hash, block.digest()) for block in _SEALERS[key].blocks(first, last)
    ]


_SEALERS: Final[dict[tuple[str, tuple[str, ...]], BlockSealer]] = {}
"""One a process and endpoint, for its connection and for what it knows of the endpoint."""
