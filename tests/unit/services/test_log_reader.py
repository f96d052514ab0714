"""What a reader makes of an endpoint's logs is what the logs say, byte by byte; what does not fit its block, or is no log, is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.unit.chain.test_event_decoders import EVENTS, encoded, random_value

from computility.chain.deployments import Deployments, Generation
from computility.chain.wire import UnreadLogs, WireHeader, WireLog
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import EVENTS_BY_CONTRACT, Event, JobOpened, JobPaid
from computility.domain.identifiers import Address, Bytes32
from computility.domain.logs_digest import digest_of, digested
from computility.domain.packed_logs import unpacked_logs
from computility.services.contract_directory import ContractDirectory
from computility.services.incoming import Head, Incoming, IncomingBlock, LogReader
from computility.services.log_kinds import LogKinds

CONTRACTS = {name: Address(f"0x{number:040x}") for number, name in enumerate(EVENTS_BY_CONTRACT, 0xC0DE)}
DIRECTORY = ContractDirectory(
    Deployments(31_337, (Generation(1, 0, Bytes32("0x" + "00" * 32), 0, {"CreditScores": Address("0x" + "5c" * 20)} | CONTRACTS),))
)  # fmt: skip
KINDS = LogKinds(DIRECTORY)
FIRST = 7
UNKNOWN = "0x" + "ee" * 32


def hash_of(number: int) -> str:
    return "0x" + f"{number:02x}" * 32


HEADERS = [
    WireHeader(number=hex(number), hash=hash_of(number), parent_hash=hash_of(number - 1), timestamp=hex(1_790_000_000 + number),
               logs_bloom="0x", receipts_root="0x")
    for number in (FIRST, FIRST + 1)
]  # fmt: skip


def log_of(event: type[Event], contract: str, index: int, chance: random.Random, **changed: Any) -> WireLog:
    topics, data = encoded(event, {field.name: random_value(field.type, chance) for field in event.EVENT.fields})
    said: dict[str, Any] = {
        "address": CONTRACTS[contract],
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
        "block_number": hex(FIRST),
        "block_hash": hash_of(FIRST),
        "transaction_hash": "0x" + chance.randbytes(32).hex(),
        "log_index": hex(index),
    }
    return WireLog(**said | changed)


def some_logs(count: int = 6) -> list[WireLog]:
    """Of both blocks, in order."""
    chance = random.Random(3)  # reproducible on purpose
    events = [JobOpened, JobPaid]
    return [
        log_of(events[index % 2], "JobEscrow", index, chance, block_number=hex(number), block_hash=hash_of(number))
        for number in (FIRST, FIRST + 1)
        for index in range(count // 2)
    ]


def changed(log: WireLog, **fields: Any) -> WireLog:
    return msgspec.structs.replace(log, **fields)


def read(logs: list[WireLog]) -> Incoming:
    return LogReader(KINDS).incoming(HEADERS, logs, Head(FIRST + 1, -1, -1), "the endpoint")


def digest_by_hand(logs: list[WireLog]) -> bytes:
    return digest_of(
        digested(
            int(log.log_index, 16),
            bytes.fromhex(log.transaction_hash[2:]),
            bytes.fromhex(log.address[2:]),
            b"".join(bytes.fromhex(topic[2:]) for topic in log.topics),
            bytes.fromhex(log.data[2:]),
        )
        for log in logs
    )


def contents(block: IncomingBlock) -> tuple[Any, ...]:
    return block.digest, block.logs(), [KINDS.numbered[kind].event for kind in block.kinds]


def test_logs_of_every_event__are_packed_as_they_are() -> None:
    chance = random.Random(5)  # reproducible on purpose
    logs = [log_of(event, contract, index, chance) for index, (contract, event) in enumerate(EVENTS * 3)]
    found = read(logs)
    block, empty = found.blocks
    assert found.received == len(logs)
    assert [(KINDS.numbered[kind].contract, KINDS.numbered[kind].event) for kind in block.kinds] == EVENTS * 3
    assert list(unpacked_logs(block.packed)) == [
        (
            index,
            bytes.fromhex(log.transaction_hash[2:]),
            bytes.fromhex(log.address[2:]),
            bytes.fromhex("".join(topic[2:] for topic in log.topics)),
            bytes.fromhex(log.data[2:]),
        )
        for index, log in enumerate(logs)
    ]
    assert block.digest == digest_by_hand(logs)
    assert (empty.digest, empty.packed, list(empty.kinds)) == (None, b"", [])


def test_a_log_of_an_event_that_is_not_known__is_digested_and_not_kept() -> None:
    first, second, third = some_logs()[:3]
    nameless = changed(second, topics=[], data="0x")
    for stranger in (changed(second, topics=[UNKNOWN]), changed(second, topics=[UNKNOWN] * 4, data="0xabcd"), nameless):
        logs = [first, stranger, third]
        block = read(logs).first
        assert [index for index, *_ in block.logs()] == [0, 2]
        assert block.logs() == [read([first]).first.logs()[0], read([third]).first.logs()[0]]
        assert block.digest == digest_by_hand(logs)
    alone = read([nameless])
    assert (alone.events, alone.first.logs(), alone.first.digest) == (0, [], digest_by_hand([nameless]))


def test_logs_in_any_order__are_put_in_theirs() -> None:
    logs = some_logs(12)
    in_order = [contents(block) for block in read(logs).blocks]
    for seed in range(20):
        shuffled = random.Random(seed).sample(logs, len(logs))
        assert [contents(block) for block in read(shuffled).blocks] == in_order


def test_another_spelling_of_a_first_topic__hides_no_event() -> None:
    # The digest would be the true one, and so the block would be proven, without what is not folded.
    log = some_logs()[0]
    first, *more = log.topics
    for spelt in ("0x" + first[2:].upper(), first[2:]):
        assert contents(read([changed(log, topics=[spelt, *more])]).first) == contents(read([log]).first)


def shifted(logs: list[WireLog]) -> list[WireLog]:
    """The same digits in a row, but for where a log ends: the byte that one lacks the next one has."""
    first, second, *others = logs
    return [changed(first, data=first.data[:-2]), changed(second, data=second.data + "00"), *others]


def of_half_bytes(logs: list[WireLog]) -> list[WireLog]:
    """Two whose halves of a byte make one."""
    first, second, *others = logs
    return [
        changed(first, topics=[UNKNOWN], data="0xabc"),
        changed(second, topics=[UNKNOWN], data="0xabc"),
        *others,
    ]


def first_one(**fields: Any) -> Callable[[list[WireLog]], list[WireLog]]:
    return lambda logs: [changed(logs[0], **fields), *logs[1:]]


def its_topics(change: Callable[[list[str]], list[str]]) -> Callable[[list[WireLog]], list[WireLog]]:
    return lambda logs: [changed(logs[0], topics=change(logs[0].topics)), *logs[1:]]


def its_data(change: Callable[[str], str]) -> Callable[[list[WireLog]], list[WireLog]]:
    return lambda logs: [changed(logs[0], data=change(logs[0].data)), *logs[1:]]


NO_LOGS: dict[str, tuple[Callable[[list[WireLog]], list[WireLog]], str]] = {
    "a removed log": (first_one(removed=True), "a removed log"),
    "of another block at its height": (first_one(block_hash=UNKNOWN), "not on its chain"),
    "of a block that was not asked for": (first_one(block_number=hex(FIRST + 2)), "not on its chain"),
    "of a block whose number is spelt otherwise": (first_one(block_number=f"0x0{FIRST:x}"), "not on its chain"),
    "of a foreign contract": (first_one(address="0x" + "11" * 20), "was not asked for"),
    "of no contract": (first_one(address=""), "was not asked for"),
    "of no transaction": (first_one(transaction_hash=""), "no transaction"),
    "of a transaction with a short hash": (first_one(transaction_hash="0x" + "ab" * 31), "no transaction"),
    "of a transaction whose hash has no 0x": (first_one(transaction_hash="ab" * 32), "no transaction"),
    "with data that has no 0x": (its_data(lambda data: data[2:]), "bytes of data, not"),
    "of a transaction whose hash has a blank": (first_one(transaction_hash="0x" + "ab" * 31 + " a"), "no log"),
    "one log twice": (lambda logs: [*logs, logs[-1]], "one log twice"),
    "one log twice, spelt otherwise": (lambda logs: [*logs, changed(logs[-1], log_index="0x0" + logs[-1].log_index[2:])], "one log twice"),
    "at no place": (first_one(log_index=""), "no log"),
    "before the first place": (first_one(log_index="-0x1"), "so many logs"),
    "at a place too high": (first_one(log_index="0x1" + "0" * 8), "so many logs"),
    "without a topic of its event": (its_topics(lambda topics: topics[:-1]), "of 3 topics, not 4"),
    "with a topic too many": (its_topics(lambda topics: [*topics, UNKNOWN]), "four topics at most"),
    "of no event, with five topics": (its_topics(lambda topics: [UNKNOWN] * 5), "four topics at most"),
    "of no event, with a short topic": (its_topics(lambda topics: [UNKNOWN[:-2]]), "32 bytes"),
    "with a short topic": (its_topics(lambda topics: [*topics[:-1], topics[-1][:-2]]), "not 32 bytes"),
    "with a byte of one topic in the next": (
        its_topics(lambda topics: [*topics[:-2], topics[-2][:-2], topics[-1] + topics[-2][-2:]]), "not 32 bytes"
    ),
    "with a topic of an account that is too wide": (its_topics(lambda topics: [*topics[:-1], UNKNOWN]), "does not fit its type"),
    "with data cut short": (its_data(lambda data: data[:-64]), "bytes of data, not"),
    "with data too long": (its_data(lambda data: data + "00" * 32), "bytes of data, not"),
    "with a word too wide": (its_data(lambda data: "0x" + "ff" * 32 + data[66:]), "does not fit its type"),
    "with data that is no hex": (its_data(lambda data: data[:-1] + "g"), "no log"),
    "with data that has blanks": (its_data(lambda data: data[:-2] + "  "), "no log"),
    "with data that is no text of hex": (its_data(lambda data: data[:-1] + "é"), "no log"),
    "a byte of one in the next": (shifted, "bytes of data, not"),
    "half a byte each": (of_half_bytes, "whole bytes"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_LOGS)
def test_what_is_no_log_of_its_block__is_refused(kind: str) -> None:
    change, why = NO_LOGS[kind]
    logs = some_logs()
    read(logs)
    with pytest.raises(ChainMisbehaved, match=why):
        read(change(logs))


def test_words_that_only_the_last_log_has_wrong__are_found_too() -> None:
    logs = some_logs()
    last = logs[-1]
    with pytest.raises(ChainMisbehaved, match="does not fit its type"):
        read([*logs[:-1], changed(last, data=last.data[:66] + "ff" * 32 + last.data[130:])])


def test_logs_as_they_came__are_those_that_they_say() -> None:
    logs = some_logs()
    unread = UnreadLogs([msgspec.Raw(msgspec.json.encode(log)) for log in logs])
    reader = LogReader(KINDS)
    head = Head(FIRST + 1, -1, -1)
    assert reader.incoming(HEADERS, unread, head, "the endpoint") == read(logs)
    with pytest.raises(ChainMisbehaved, match=r"no log: .*missing required field"):
        reader.incoming(HEADERS, UnreadLogs([msgspec.Raw(b'{"hello":"there"}')]), head, "the endpoint")
