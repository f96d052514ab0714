"""What an endpoint's answers look like on the wire, as msgspec structs: only the fields that the ledger needs are read, all others are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Generic, TypeVar

import msgspec

Result = TypeVar("Result")

Quantity = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{1,15}\Z")]
"""A number that is not negative and fits the store's columns."""
Hash = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
"""In small letters: hashes are compared as text."""


class RpcFault(msgspec.Struct, gc=False):
    """The error of an answer."""

    code: int = 0
    message: str = "no message"


class RpcAnswer(msgspec.Struct, Generic[Result], gc=False):
    """One answer. Its result is text for as long as it is not known what it should be."""

    id: int | str | None = None
    result: Result | msgspec.UnsetType = msgspec.UNSET
    error: RpcFault | None = None


RpcAnswers = list[RpcAnswer[Result]] | RpcAnswer[Result]
"""Of a batch, or the one of a call."""


class WireLog(msgspec.Struct, gc=False, rename="camel"):
    """A log of ``eth_getLogs`` or of a receipt. Numbers and bytes are 0x hex."""

    address: str
    topics: list[str]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    removed: bool = False


class WireHeader(msgspec.Struct, gc=False, rename="camel"):
    """A block header. What the ledger reckons with is well formed, or the header is none."""

    number: Quantity
    hash: Hash
    parent_hash: Hash
    timestamp: Quantity
    logs_bloom: str
    receipts_root: str
    transactions: list[str] = []


class ReceiptLog(msgspec.Struct, gc=False):
    """Of a log inside a receipt, what is hashed."""

    address: str
    topics: list[str]
    data: str


class WireReceipt(msgspec.Struct, gc=False, rename="camel"):
    """Of a receipt, what is hashed, and whose it is. ``root`` stands where ``status`` does, before Byzantium."""

    cumulative_gas_used: str
    logs_bloom: str
    logs: list[ReceiptLog]
    transaction_hash: str = ""
    type: str | None = None
    status: str | None = None
    root: str | None = None


class UnreadLogs:
    """Logs of an answer, each of which is parsed when its turn comes: then it is still in the processor's caches when it is looked at.

    Iterating raises ``msgspec.DecodeError`` at one that is no mined log.
    """

    def __init__(self, raw: list[msgspec.Raw]) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    def __iter__(self) -> Iterator[WireLog]:
        return map(_LOG.decode, self._raw)


RangeResult = list[msgspec.Raw] | WireHeader | None
"""Logs, or a header."""


def parse_answers(body: bytes) -> RpcAnswers[msgspec.Raw]:
    """The answers of a batch, or the one answer of a call.

    Raises:
        msgspec.DecodeError: no JSON, or no JSON-RPC.
    """
    answers: RpcAnswers[msgspec.Raw] = _decoded(_ANSWERS.decode, body)
    return answers


def parse_range_answers(body: bytes) -> RpcAnswers[RangeResult]:
    """As ``parse_answers``, where logs and headers were asked for.

    Raises:
        msgspec.DecodeError: also where a result is neither.
    """
    answers: RpcAnswers[RangeResult] = _decoded(_RANGE_ANSWERS.decode, body)
    return answers


def parse_header(raw: msgspec.Raw) -> WireHeader | None:
    """A header from a result; None where the chain has no such block.

    Raises:
        msgspec.DecodeError: it is no header.
    """
    header: WireHeader | None = _decoded(_HEADER.decode, raw)
    return header


def parse_quantity(raw: msgspec.Raw) -> int:
    """A number from a result.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return int(_decoded(_QUANTITY.decode, raw), 16)


def parse_receipts(raw: msgspec.Raw) -> list[WireReceipt]:
    """Receipts from a result.

    Raises:
        msgspec.DecodeError: it is no list of receipts.
    """
    return _decoded(_RECEIPTS.decode, raw)


def parse_receipt_of(raw: msgspec.Raw) -> WireReceipt:
    """A receipt from a result.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _decoded(_RECEIPT.decode, raw)


def _decoded(decode: Callable[[bytes | msgspec.Raw], Result], raw: bytes | msgspec.Raw) -> Result:
    try:
        return decode(raw)
    except (UnicodeDecodeError, RecursionError) as error:
        # As much the endpoint's fault as any other answer that is none: another one is asked then.
        raise msgspec.DecodeError(f"JSON cannot be read: {error}") from error


_ANSWERS = msgspec.json.Decoder(list[RpcAnswer[msgspec.Raw]] | RpcAnswer[msgspec.Raw])
_RANGE_ANSWERS = msgspec.json.Decoder(list[RpcAnswer[RangeResult]] | RpcAnswer[RangeResult])
_QUANTITY = msgspec.json.Decoder(Quantity)
_LOG = msgspec.json.Decoder(WireLog)
_RECEIPTS = msgspec.json.Decoder(list[WireReceipt])
_RECEIPT = msgspec.json.Decoder(WireReceipt)
_HEADER = msgspec.json.Decoder(WireHeader | None)
