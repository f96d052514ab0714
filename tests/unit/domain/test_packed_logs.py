"""A block's logs as one string of bytes are the logs again, and what the block's digest binds."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.errors import StoreError
from computility.domain.logs_digest import digest_of, digested
from computility.domain.packed_logs import (
    FORMAT,
    PackedLog,
    compressed,
    expanded,
    packed_logs,
    some_unpacked,
    unpacked_logs,
)

LOGS = st.lists(
    st.tuples(
        st.integers(0, 2**32 - 1),
        st.binary(min_size=32, max_size=32),
        st.binary(min_size=20, max_size=20),
        st.integers(0, 4).flatmap(lambda words: st.binary(min_size=32 * words, max_size=32 * words)),
        st.binary(max_size=300),
    ),
    unique_by=lambda log: log[0],
    max_size=8,
).map(sorted)


def packed(logs: list[PackedLog]) -> bytes:
    return packed_logs(digested(*log) for log in logs)


@given(LOGS)
def test_packed_logs__come_back_as_they_were(logs: list[PackedLog]) -> None:
    assert list(unpacked_logs(packed(logs))) == logs


@given(LOGS, st.data())
def test_some_of_them__are_those_that_were_asked_for(logs: list[PackedLog], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.sampled_from([log[0] for log in logs]))) if logs else set()
    assert list(some_unpacked(packed(logs), wanted)) == [log for log in logs if log[0] in wanted]


@given(LOGS)
def test_compressed_ones__are_the_same_logs(logs: list[PackedLog]) -> None:
    raw = packed(logs)
    assert list(unpacked_logs(compressed(raw))) == logs
    assert expanded(compressed(raw)) == expanded(raw) == raw


@given(LOGS.filter(bool))
def test_logs_in_the_words_of_a_contract__take_less_than_half_of_the_room(logs: list[PackedLog]) -> None:
    padded = [(index, tx_hash, address, topics, bytes(700) + data) for index, tx_hash, address, topics, data in logs]
    assert len(compressed(packed(padded))) < len(packed(padded)) / 2


@given(LOGS.filter(bool), st.integers(min_value=1))
def test_compressed_logs_that_are_cut_short_or_go_on__are_refused(logs: list[PackedLog], cut: int) -> None:
    raw = compressed(packed(logs))
    for wrong in (raw[: 1 + cut % (len(raw) - 1)], raw + b"\0"):
        with pytest.raises(StoreError, match="cut short"):
            list(unpacked_logs(wrong))


def test_a_frame_that_says_it_is_larger_than_any_block__is_not_expanded() -> None:
    frame = bytearray(compressed(packed([(0, bytes(32), bytes(20), b"", bytes(300))])))
    # The frame's header: four bytes of magic, the descriptor, and here two bytes of content size; made eight that say 2^40.
    assert frame[1:5] == b"\x28\xb5\x2f\xfd"
    assert frame[5] >> 6 == 1
    forged = bytes([*frame[:5], frame[5] | 0xC0, *(1 << 40).to_bytes(8, "little"), *frame[8:]])
    with pytest.raises(StoreError, match="larger than any"):
        list(unpacked_logs(forged))


@given(LOGS)
def test_what_follows_the_first_byte__is_what_the_digest_binds(logs: list[PackedLog]) -> None:
    raw = packed(logs)
    assert raw[:1] == FORMAT
    assert digest_of(digested(*log) for log in logs) == blake2b(raw[1:], digest_size=16).digest()


@given(LOGS.filter(bool), st.integers(min_value=1))
def test_logs_that_are_cut_short__are_refused(logs: list[PackedLog], cut: int) -> None:
    raw = packed(logs)
    last = len(packed(logs[-1:])) - 1
    with pytest.raises(StoreError, match="cut short"):
        list(unpacked_logs(raw[: -(1 + cut % (last - 1))]))


@pytest.mark.parametrize("raw", [b"", b"\x03", b"\x00" * 70])
def test_another_format__is_refused(raw: bytes) -> None:
    with pytest.raises(StoreError, match="newest version"):
        list(unpacked_logs(raw))
