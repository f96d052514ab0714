"""Ratings: signed by the verifier that they name, and valid for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_keys.datatypes import PrivateKey

from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import SignerMismatch, StatementExpired
from computility.domain.identifiers import Address, Bytes32, parse_address
from computility.domain.rating import Rating, check_rating
from computility.domain.signature import sign_digest

KEY = PrivateKey(b"\x01" * 32)
DOMAIN = Eip712Domain(31337, Address("0x" + "22" * 20))
RATING = Rating(
    verifier=parse_address(KEY.public_key.to_address()),
    provider=Address("0x" + "11" * 20),
    resource=Bytes32("0x" + "33" * 32),
    attribute="int8-gemm",
    value=123_456,
    devices=2,
    evidence=Bytes32("0x" + "44" * 32),
    measured_at=1_000,
    valid_until=2_000,
)
SIGNATURE = sign_digest(RATING.digest(DOMAIN), KEY.to_bytes())


@pytest.mark.parametrize("now", [1_000, 2_000])
def test_check_rating__signed_and_in_its_time__holds(now: int) -> None:
    check_rating(RATING, SIGNATURE, DOMAIN, now)


@pytest.mark.parametrize("now", [999, 2_001])
def test_check_rating__out_of_its_time__is_refused(now: int) -> None:
    with pytest.raises(StatementExpired, match="1000 to 2000"):
        check_rating(RATING, SIGNATURE, DOMAIN, now)


def test_check_rating__with_another_value_than_was_signed__is_refused() -> None:
    with pytest.raises(SignerMismatch):
        check_rating(replace(RATING, value=999_999_999), SIGNATURE, DOMAIN, 1_500)
