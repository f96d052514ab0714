"""Fetches the ledger's blocks and logs in ranges that fit what the endpoint can give."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from computility.chain.endpoint import Call, ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.chain.sealed_blocks import BlockSealer, SealedBlock
from computility.chain.wire import (
    RangeResult,
    UnreadLogs,
    WireHeader,
    WireLog,
    parse_header,
    parse_quantity,
    parse_range_answers,
)
from computility.domain.errors import (
    AnswerTooLarge,
    ChainError,
    ChainMisbehaved,
    ChainSilent,
    ChainUnavailable,
    RpcRefused,
)
from computility.services.block_ranges import may_be_too_much
from computility.services.contract_directory import ContractDirectory
from computility.services.incoming import Head, Incoming, LogReader
from computility.services.log_kinds import LogKind, LogKinds
from computility.store.stored_log import Emitter

_log = logging.getLogger(__name__)

_WANTED_LOGS: Final = 2_500
"""Of one range: enough to make the cost of a transaction small, few enough to stay in the processor's caches."""
_FIRST_BLOCKS: Final = 16
_MOST_BLOCKS: Final = 2_000
_HEADERS_AT_ONCE: Final = 100


_Answers = list[RangeResult]
"""The logs of a range, and then the header of each of its blocks, as an endpoint gave them."""


@dataclass(frozen=True)
class _Asked:
    """A range that was asked for before its turn."""

    endpoint: ChainEndpoint
    first: int
    last: int
    answers: Future[_Answers]


