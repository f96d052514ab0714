"""Intel TDX quotes of versions 4 and 5, signed by ECDSA over P-256 (Intel TDX DCAP Quote Generation Library, appendix 3).

A quote is checked in three steps: Intel's root leads through the processor's certificate chain to the key of the quoting enclave's report; that
report names the attestation key; that key signed the quote. Intel's revocation lists and its collateral of TCB levels are looked at where they are
configured; without collateral a verdict says that the processor signed this, not that its firmware is up to date.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from computility.verification.tee.certificates import demand_signed, read_certificates, trusted_key
from computility.verification.tee.processor_certificate import processor_of
from computility.verification.tee.report_claims import REPORT_UNFIT, ReportClaims, ReportRefused
from computility.verification.tee.revocation import Lists
from computility.verification.tee.tcb_level import UP_TO_DATE, EnclaveReport, PlatformTcb, demand_level
from computility.verification.tee.tdx_collateral import TdxCollateral

ENCLAVE_OF_ANOTHER_KEY: Final = "enclave-of-another-key"
HEADER_BYTES: Final = 48
BODY_BYTES: Final = 584
ENCLAVE_REPORT_BYTES: Final = 384
_BODY_OF_TDX_1_5_BYTES: Final = BODY_BYTES + 64
_VERSION: Final = 4
_VERSION_WITH_KINDS: Final = 5
"""Says which body follows, and its length."""
_BODIES: Final = {2: BODY_BYTES, 3: _BODY_OF_TDX_1_5_BYTES}
_ECDSA_P256: Final = 2
_TDX: Final = 0x81
_CERTIFIED_BY_ENCLAVE: Final = 6
_PCK_CHAIN: Final = 5
_ENCLAVE_REPORT_DATA: Final = slice(320, 384)
_FIELDS: Final = {
    "mr_seam": slice(16, 64),
    "mr_td": slice(136, 184),
    "mr_config_id": slice(184, 232),
    "mr_owner": slice(232, 280),
    "mr_owner_config": slice(280, 328),
    "rtmr0": slice(328, 376),
    "rtmr1": slice(376, 424),
    "rtmr2": slice(424, 472),
    "rtmr3": slice(472, 520),
}
_FIELDS_OF_1_5: Final = {"mr_service_td": slice(600, 648)}
_ATTRIBUTES: Final = slice(120, 128)
_NONCE: Final = slice(520, 584)
_TEE_VERSIONS: Final = slice(0, 16)
_MODULE_SIGNER: Final = slice(64, 112)
_MODULE_ATTRIBUTES: Final = slice(112, 120)
_ENCLAVE_MISC: Final = slice(16, 20)
_ENCLAVE_ATTRIBUTES: Final = slice(48, 64)
_ENCLAVE_SIGNER: Final = slice(128, 160)
_ENCLAVE_VERSION: Final = 256


def check_tdx_quote(
    quote: bytes,
    roots: Sequence[x509.Certificate],
    at_s: int,
    lists: Lists = (),
    collateral: Sequence[TdxCollateral] = (),
    allowed: Collection[str] = (UP_TO_DATE,),
) -> ReportClaims:
    """What a quote claims, if it holds. The nonce has 64 bytes (REPORTDATA). With ``collateral`` the machine's TCB level has to be ``allowed``.

    Raises:
        ReportRefused: it does not hold.
        ReportUndecided: it does, and the level is another, or cannot be told.
    """
    reader = _Reader(quote)
    header = reader.take(HEADER_BYTES)
    version, key_type, tee_type = struct.unpack_from("<HHI", header)
    if version not in (_VERSION, _VERSION_WITH_KINDS) or (key_type, tee_type) != (_ECDSA_P256, _TDX):
        raise ReportRefused(REPORT_UNFIT, "no TDX quote of version 4 or 5 signed by ECDSA over P-256")
    described = reader.take(6) if version == _VERSION_WITH_KINDS else b""
    kind, size = struct.unpack("<HI", described) if described else (2, BODY_BYTES)
    if _BODIES.get(kind) != size:
        raise ReportRefused(REPORT_UNFIT, f"a body of kind {kind} and {size} bytes is none of TDX")
    body = reader.take(size)
    signed = _Reader(reader.take(reader.uint32()))
    signature, attestation_key = signed.take(64), signed.take(64)
    if signed.uint16() != _CERTIFIED_BY_ENCLAVE:
        raise ReportRefused(REPORT_UNFIT, "the quote is not certified by a quoting enclave's report")
    certified = _Reader(signed.take(signed.uint32()))
    enclave, enclave_signature = certified.take(ENCLAVE_REPORT_BYTES), certified.take(64)
    authentication = certified.take(certified.uint16())
    if certified.uint16() != _PCK_CHAIN:
        raise ReportRefused(REPORT_UNFIT, "the quote does not bring the processor's certificate chain")
    chain = read_certificates(certified.take(certified.uint32()).rstrip(b"\0"))
    demand_signed(trusted_key(chain, roots, at_s, lists), *_integers(enclave_signature), enclave, hashes.SHA256())
    named = hashlib.sha256(attestation_key + authentication).digest()
    if enclave[_ENCLAVE_REPORT_DATA] != named + bytes(32):
        raise ReportRefused(ENCLAVE_OF_ANOTHER_KEY, "the quoting enclave's report names another attestation key")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + attestation_key)
    except ValueError as error:
        raise ReportRefused(REPORT_UNFIT, "the attestation key is no point of P-256") from error
    demand_signed(key, *_integers(signature), header + described + body, hashes.SHA256())
    if collateral:
        demand_level(_platform(body, enclave, chain[0]), collateral, allowed, roots, at_s, lists)
    return ReportClaims(
        nonce=body[_NONCE],
        measurements={
            name: body[place] for name, place in (_FIELDS | _FIELDS_OF_1_5).items() if place.stop <= len(body)
        },
        debug=bool(body[_ATTRIBUTES][0] & 1),
    )


def _platform(body: bytes, enclave: bytes, certificate: x509.Certificate) -> PlatformTcb:
    processor = processor_of(certificate)
    product, version = struct.unpack_from("<HH", enclave, _ENCLAVE_VERSION)
    return PlatformTcb(
        fmspc=processor.fmspc,
        pce_id=processor.pce_id,
        components=processor.components,
        pce_version=processor.pce_version,
        tee_versions=tuple(body[_TEE_VERSIONS]),
        module_signer=body[_MODULE_SIGNER],
        module_attributes=body[_MODULE_ATTRIBUTES],
        enclave=EnclaveReport(
            enclave[_ENCLAVE_MISC], enclave[_ENCLAVE_ATTRIBUTES], enclave[_ENCLAVE_SIGNER], product, version
        ),
    )


def _integers(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


class _Reader:
    """Takes bytes from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise ReportRefused(REPORT_UNFIT, "the quote ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def uint16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "little")
