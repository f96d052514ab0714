"""Our spelling of addresses is EIP-55, as another implementation has it."""

from __future__ import annotations

import pytest
from eth_utils.address import is_checksum_address, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.errors import InvalidIdentifier
from computility.domain.identifiers import address_from_bytes, parse_address


@given(st.binary(min_size=20, max_size=20))
def test_an_address__is_spelled_as_another_implementation_spells_it(raw: bytes) -> None:
    assert address_from_bytes(raw) == to_checksum_address(raw)
    assert parse_address("0x" + raw.hex()) == parse_address("0x" + raw.hex().upper()) == to_checksum_address(raw)


@given(st.binary(min_size=20, max_size=20), st.integers(2, 41))
def test_an_address_with_one_letter_in_the_other_case__is_refused(raw: bytes, at: int) -> None:
    spelled = to_checksum_address(raw)
    other = spelled[:at] + spelled[at].swapcase() + spelled[at + 1 :]
    if is_checksum_address(other) or other[2:] in (other[2:].lower(), other[2:].upper()):
        assert parse_address(other) == spelled
    else:
        with pytest.raises(InvalidIdentifier, match="checksum"):
            parse_address(other)
