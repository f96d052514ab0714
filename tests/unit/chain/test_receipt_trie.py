"""The quick way to a receipt's logs accepts what the strict one accepts, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computility.chain.receipt_trie import parse_receipt, receipt_logs
from computility.chain.rlp_encoding import encode
from computility.domain.errors import InvalidProof

LOGS = st.tuples(
    st.binary(min_size=20, max_size=20),
    st.lists(st.binary(min_size=32, max_size=32), max_size=4),
    st.one_of(st.binary(max_size=3), st.binary(min_size=50, max_size=60), st.binary(min_size=250, max_size=300)),
)
RECEIPTS = st.builds(
    lambda kind, outcome, gas, bloom, logs: (
        kind + encode([outcome, gas, bloom, [[address, [*topics], data] for address, topics, data in logs]])
    ),
    st.sampled_from([b"", b"\1", b"\2", b"\3", b"\4"]),
    st.sampled_from([b"\1", b"", b"\7" * 32]),
    st.integers(0, 2**40).map(lambda gas: gas.to_bytes((gas.bit_length() + 7) // 8, "big")),
    st.binary(min_size=256, max_size=256),
    st.lists(LOGS, max_size=4),
)


def outcome_of(read: Callable[[bytes], Any], encoded: bytes) -> Any:
    try:
        return read(encoded)
    except InvalidProof as error:
        return str(error)


def strictly(encoded: bytes) -> Any:
    return [(log.address, log.topics, log.data) for log in parse_receipt(encoded).logs]


@given(RECEIPTS)
@settings(deadline=None)
def test_logs_of_a_receipt__are_those_of_the_strict_parser(encoded: bytes) -> None:
    assert outcome_of(receipt_logs, encoded) == strictly(encoded)


@given(RECEIPTS, st.data())
@settings(max_examples=200, deadline=None)
def test_a_receipt_with_a_byte_changed_added_or_missing__is_read_or_refused_as_the_strict_parser_does(
    encoded: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(encoded) - 1))
    spoilt = encoded[:at] + data.draw(st.binary(max_size=2)) + encoded[at + 1 :]
    assert outcome_of(receipt_logs, spoilt) == outcome_of(strictly, spoilt)


@pytest.mark.parametrize("encoded", [b"", b"\1", b"\xc0", b"\xf9", b"\xf9\x01"])
def test_what_is_no_receipt__is_refused(encoded: bytes) -> None:
    with pytest.raises(InvalidProof):
        receipt_logs(encoded)
