"""What Intel's certificate of a processor (PCK) says of it, in an extension of Intel's own, 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL
Profile, section 1.3.5): its family, and the versions of its components when the certificate was issued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from computility.verification.tee.certificates import CERTIFICATE_UNFIT, extension
from computility.verification.tee.report_claims import ReportRefused

_SGX: Final = "1.2.840.113741.1.13.1"
_SGX_DER: Final = bytes.fromhex("2a864886f84d010d01")
_TCB, _PCE_ID, _FMSPC = b"\x02", b"\x03", b"\x04"
_COMPONENTS: Final = 16
_PCE_VERSION: Final = 17
_SEQUENCE: Final = 0x30
_LONG_FORM: Final = 0x80


@dataclass(frozen=True)
class Processor:
    """``fmspc`` and ``pce_id`` in hex; 16 ``components`` and ``pce_version`` are security version numbers."""

    fmspc: str
    pce_id: str
    components: tuple[int, ...]
    pce_version: int


def processor_of(certificate: x509.Certificate) -> Processor:
    """Of a PCK certificate.

    Raises:
        ReportRefused: it says nothing of a processor.
    """
    try:
        entries = dict(_entries(_inside(extension(certificate, _SGX) or b"")))
        versions = dict(_entries(entries[_SGX_DER + _TCB]))
        components = [_number(versions[_SGX_DER + _TCB + bytes([place])]) for place in range(1, _COMPONENTS + 1)]
        pce_version = _number(versions[_SGX_DER + _TCB + bytes([_PCE_VERSION])])
        return Processor(
            entries[_SGX_DER + _FMSPC].hex(), entries[_SGX_DER + _PCE_ID].hex(), tuple(components), pce_version
        )
    except (KeyError, IndexError, ValueError) as error:
        raise ReportRefused(CERTIFICATE_UNFIT, "the certificate says nothing of a processor of Intel's") from error


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of an object identifier and the content of what stands behind it."""
    for tag, content in _values(data):
        if tag != _SEQUENCE:
            raise ValueError("no sequence")
        (_, oid), (_, value) = _values(content)
        yield oid, value


def _inside(data: bytes) -> bytes:
    ((tag, content),) = _values(data)
    if tag != _SEQUENCE:
        raise ValueError("no sequence")
    return content


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each DER value."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & _LONG_FORM:
            count = length & ~_LONG_FORM
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + length > len(data):
            raise ValueError("a value ends too late")
        yield tag, data[at : at + length]
        at += length


def _number(content: bytes) -> int:
    return int.from_bytes(content, "big")