class ChainSource:
    """The chain as the indexer reads it. ``final_by_depth`` is for development chains, whose own words mean nothing."""

    def __init__(
        self,
        pool: EndpointPool,
        directory: ContractDirectory,
        chain_number: int,
        *,
        safe_depth: int,
        finality_depth: int,
        final_by_depth: bool,
        most_blocks: int = _MOST_BLOCKS,
    ) -> None:
        self.pool = pool
        self._kinds = LogKinds(directory)
        self._reader = LogReader(self._kinds)
        self.addresses = directory.addresses
        self.emitters = [Emitter(address, *directory.owner_of(address)) for address in directory.addresses]
        """Whose events the addresses emit."""
        self._chain_number = chain_number
        self._safe_depth, self._finality_depth = safe_depth, finality_depth
        self._by_depth = final_by_depth
        self._most_blocks = most_blocks
        self.range_blocks = min(_FIRST_BLOCKS, most_blocks)
        """How many blocks the next range has at most."""
        self.prove_up_to = -1
        """Up to this block logs are read from receipts, which prove themselves: somewhere there ``eth_getLogs`` was not the truth."""
        self._asking: ThreadPoolExecutor | None = None
        self._asked: _Asked | None = None

    @property
    def kinds(self) -> Sequence[LogKind]:
        """What the numbers mean that logs name their kinds by."""
        return self._kinds.numbered

    def ask_ahead(self) -> None:
        """From now on ask for the next range while one is read: for a process that does nothing else than fetch what is far below the head."""
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="ask-ahead")

    def head(self, known: int | None = None) -> tuple[Head, WireHeader | None]:
        """How far the chain is, and its header at height ``known``, in one round trip. None where a development chain has none: it was reverted.

        Raises:
            ChainUnavailable: every endpoint is behind ``known``.
            ChainMisbehaved: none says of itself what can be true.
            ChainError: none answers.
        """
        tags = [] if self._by_depth else ["safe", "finalized"]

        def ask(endpoint: ChainEndpoint) -> tuple[Head, WireHeader | None]:
            calls: list[Call] = [("eth_blockNumber", ())]
            calls += [("eth_getBlockByNumber", (tag, False)) for tag in tags]
            if known is not None:
                calls.append(("eth_getBlockByNumber", (hex(known), False)))
            answers = endpoint.batch(calls)
            number = _quantity(answers[0], endpoint)
            at = _header(answers[-1], endpoint) if known is not None else None
            if at is not None and at.number != hex(known or 0):
                raise ChainMisbehaved(f"{endpoint.name} answers with block {at.number} when asked for {known}")
            if known is not None and at is None:
                self._require_come_to(known, number, endpoint)
            by_depth = Head(number, max(-1, number - self._safe_depth), max(-1, number - self._finality_depth))
            if self._by_depth:
                return by_depth, at
            safe, final = (_header(raw, endpoint) for raw in answers[1:3])
            return _settled(by_depth, safe, final, endpoint), at

        return self.pool.ask(ask)

    def header(self, number: int) -> WireHeader | None:
        """The header at a height."""
        return self.pool.ask(
            lambda endpoint: _header(endpoint.call("eth_getBlockByNumber", hex(number), False), endpoint)
        )

    def headers_at(self, numbers: list[int]) -> list[WireHeader | None]:
        """The headers at some heights that the chain has come to, from one endpoint. None as in ``head``."""

        def ask(endpoint: ChainEndpoint) -> list[WireHeader | None]:
            found = self._headers(endpoint, numbers)
            if None in found and not self._by_depth:
                raise ChainUnavailable(f"{endpoint.name} is behind: it has no block {numbers[found.index(None)]} yet")
            return found

        return self.pool.ask(ask)

    def incoming(self, first: int, head: Head) -> Incoming:
        """The next range of blocks from ``first`` on, up to the head, halved for as long as the endpoint finds it too large.

        Raises:
            ChainMisbehaved: headers and logs do not fit together: an endpoint lies, or the chain is reorganising just now.
            ChainError: no endpoint answers.
        """

        def ask(endpoint: ChainEndpoint) -> Incoming:
            while True:
                last = min(head.number, first + self.range_blocks - 1)
                headers: Sequence[WireHeader]
                logs: Sequence[WireLog] | UnreadLogs
                try:
                    if first <= self.prove_up_to:
                        headers, logs = self._proven(endpoint, first, last)
                    else:
                        last, answers = self._answers(endpoint, first, last, head)
                        headers, logs = self._read_range(endpoint, first, last, answers)
                except (AnswerTooLarge, RpcRefused, ChainUnavailable) as error:
                    if last == first or not may_be_too_much(error):
                        raise
                    self.range_blocks = max(1, (last - first + 1) // 2)
                    _log.info(
                        "%s finds %d blocks too many at once (%s): asking for %d",
                        endpoint.name,
                        last - first + 1,
                        error,
                        self.range_blocks,
                    )
                    if isinstance(error, ChainSilent) and len(self.pool.endpoints) > 1:
                        # Another may answer at once; to halve here would take the whole time limit each time.
                        raise
                    continue
                incoming = self._reader.incoming(headers, logs, head, endpoint.name)
                if last < head.number or last - first + 1 >= self.range_blocks:
                    # One that the head cut short says little about how large a range may be.
                    self._fit(last - first + 1, incoming.received)
                return incoming

        return self.pool.ask(ask)

    def _require_come_to(self, known: int, number: int, endpoint: ChainEndpoint) -> None:
        if self._by_depth:
            return
        if number < known:
            # That is no reorganisation: only another block at that height would be one.
            raise ChainUnavailable(f"{endpoint.name} is behind: it has come to block {number}, this node to {known}")
        raise ChainMisbehaved(f"{endpoint.name} has no header for a block below its head; it may be reorganising")

    def _fit(self, blocks: int, received: int) -> None:
        if received > _WANTED_LOGS:
            self.range_blocks = max(1, blocks * _WANTED_LOGS // received)
        else:
            self.range_blocks = min(
                self._most_blocks, 2 * blocks, max(blocks, blocks * _WANTED_LOGS // max(1, received))
            )

    def _answers(self, endpoint: ChainEndpoint, first: int, last: int, head: Head) -> tuple[int, _Answers]:
        """The endpoint's answers for the range from ``first`` on, and where it ends: where it was asked to end, if it was asked already."""
        asked, self._asked = self._asked, None
        answers: _Answers | None = None
        if asked is not None and (asked.endpoint, asked.first) == (endpoint, first) and asked.last <= head.number:
            # What it refused is asked for again below, and then in halves.
            with suppress(ChainError):
                answers, last = asked.answers.result(), asked.last
        if answers is None:
            answers = self._ask_range(endpoint, first, last)
        after = last + self.range_blocks
        if self._asking is not None and after <= head.number:
            answering = self._asking.submit(self._ask_range, endpoint, last + 1, after)
            self._asked = _Asked(endpoint, last + 1, after, answering)
        return last, answers

    def _ask_range(self, endpoint: ChainEndpoint, first: int, last: int) -> _Answers:
        asked = {"fromBlock": hex(first), "toBlock": hex(last), "address": self.addresses}
        calls: list[Call] = [("eth_getLogs", (asked,))]
        calls += [("eth_getBlockByNumber", (hex(number), False)) for number in range(first, last + 1)]
        answers = endpoint.batch_of(calls[: 1 + _HEADERS_AT_ONCE], parse_range_answers)
        for start in range(1 + _HEADERS_AT_ONCE, len(calls), _HEADERS_AT_ONCE):
            answers += endpoint.batch_of(calls[start : start + _HEADERS_AT_ONCE], parse_range_answers)
        return answers

    def _read_range(
        self, endpoint: ChainEndpoint, first: int, last: int, answers: _Answers
    ) -> tuple[list[WireHeader], UnreadLogs]:
        logs, *headers = answers
        if not isinstance(logs, list):
            raise ChainMisbehaved(f"{endpoint.name} answers with something that is no list of logs")
        found = [header for header in headers if isinstance(header, WireHeader)]
        if len(found) != last - first + 1 or int(found[0].number, 16) != first:
            raise ChainMisbehaved(f"{endpoint.name} has no header for a block below its head; it may be reorganising")
        return found, UnreadLogs(logs)

    def _proven(self, endpoint: ChainEndpoint, first: int, last: int) -> tuple[list[WireHeader], list[WireLog]]:
        sealed = BlockSealer(endpoint, self.addresses).blocks(first, last)
        headers = [
            WireHeader(
                number=block.header["number"], hash=block.hash, parent_hash=block.parent_hash, timestamp=block.header["timestamp"],
                logs_bloom=block.header["logsBloom"], receipts_root=block.header["receiptsRoot"],
            )
            for block in sealed
        ]  # fmt: skip
        return headers, [_wire_log(block, *log) for block in sealed for log in block.logs]

    def _headers(self, endpoint: ChainEndpoint, numbers: list[int]) -> list[WireHeader | None]:
        headers: list[WireHeader | None] = []
        for start in range(0, len(numbers), _HEADERS_AT_ONCE):
            some = numbers[start : start + _HEADERS_AT_ONCE]
            answers = endpoint.batch([("eth_getBlockByNumber", (hex(number), False)) for number in some])
            headers += [_header(raw, endpoint) for raw in answers]
        return headers


def _settled(by_depth: Head, safe: WireHeader | None, final: WireHeader | None, endpoint: ChainEndpoint) -> Head:
    """What the chain says is settled; where it names no such block, what lies so deep."""
    head = by_depth.number
    final_number = int(final.number, 16) if final else None
    safe_number = int(safe.number, 16) if safe else max(by_depth.safe, final_number or -1)
    if final_number is None:
        final_number = min(by_depth.final, safe_number)
    if not final_number <= safe_number <= head:
        # Believed once it would be believed for ever: what was called final stays so.
        raise ChainMisbehaved(
            f"{endpoint.name} calls block {final_number} final and {safe_number} safe at head {head}; use another endpoint"
        )
    return Head(head, safe_number, final_number)


def _wire_log(block: SealedBlock, index: int, tx_hash: bytes, address: bytes, topics: bytes, data: bytes) -> WireLog:
    return WireLog(
        address="0x" + address.hex(),
        topics=["0x" + topics[at : at + 32].hex() for at in range(0, len(topics), 32)],
        data="0x" + data.hex(),
        block_number=block.header["number"],
        block_hash=block.hash,
        transaction_hash="0x" + tx_hash.hex(),
        log_index=hex(index),
    )


def _header(raw: msgspec.Raw, endpoint: ChainEndpoint) -> WireHeader | None:
    try:
        return parse_header(raw)
    except msgspec.DecodeError as error:
        raise ChainMisbehaved(f"{endpoint.name} answers with something that is no block header: {error}") from error


def _quantity(raw: msgspec.Raw, endpoint: ChainEndpoint) -> int:
    try:
        return parse_quantity(raw)
    except msgspec.DecodeError as error:
        raise ChainMisbehaved(f"{endpoint.name} answers with something that is no quantity") from error
