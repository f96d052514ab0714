"""Receipts and headers as a chain hashes them: what a node says of logs is held against a block's hash.

Receipts of types 0 to 4 (EIP-2718, 2930, 1559, 4844, 7702), with a state root as before Byzantium too. Headers of all forks up to Prague.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from computility.chain.patricia_trie import ListTrie, list_root, value_at
from computility.chain.rlp_encoding import (
    decode_list,
    encode_bytes,
    encode_integer,
    encode_list,
    expect_bytes,
    expect_integer,
)
from computility.chain.wire import ReceiptLog, WireReceipt
from computility.domain.errors import ChainMisbehaved, InvalidProof
from computility.domain.identifiers import Bytes32, bytes32
from computility.domain.keccak import keccak256

_LAST_TYPE: Final = 4
_BLOOM_BYTES: Final = 256
# Names as JSON-RPC has them, in the order of the hash; integers shed their leading zeros.
_HEADER_FIELDS: Final = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", _BLOOM_BYTES),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", -1),
    ("mixHash", 32),
    ("nonce", 8),
)
_LATER_FIELDS: Final = (
    ("baseFeePerGas", None),  # London
    ("withdrawalsRoot", 32),  # Shanghai
    ("blobGasUsed", None),  # Cancun
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),  # Prague
)


@dataclass(frozen=True)
class ProvenHeader:
    """What a header's bytes say, and their hash."""

    hash: Bytes32
    parent_hash: Bytes32
    receipts_root: bytes
    logs_bloom: bytes
    number: int
    timestamp: int


@dataclass(frozen=True)
class ProvenLog:
    """A log inside a receipt. Address (20 bytes), topics and data as they are hashed."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


PlainLog = tuple[bytes, tuple[bytes, ...], bytes]
"""Address, topics and data of a log, where there are many of them."""


@dataclass(frozen=True)
class ProvenReceipt:
    """A receipt as it is hashed."""

    type: int
    succeeded: bool | None
    """None before Byzantium, when receipts did not say."""
    logs: tuple[ProvenLog, ...]


# ---------------------------------------------------------------- from JSON-RPC


def encode_header(block: Mapping[str, Any]) -> bytes:
    """The bytes whose keccak-256 is the block's hash, of an ``eth_getBlockBy…`` answer.

    Raises:
        ChainMisbehaved: a field is missing or ill-formed.
    """
    try:
        parts = [_header_field(block[name], width) for name, width in _HEADER_FIELDS]
        later = [(name, width, block.get(name)) for name, width in _LATER_FIELDS]
        # A fork only adds at the end, so after the first field that is absent there can be no other.
        while later and later[-1][2] is None:
            later.pop()
        parts += [_header_field(value, width) for _, width, value in later]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ChainMisbehaved(f"the chain endpoint answers with something that is no block header: {error}") from error
    return encode_list(parts)


def require_block_hash(block: Mapping[str, Any]) -> bytes:
    """The header's bytes, of an ``eth_getBlockBy…`` answer whose hash is true.

    Raises:
        ChainMisbehaved: the header does not hash to what the answer says.
    """
    encoded = encode_header(block)
    if "0x" + keccak256(encoded).hex() != block.get("hash"):
        raise ChainMisbehaved(f"the header of block {block.get('number')} does not hash to {block.get('hash')}")
    return encoded


def encode_receipt(receipt: Mapping[str, Any] | WireReceipt) -> bytes:
    """The bytes under which the receipts trie keeps a receipt, of an ``eth_getTransactionReceipt`` answer.

    Raises:
        ChainMisbehaved: a field is missing or ill-formed, or its type is unknown.
    """
    try:
        wire = receipt if isinstance(receipt, WireReceipt) else msgspec.convert(receipt, WireReceipt)
        kind = int(wire.type or "0x0", 16)
        status = wire.status
        outcome = _string_hex(wire.root or "", 32) if status is None else encode_integer(int(status, 16)).hex()
        gas = encode_integer(int(wire.cumulative_gas_used, 16)).hex()
        logs = _list_hex("".join([_log_hex(log) for log in wire.logs]))
        # In hex, which is how the parts come: one conversion for all of them.
        body = bytes.fromhex(_list_hex(f"{outcome}{gas}{_string_hex(wire.logs_bloom, _BLOOM_BYTES)}{logs}"))
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError) as error:
        raise ChainMisbehaved(f"the chain endpoint answers with something that is no receipt: {error}") from error
    if not 0 <= kind <= _LAST_TYPE:
        raise ChainMisbehaved(f"a receipt of type {kind} is not known here, only of types 0 to {_LAST_TYPE}")
    return bytes((kind,)) + body if kind else body


def receipts_root(receipts: Sequence[Mapping[str, Any] | WireReceipt]) -> Bytes32:
    """The ``receiptsRoot`` of a block, of all its receipts in the order of its transactions.

    Raises:
        ChainMisbehaved: one is ill-formed.
    """
    return bytes32(list_root([encode_receipt(receipt) for receipt in receipts]))


def receipts_trie(receipts: Sequence[Mapping[str, Any]]) -> ListTrie:
    """The trie of a block's receipts, which proves each of them."""
    return ListTrie([encode_receipt(receipt) for receipt in receipts])


