"""The generated decoders say what ``eth_abi`` says, of random events of every kind, and refuse what no contract writes."""

from __future__ import annotations

import random
from typing import Any

import eth_abi
import pytest

from computility.chain.artifacts import artifact
from computility.chain.event_decoders import Decoder, checker_of, decoder_of, sparing_decoder_of, words_length
from computility.chain.log_decoding import decode_log
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import EVENTS_BY_CONTRACT, Event, EventField
from computility.domain.terms import Terms

EVENTS = [(contract, event) for contract, events in EVENTS_BY_CONTRACT.items() for event in events]
NAMES = [f"{contract}.{event.__name__}" for contract, event in EVENTS]


def abi_type(field: EventField) -> str:
    return f"({','.join(member.type for member in Terms.STRUCT.fields)})" if field.type == "Terms" else field.type


def random_value(declared: str, chance: random.Random) -> Any:
    if declared == "Terms":
        return tuple(random_value(member.type, chance) for member in Terms.STRUCT.fields)
    if declared.endswith("]"):
        element, _, length = declared[:-1].partition("[")
        return tuple(random_value(element, chance) for _ in range(int(length)))
    if declared == "address":
        return "0x" + chance.randbytes(20).hex()
    if declared == "bytes32":
        return chance.randbytes(32)
    if declared == "bool":
        return chance.random() < 0.5
    if declared == "bytes":
        return chance.randbytes(chance.randrange(100))
    if declared == "string":
        return "".join(chance.choice("aé雪 ") for _ in range(chance.randrange(40)))
    bits = int(declared.removeprefix("uint"))
    return chance.choice((0, 1, 2**bits - 1, chance.getrandbits(bits)))


def as_decoded(field: EventField, value: Any) -> Any:
    """A value of eth_abi's as our events spell it."""
    if field.type == "Terms":
        members = (EventField(member.type, False, member.name) for member in Terms.STRUCT.fields)
        return Terms(*(as_decoded(member, part) for member, part in zip(members, value, strict=True)))
    if field.type == "bytes32":
        return "0x" + value.hex()
    if field.type == "address":
        return value.lower()
    return value


def encoded(event: type[Event], values: dict[str, Any]) -> tuple[tuple[bytes, ...], bytes]:
    topics = [bytes.fromhex(event.EVENT.topic[2:])]
    topics += [eth_abi.encode([field.type], [values[field.name]]) for field in event.EVENT.indexed]
    data = eth_abi.encode([abi_type(field) for field in event.EVENT.data], [values[f.name] for f in event.EVENT.data])
    return tuple(topics), data


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=NAMES)
def test_random_events__are_what_eth_abi_says(contract: str, event: type[Event]) -> None:
    chance = random.Random(event.__name__)  # reproducible on purpose
    for _ in range(50):
        values = {field.name: random_value(field.type, chance) for field in event.EVENT.fields}
        topics, data = encoded(event, values)
        decoded = decode_log(contract, topics, data)
        told = dict(
            zip(
                [f.name for f in event.EVENT.data],
                eth_abi.decode([abi_type(f) for f in event.EVENT.data], data),
                strict=True,
            )
        )
        told |= {
            field.name: eth_abi.decode([field.type], topic)[0]
            for field, topic in zip(event.EVENT.indexed, topics[1:], strict=True)
        }
        assert type(decoded) is event
        for field in event.EVENT.fields:
            found = getattr(decoded, field.python_name)
            assert (found.lower() if field.type == "address" else found) == as_decoded(field, told[field.name]), (
                field.name
            )


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=NAMES)
def test_words_of_another_form__are_refused(contract: str, event: type[Event]) -> None:
    chance = random.Random(7)  # reproducible on purpose
    topics, data = encoded(event, {field.name: random_value(field.type, chance) for field in event.EVENT.fields})
    with pytest.raises(ChainMisbehaved):
        decode_log(contract, topics, data + bytes(32))
    with pytest.raises(ChainMisbehaved):
        decode_log(contract, (*topics, bytes(32)), data)
    for at, field in enumerate(event.EVENT.indexed, 1):
        if field.type not in ("bytes32", "uint256"):
            with pytest.raises(ChainMisbehaved, match="does not fit"):
                decode_log(contract, (*topics[:at], b"\xff" + topics[at][1:], *topics[at + 1 :]), data)


def test_text_that_is_no_utf_8__is_read_as_far_as_it_goes() -> None:
    event = next(event for _, event in EVENTS if event.EVENT.name == "Evidence")
    topics = [bytes.fromhex(event.EVENT.topic[2:]), bytes(32), bytes(31) + b"\7", bytes(32)]
    decoded = decode_log("Arbitration", tuple(topics), eth_abi.encode(["bytes"], [b"ipfs://\xff\xfe"]))
    assert decoded is not None
    assert decoded.to_json()["evidence"] == "ipfs://\ufffd\ufffd"


