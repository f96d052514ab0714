"""secp256k1 signatures over digests: 65 bytes (r, s, v) or 64 (EIP-2098), low s only, as the escrow takes them."""

from __future__ import annotations

import re
from typing import Final

from eth_keys.datatypes import PrivateKey
from eth_keys.datatypes import Signature as KeySignature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from computility.domain.errors import InvalidSignature
from computility.domain.identifiers import Address, Bytes32

_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_MAX_SIGNATURE_BYTES: Final = 4096


def sign_digest(digest: Bytes32, private_key: bytes) -> str:
    """Sign a 32-byte digest; deterministic (RFC 6979). Returns 65 bytes as 0x hex, v being 27 or 28."""
    signature = PrivateKey(private_key).sign_msg_hash(bytes.fromhex(digest[2:]))
    raw = signature.to_bytes()
    return "0x" + (raw[:64] + bytes([raw[64] + 27])).hex()


def signature_bytes(text: str) -> bytes:
    """A signature's bytes from hex.

    Raises:
        InvalidSignature: not hex, or longer than any signature here.
    """
    if not isinstance(text, str) or not _HEX.fullmatch(text) or len(text) > 2 + 2 * _MAX_SIGNATURE_BYTES:
        raise InvalidSignature("a signature is 0x and hex digits; send what the wallet returned, unchanged")
    return bytes.fromhex(text[2:])


def full_length(signature: str) -> bytes:
    """A signature as r, s, v in 65 bytes, whichever of the two ways it is written in: one signature, one spelling.

    Raises:
        InvalidSignature: not hex, or of another length.
    """
    raw = signature_bytes(signature)
    if len(raw) == 65:
        return raw
    if len(raw) != 64:
        raise InvalidSignature(f"a signature has 65 bytes, or 64 as in EIP-2098, not {len(raw)}")
    return raw[:32] + bytes([raw[32] & 0x7F]) + raw[33:] + bytes([27 + (raw[32] >> 7)])


def recover_signer(digest: Bytes32, signature: str) -> Address:
    """Who signed ``digest``.

    Raises:
        InvalidSignature: wrong length, high s, v other than 27 and 28, or no such point.
    """
    raw = full_length(signature)
    r, s, parity = raw[:32], raw[32:64], raw[64] - 27
    if parity not in (0, 1):
        raise InvalidSignature(f"a signature's last byte is 27 or 28, not {parity + 27}")
    if int.from_bytes(s, "big") > _HALF_ORDER:
        raise InvalidSignature("the signature's s is in the upper half, which the escrow refuses; sign again")
    try:
        point = KeySignature(r + s + bytes([parity]))
        key = point.recover_public_key_from_msg_hash(bytes.fromhex(digest[2:]))
    except (BadSignature, ValidationError) as error:
        raise InvalidSignature("the signature does not fit any key; sign again") from error
    return Address(key.to_checksum_address())
