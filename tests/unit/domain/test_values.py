"""Amounts, identifiers, resources and signatures: one spelling each, and a clear refusal of everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.errors import AmountOutOfRange, InvalidIdentifier, InvalidResource, InvalidSignature
from computility.domain.identifiers import (
    Address,
    Bytes32,
    account_id,
    bytes32,
    chain_id_of,
    chain_number,
    parse_address,
    parse_bytes32,
)
from computility.domain.resource import parse_resource
from computility.domain.signature import recover_signer, sign_digest
from computility.domain.units import (
    MAX_CREDITS,
    charge,
    checked_credits,
    format_credits,
    parse_credits,
    parse_integer,
    share_down,
    share_up,
)

CHECKSUMMED = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
KEY = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
DIGEST = Bytes32("0x" + "5e" * 32)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


# ---------------------------------------------------------------- amounts


@given(st.integers(0, MAX_CREDITS))
def test_an_amount__is_read_as_it_is_written(amount: int) -> None:
    assert parse_credits(format_credits(amount)) == amount


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "0x10", "1,5", "01", ".5", "1.", "１", "0." + "0" * 18 + "1", "9" * 40, "NaN"]
)
def test_what_is_no_amount__is_refused(text: str) -> None:
    with pytest.raises(AmountOutOfRange):
        parse_credits(text)


def test_products_and_sums__have_to_fit() -> None:
    assert charge(2, MAX_CREDITS // 2) == MAX_CREDITS // 2 * 2
    for refuse in (
        lambda: charge(2, MAX_CREDITS),
        lambda: checked_credits(-1),
        lambda: checked_credits(MAX_CREDITS + 1),
    ):
        with pytest.raises(AmountOutOfRange):
            refuse()


@given(st.integers(0, MAX_CREDITS), st.integers(0, 10_000))
def test_shares__round_the_way_their_names_say(amount: int, bps: int) -> None:
    down, up = share_down(amount, bps), share_up(amount, bps)
    assert down * 10_000 <= amount * bps <= up * 10_000
    assert up - down in (0, 1)


@pytest.mark.parametrize("text", ["", "-1", "01", "1.0", " 1", "9" * 81, "1_000"])
def test_what_is_no_whole_number__is_refused(text: str) -> None:
    with pytest.raises(AmountOutOfRange):
        parse_integer(text, 10**20)


# ---------------------------------------------------------------- identifiers


def test_an_address__is_read_in_any_usual_spelling() -> None:
    for spelling in (CHECKSUMMED, CHECKSUMMED.lower(), "0x" + CHECKSUMMED[2:].upper()):
        assert parse_address(spelling) == CHECKSUMMED


@pytest.mark.parametrize(
    "text", ["", "0x", CHECKSUMMED[:-1], CHECKSUMMED + "0", CHECKSUMMED[2:], CHECKSUMMED.replace("C5", "c5"), None, 7]
)
def test_a_mistyped_address__is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_address(text)


def test_hashes_and_chain_ids__have_one_spelling() -> None:
    assert parse_bytes32("0x" + "AB" * 32) == "0x" + "ab" * 32
    assert chain_number(chain_id_of(31337)) == 31337
    assert account_id(chain_id_of(1), CHECKSUMMED) == f"eip155:1:{CHECKSUMMED}"
    for refuse in (
        lambda: parse_bytes32("0x" + "ab" * 31),
        lambda: bytes32(b"short"),
        lambda: chain_number("eip155:01"),
        lambda: chain_number("cosmos:hub"),
        lambda: chain_id_of(0),
    ):
        with pytest.raises(InvalidIdentifier):
            refuse()


# ---------------------------------------------------------------- resources

URN = "urn:computility:wasm:wasmtime:2x:1g:eu-west:aurora:0001:mfuel"


def test_a_resource__is_read_and_written_the_same() -> None:
    resource = parse_resource(URN)
    assert str(resource) == URN
    assert (resource.count, resource.memory_mib, resource.metric) == (2, 1024, "mfuel")
    assert resource.resource_class == ("wasm", "wasmtime", "eu-west")
    assert str(parse_resource(URN.replace(":1g:", ":1536m:"))) == URN.replace(":1g:", ":1536m:")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("urn:computility", "urn:other"),
        (":wasm:", ":tpu:"),
        (":2x:", ":02x:"),
        (":2x:", ":0x:"),
        (":2x:", ":2:"),
        (":1g:", ":1024m:"),
        (":1g:", ":1t:"),
        ("aurora", "Aurora"),
        ("aurora", "au rora"),
        ("aurora", "-aurora"),
        ("aurora", "a" * 65),
        (":mfuel", ":watts"),
        (":mfuel", ""),
        (":mfuel", ":mfuel:more"),
        ("aurora", ""),
    ],
)
def test_what_is_no_resource__is_refused(old: str, new: str) -> None:
    with pytest.raises(InvalidResource):
        parse_resource(URN.replace(old, new))


# ---------------------------------------------------------------- signatures


def test_a_signature__tells_its_signer_in_both_lengths() -> None:
    signature = sign_digest(DIGEST, KEY)
    assert recover_signer(DIGEST, signature) == CHECKSUMMED
    raw = bytes.fromhex(signature[2:])
    parity = raw[64] - 27
    compact = raw[:32] + bytes([raw[32] | parity << 7]) + raw[33:64]
    assert recover_signer(DIGEST, "0x" + compact.hex()) == CHECKSUMMED


def test_a_signature_of_another_digest__tells_another_signer() -> None:
    assert recover_signer(Bytes32("0x" + "5f" * 32), sign_digest(DIGEST, KEY)) != CHECKSUMMED


def malleable(raw: bytes) -> bytes:
    """The same signature with s in the upper half."""
    s = ORDER - int.from_bytes(raw[32:64], "big")
    return raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])


@pytest.mark.parametrize(
    "spoil",
    [
        malleable,
        lambda raw: raw[:64] + bytes([29]),
        lambda raw: raw[:64] + bytes([0]),
        lambda raw: raw[:63],
        lambda raw: raw + b"\0",
        lambda raw: b"",
        lambda raw: bytes(65),
        lambda raw: bytes(32) + raw[32:],
        lambda raw: b"\xff" * 32 + raw[32:],
    ],
)
def test_a_spoilt_signature__is_refused(spoil: object) -> None:
    assert callable(spoil)
    raw = spoil(bytes.fromhex(sign_digest(DIGEST, KEY)[2:]))
    with pytest.raises(InvalidSignature):
        recover_signer(DIGEST, "0x" + raw.hex())


@pytest.mark.parametrize("text", ["", "0xzz", "5e", None, "0x" + "00" * 5000])
def test_what_is_no_signature__is_refused(text: str) -> None:
    with pytest.raises(InvalidSignature):
        recover_signer(DIGEST, text)