class Bloom:
    """The bits that a value (an address, a topic) sets in a logs bloom (yellow paper, 4.3.1)."""

    def __init__(self, value: bytes) -> None:
        self._mask = _bloom_mask(value)

    def may_be_in(self, bloom: bytes) -> bool:
        """Whether a logs bloom (256 bytes) leaves room for a log that names it: False is certain."""
        return int.from_bytes(bloom, "big") & self._mask == self._mask


def bloom_may_hold(bloom: bytes, *values: bytes) -> bool:
    """Whether a logs bloom (256 bytes) leaves room for a log of all these addresses and topics: False is certain."""
    return all(Bloom(value).may_be_in(bloom) for value in values)


# ---------------------------------------------------------------- from bytes


def parse_header(encoded: bytes) -> ProvenHeader:
    """What a header says.

    Raises:
        InvalidProof: these bytes are no header.
    """
    items = decode_list(encoded)
    if not len(_HEADER_FIELDS) <= len(items) <= len(_HEADER_FIELDS) + len(_LATER_FIELDS):
        raise InvalidProof(f"a block header has {len(_HEADER_FIELDS)} fields and more, not {len(items)}")
    for (name, width), item in zip(_HEADER_FIELDS + _LATER_FIELDS, items, strict=False):
        if width is None:
            expect_integer(item)
        elif width >= 0 and len(expect_bytes(item)) != width:
            raise InvalidProof(f"the field {name} of a block header has {width} bytes")
    named = {name: item for (name, _), item in zip(_HEADER_FIELDS, items, strict=False)}
    return ProvenHeader(
        hash=bytes32(keccak256(encoded)),
        parent_hash=bytes32(expect_bytes(named["parentHash"])),
        receipts_root=expect_bytes(named["receiptsRoot"]),
        logs_bloom=expect_bytes(named["logsBloom"]),
        number=expect_integer(named["number"]),
        timestamp=expect_integer(named["timestamp"]),
    )


def proven_receipt(header: ProvenHeader, index: int, proof: Sequence[bytes]) -> ProvenReceipt:
    """The receipt of transaction ``index`` in this header's block.

    Raises:
        InvalidProof: ``proof`` does not lead from the header's receipts root to a receipt.
    """
    return parse_receipt(value_at(header.receipts_root, index, proof))


def parse_receipt(encoded: bytes) -> ProvenReceipt:
    """What a receipt says.

    Raises:
        InvalidProof: these bytes are no receipt.
    """
    kind = encoded[0] if encoded and encoded[0] <= _LAST_TYPE else 0
    items = decode_list(encoded[1:] if kind else encoded)
    if len(items) != 4:
        raise InvalidProof(f"a receipt has 4 fields, not {len(items)}")
    outcome, logs = expect_bytes(items[0]), items[3]
    if isinstance(logs, bytes):
        raise InvalidProof("a receipt's logs are a list")
    return ProvenReceipt(kind, None if len(outcome) == 32 else outcome == b"\1", tuple(_parse_log(log) for log in logs))


def receipt_logs(encoded: bytes) -> Sequence[PlainLog]:
    """The logs of a receipt: what ``parse_receipt`` has of them, for a quarter of the time.

    Raises:
        InvalidProof: as there.
    """
    try:
        return _usual_logs(encoded)
    except (IndexError, KeyError, _Unusual):
        return [(log.address, log.topics, log.data) for log in parse_receipt(encoded).logs]


# ---------------------------------------------------------------- inside


def _parse_log(item: Any) -> ProvenLog:
    if not isinstance(item, list) or len(item) != 3 or not isinstance(item[1], list):
        raise InvalidProof("a log is an address, topics and data")
    address, topics, data = expect_bytes(item[0]), [expect_bytes(topic) for topic in item[1]], expect_bytes(item[2])
    if len(address) != 20 or any(len(topic) != 32 for topic in topics):
        raise InvalidProof("a log's address has 20 bytes and its topics have 32")
    return ProvenLog(address, tuple(topics), data)