def test_a_value_of_no_fixed_width__is_read_where_eth_abi_would_write_it_or_not_at_all() -> None:
    chance = random.Random(11)  # reproducible on purpose
    for contract, event in [pair for pair in EVENTS if {"bytes", "string"} & {f.type for f in pair[1].EVENT.fields}]:
        types = ["bytes" if field.type == "string" else field.type for field in event.EVENT.data]
        for length in (0, 1, 31, 32, 33, 64, 100):
            values = {field.name: random_value(field.type, chance) for field in event.EVENT.fields}
            values |= {
                f.name: "x" * length if f.type == "string" else b"x" * length
                for f in event.EVENT.data
                if f.type in ("bytes", "string")
            }
            topics, data = encoded(event, values)
            decoded = decode_log(contract, topics, data)
            assert [getattr(decoded, f.python_name) for f in event.EVENT.data if f.type in ("bytes", "string")] == [
                values[f.name] for f in event.EVENT.data if f.type in ("bytes", "string")
            ]
            for spoilt in (
                *(_with_a_bit_of_another_value(data, chance) for _ in range(200)),
                data[:-1],
                data[:-32],
                b"",
            ):
                assert _is_refused(decoder_of(event), b"".join((*topics[1:], spoilt))) == (
                    not _is_canonical(types, spoilt)
                )


def _with_a_bit_of_another_value(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _is_canonical(types: list[str], data: bytes) -> bool:
    try:
        return eth_abi.encode(types, eth_abi.decode(types, data)) == data
    except (eth_abi.exceptions.DecodingError, OverflowError, ValueError):
        return False


@pytest.mark.parametrize("contract", EVENTS_BY_CONTRACT)
def test_declarations__are_the_contracts_own(contract: str) -> None:
    in_abi = {entry["name"]: entry for entry in artifact(contract).abi if entry["type"] == "event"}
    for event in EVENTS_BY_CONTRACT[contract]:
        entry = in_abi[event.EVENT.name]
        assert [(part["name"], part["indexed"]) for part in entry["inputs"]] == [
            (field.name, field.indexed) for field in event.EVENT.fields
        ]


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=NAMES)
def test_a_decoder_of_some_fields__has_those_as_the_whole_one_and_refuses_what_it_refuses(
    contract: str, event: type[Event]
) -> None:
    chance = random.Random(event.__name__)  # reproducible on purpose
    fields = [field.python_name for field in event.EVENT.fields]
    wanted = set(fields[::2]) | {"terms.payer", "terms.unit_price"}
    decode, spare = decoder_of(event), sparing_decoder_of(event, wanted)
    for _ in range(20):
        topics, data = encoded(event, {field.name: random_value(field.type, chance) for field in event.EVENT.fields})
        words = b"".join((*topics[1:], data))
        whole, some = decode(words), spare(words)
        for name in wanted & {field for field in fields if field != "terms"}:
            assert getattr(some, name) == getattr(whole, name)
        if "terms" in fields:
            assert (some.terms.payer, some.terms.unit_price) == (whole.terms.payer, whole.terms.unit_price)
        for spoilt in (words[:-1], b"\xff" * len(words)):
            assert _is_refused(decode, spoilt) == _is_refused(spare, spoilt)
        assert _is_refused(spare, words[:-1])


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=NAMES)
def test_a_checker__refuses_what_the_decoder_refuses(contract: str, event: type[Event]) -> None:
    chance = random.Random(event.__name__)  # reproducible on purpose
    decode, check, length = decoder_of(event), checker_of(event), words_length(event)

    def is_refused(words: bytes) -> bool:
        try:
            return check(b"before" + words + b"behind", 6, 6 + len(words)) is None
        except ChainMisbehaved:
            return True

    for _ in range(20):
        topics, data = encoded(event, {field.name: random_value(field.type, chance) for field in event.EVENT.fields})
        words = b"".join((*topics[1:], data))
        assert length in (None, len(words))
        assert not is_refused(words)
        spoilt = [_with_a_bit_of_another_value(words, chance) for _ in range(50)]
        for each in (*spoilt, words[:-1], words[:-32], words + bytes(32), b"\n" * len(words)):
            assert is_refused(each) == _is_refused(decode, each)


def _is_refused(decode: Decoder, words: bytes) -> bool:
    try:
        decode(words)
    except ChainMisbehaved:
        return True
    return False
