"""Typed messages: what they take, what they refuse, and how they travel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from computility.domain.attestation import Attestation, Verdict
from computility.domain.eip712 import Eip712Domain, Message, StructType
from computility.domain.errors import AmountOutOfRange, InvalidIdentifier, InvalidMessage
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.settlement import Settlement

ESCROW = Address("0x5FbDB2315678afecb367f032d93F642f64180aa3")
DOMAIN = Eip712Domain(31337, ESCROW)
JOB = Bytes32("0x" + "ab" * 32)
SETTLEMENT = Settlement(job=JOB, units=7, deadline=1_800_000_000)
ATTESTATION = Attestation(
    job=JOB,
    verdict=Verdict.PASS,
    result=ZERO_BYTES32,
    units=7,
    is_final=True,
    quality_bps=10_000,
    meter_root=ZERO_BYTES32,
    evidence=ZERO_BYTES32,
)


@dataclass(frozen=True)
class Letter(Message):
    """A message with every kind of field."""

    STRUCT: ClassVar[StructType] = StructType("Letter(address sender,address[] copies,string contents,bool isUrgent)")

    sender: Address
    copies: tuple[Address, ...]
    contents: str
    is_urgent: bool


LETTER = Letter(sender=ESCROW, copies=(ESCROW,), contents="Hello, Bob!", is_urgent=True)


# ---------------------------------------------------------------- digests


def test_digest__another_chain__differs() -> None:
    assert SETTLEMENT.digest(DOMAIN) != SETTLEMENT.digest(Eip712Domain(1, ESCROW))


def test_digest__another_escrow__differs() -> None:
    other = Address("0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512")
    assert SETTLEMENT.digest(DOMAIN) != SETTLEMENT.digest(Eip712Domain(31337, other))


@pytest.mark.parametrize("change", [{"job": ZERO_BYTES32}, {"units": 8}, {"deadline": 1_800_000_001}])
def test_digest__any_field_changed__differs(change: dict[str, Any]) -> None:
    assert replace(SETTLEMENT, **change).digest(DOMAIN) != SETTLEMENT.digest(DOMAIN)


def test_digest__types_with_the_same_words__differ() -> None:
    assert Settlement.STRUCT.type_hash != StructType("Ruling(bytes32 job,uint64 units,uint40 deadline)").type_hash


# ---------------------------------------------------------------- construction


def test_construction__lower_case_address__is_brought_into_canonical_form() -> None:
    assert replace(LETTER, sender=Address(ESCROW.lower())).sender == ESCROW


def test_construction__upper_case_hash__is_brought_into_canonical_form() -> None:
    assert replace(SETTLEMENT, job=Bytes32("0x" + "AB" * 32)) == SETTLEMENT


@pytest.mark.parametrize("units", [-1, 2**64, 1.0, "7", True, None])
def test_construction__number_that_does_not_fit_its_type__is_refused(units: Any) -> None:
    with pytest.raises(InvalidMessage, match="units has to be a uint64"):
        replace(SETTLEMENT, units=units)


@pytest.mark.parametrize("units", [0, 2**64 - 1])
def test_construction__number_at_the_edge_of_its_type__is_taken(units: int) -> None:
    assert replace(SETTLEMENT, units=units).units == units


def test_construction__mistyped_address__is_refused() -> None:
    with pytest.raises(InvalidIdentifier, match="checksum"):
        replace(LETTER, sender=Address(ESCROW.replace("fB", "Fb").replace("FbD", "fBd")))


def test_construction__number_for_a_truth_value__is_refused() -> None:
    with pytest.raises(InvalidMessage, match="isUrgent has to be true or false"):
        replace(LETTER, is_urgent=1)


def test_construction__text_that_is_too_long__is_refused() -> None:
    assert replace(LETTER, contents="é" * 1_024).contents
    with pytest.raises(InvalidMessage, match="2048 bytes"):
        replace(LETTER, contents="é" * 1_024 + "e")


def test_construction__list_that_is_too_long__is_refused() -> None:
    assert len(replace(LETTER, copies=(ESCROW,) * 16).copies) == 16
    with pytest.raises(InvalidMessage, match="at most 16"):
        replace(LETTER, copies=(ESCROW,) * 17)


def test_construction__verdict_that_does_not_exist__is_refused() -> None:
    with pytest.raises(InvalidMessage, match="verdict is 0"):
        replace(ATTESTATION, verdict=3)


def test_construction__verdict_as_a_number__becomes_a_verdict() -> None:
    assert replace(ATTESTATION, verdict=2).verdict is Verdict.FAIL


# ---------------------------------------------------------------- travel


def test_to_json__wide_integers__travel_as_strings_and_narrow_ones_as_numbers() -> None:
    assert SETTLEMENT.to_json() == {"job": JOB, "units": "7", "deadline": 1_800_000_000}


def test_from_json__what_to_json_wrote__is_the_same_message() -> None:
    assert Letter.from_json(LETTER.to_json()) == LETTER
    assert Attestation.from_json(ATTESTATION.to_json()) == ATTESTATION


@pytest.mark.parametrize("units", [7, 7.0, None])
def test_from_json__wide_integer_as_a_number__is_refused(units: Any) -> None:
    with pytest.raises(InvalidMessage, match="decimal digits"):
        Settlement.from_json({**SETTLEMENT.to_json(), "units": units})


@pytest.mark.parametrize("units", ["", "07", "+7", "-7", "7.0", "0x7", " 7", str(2**64), "9" * 90])
def test_from_json__integer_in_another_spelling__is_refused(units: str) -> None:
    with pytest.raises((InvalidMessage, AmountOutOfRange)):
        Settlement.from_json({**SETTLEMENT.to_json(), "units": units})


def test_from_json__unknown_field__is_refused_and_named() -> None:
    with pytest.raises(InvalidMessage, match="tip"):
        Settlement.from_json({**SETTLEMENT.to_json(), "tip": 1})


def test_from_json__missing_field__is_refused_and_named() -> None:
    document = SETTLEMENT.to_json()
    del document["deadline"]
    with pytest.raises(InvalidMessage, match="deadline"):
        Settlement.from_json(document)


@pytest.mark.parametrize("document", [None, [], "job", 7])
def test_from_json__not_an_object__is_refused(document: Any) -> None:
    with pytest.raises(InvalidMessage, match="exactly the fields"):
        Settlement.from_json(document)


def test_typed_data__shows_a_wallet_domain_types_and_message() -> None:
    assert SETTLEMENT.typed_data(DOMAIN) == {
        "domain": {"name": "Computility", "version": "1", "chainId": 31337, "verifyingContract": ESCROW},
        "primaryType": "Settlement",
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Settlement": [
                {"name": "job", "type": "bytes32"},
                {"name": "units", "type": "uint64"},
                {"name": "deadline", "type": "uint40"},
            ],
        },
        "message": {"job": JOB, "units": "7", "deadline": 1_800_000_000},
    }