class _Unusual(Exception):  # no error: the way for the usual is not the way for this
    """Not of the form that nearly every receipt has, to the last byte."""


_TOPICS: Final = {b"\xe1\xa0": (1, 1), b"\xf8\x42": (2, 2), b"\xf8\x63": (2, 3), b"\xf8\x84": (2, 4)}
"""The first two bytes of a log's topics → how long the list's head is, and how many there are."""


def _usual_logs(encoded: bytes) -> list[PlainLog]:
    # Whatever is passed over here is held against its one spelling too: both ways accept the same bytes.
    at, end = _usual_list(encoded, 1 if 0 < encoded[0] <= _LAST_TYPE else 0)
    gas = encoded[at + 1]
    if end != len(encoded) or encoded[at] not in (0x01, 0x80) or not 0x82 <= gas <= 0xA0 or not encoded[at + 2]:
        raise _Unusual
    at += gas - 0x80 + 2
    if encoded[at : at + 3] != b"\xb9\x01\x00":
        raise _Unusual
    at, logs_end = _usual_list(encoded, at + 3 + _BLOOM_BYTES)
    if logs_end != end:
        raise _Unusual
    logs: list[PlainLog] = []
    while at < end:
        at, log_end = _usual_list(encoded, at)
        topics_at = at + 21
        head, count = _TOPICS[encoded[topics_at : topics_at + 2]]
        first = topics_at + head
        data_at = first + 33 * count
        if encoded[at] != 0x94 or encoded[first:data_at:33] != b"\xa0" * count:
            raise _Unusual
        topics = tuple([encoded[topic : topic + 32] for topic in range(first + 1, data_at, 33)])
        size = encoded[data_at]
        if size == 0xB8:
            start, length, least = data_at + 2, encoded[data_at + 1], 56
        elif size == 0xB9:
            start, length, least = data_at + 3, encoded[data_at + 1] << 8 | encoded[data_at + 2], 256
        else:
            start, length, least = data_at + 1, size - 0x80, 0
        if start + length != log_end or length < least or length == 1 or (not least and length > 55):
            raise _Unusual
        logs.append((encoded[at + 1 : topics_at], topics, encoded[start:log_end]))
        at = log_end
    return logs


def _usual_list(encoded: bytes, at: int) -> tuple[int, int]:
    first = encoded[at]
    if first == 0xF9:
        start, length, least = at + 3, encoded[at + 1] << 8 | encoded[at + 2], 256
    elif first == 0xF8:
        start, length, least = at + 2, encoded[at + 1], 56
    else:
        start, length, least = at + 1, first - 0xC0, 0
    end = start + length
    if length < least or end > len(encoded) or (not least and length > 55):
        raise _Unusual
    return start, end


def _log_hex(log: ReceiptLog) -> str:
    topics = "".join([_string_hex(topic, 32) for topic in log.topics])
    return _list_hex(_string_hex(log.address, 20) + _list_hex(topics) + _string_hex(log.data))


def _string_hex(value: str, width: int | None = None) -> str:
    """The RLP, in hex, of a string of bytes that comes as 0x hex."""
    length = len(value) - 2 >> 1
    if value[:2] != "0x" or len(value) & 1 or (width is not None and length != width):
        raise ValueError(f"{value[:80]!r} is no 0x hex of {'whole bytes' if width is None else f'{width} bytes'}")
    if length < 56:
        if length == 1:
            return encode_bytes(bytes.fromhex(value[2:])).hex()
        return f"{0x80 + length:02x}{value[2:]}"
    size = length.bit_length() + 7 >> 3
    return f"{0xB7 + size:02x}{length:0{2 * size}x}{value[2:]}"


def _list_hex(payload: str) -> str:
    length = len(payload) >> 1
    if length < 56:
        return f"{0xC0 + length:02x}{payload}"
    size = length.bit_length() + 7 >> 3
    return f"{0xF7 + size:02x}{length:0{2 * size}x}{payload}"


def _header_field(value: Any, width: int | None) -> bytes:
    if width is None:
        return encode_integer(int(value, 16))
    return encode_bytes(_raw(value, width if width >= 0 else None))


def _raw(value: str, width: int | None = None) -> bytes:
    if value[:2] != "0x":
        raise ValueError(f"{value[:40]!r} is no 0x hex")
    raw = bytes.fromhex(value[2:])
    if width is not None and len(raw) != width:
        raise ValueError(f"{value[:80]} has {len(raw)} bytes, not {width}")
    return raw


def _bloom_mask(value: bytes) -> int:
    digest = keccak256(value)
    mask = 0
    for at in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return mask
