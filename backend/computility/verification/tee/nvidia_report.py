"""NVIDIA's attestation report of a GPU: an SPDM 1.1 GET_MEASUREMENTS request and its answer (DMTF DSP0274), signed over P-384 by the card's own key.

The report is the 37 bytes of the request, then the answer, as NVIDIA's drivers hand it out. Whether measurements are NVIDIA's golden ones stands in
its reference integrity manifests (`reference_manifest`), which are looked at where they are configured, as are revocation lists.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from computility.verification.tee.certificates import demand_signed, trusted_key
from computility.verification.tee.report_claims import REPORT_UNFIT, ReportClaims, ReportRefused
from computility.verification.tee.revocation import Lists

REQUEST_BYTES: Final = 37
SIGNATURE_BYTES: Final = 96
_REQUEST_CODE: Final = 0xE0
_ANSWER_CODE: Final = 0x60
_SPDM_1_1: Final = 0x11
_DMTF: Final = 1
_NONCE: Final = slice(4, 36)
_OWN_NONCE_BYTES: Final = 32
_DRIVER, _VBIOS, _DECODER = 3, 6, 11
"""Fields of NVIDIA's own data."""
_DISABLED: Final = b"\x55"
_OF_DECODER: Final = "36"
"""The measurement that says nothing while the video decoder is switched off."""

HeldAgainst = Callable[[Mapping[str, bytes], Sequence[str], Collection[str]], None]
"""Holds measurements against the references of the versions that a report names, but for some, and raises as `demand_golden`."""


def check_nvidia_report(
    report: bytes,
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at_s: int,
    lists: Lists = (),
    held_against: HeldAgainst | None = None,
) -> ReportClaims:
    """What a report claims, if it holds. The nonce has 32 bytes; measurements are named ``0`` to ``255``.

    Raises:
        ReportRefused: it does not hold.
        ReportUndecided: it does, and its measurements are not those that it is ``held_against``.
    """
    request, answer = report[:REQUEST_BYTES], report[REQUEST_BYTES:]
    if len(answer) < 8 + SIGNATURE_BYTES or request[:2] != bytes([_SPDM_1_1, _REQUEST_CODE]):
        raise ReportRefused(REPORT_UNFIT, "no SPDM 1.1 request for measurements with its answer")
    if answer[:2] != bytes([_SPDM_1_1, _ANSWER_CODE]):
        raise ReportRefused(REPORT_UNFIT, "the request is not followed by its answer")
    measurements = _measurements(answer)
    signature = answer[-SIGNATURE_BYTES:]
    half = SIGNATURE_BYTES // 2
    demand_signed(
        trusted_key(chain, roots, at_s, lists),
        int.from_bytes(signature[:half], "big"),
        int.from_bytes(signature[half:], "big"),
        report[:-SIGNATURE_BYTES],
        hashes.SHA384(),
    )
    if held_against is not None:
        said = _said(answer)
        ignored = (_OF_DECODER,) if said.get(_DECODER) == _DISABLED else ()
        held_against(measurements, (_driver_of(said), _vbios_of(said)), ignored)
    return ReportClaims(nonce=request[_NONCE], measurements=measurements)


def _said(answer: bytes) -> dict[int, bytes]:
    """NVIDIA's own data by field: behind measurements and nonce, two bytes each of kind and length before the value."""
    start = 8 + int.from_bytes(answer[5:8], "little") + _OWN_NONCE_BYTES + 2
    data, at = answer[start:-SIGNATURE_BYTES], 0
    found: dict[int, bytes] = {}
    while at < len(data):
        kind, size = (int.from_bytes(data[place : place + 2], "little") for place in (at, at + 2))
        value = data[at + 4 : at + 4 + size]
        if len(data) < at + 4 + size:
            raise ReportRefused(REPORT_UNFIT, "the lengths of the card's own data do not add up")
        found[kind] = value
        at += 4 + size
    return found


def _driver_of(said: Mapping[int, bytes]) -> str:
    """As manifests name it: ``550.90.07``."""
    return said.get(_DRIVER, b"").rstrip(b"\0").decode("ascii", errors="replace").lower()


def _vbios_of(said: Mapping[int, bytes]) -> str:
    """As manifests name it: ``96.00.9f.00.01`` of the bytes 00 9f 00 96 01 00 00 00."""
    version = said.get(_VBIOS, b"")
    if len(version) != 8:
        raise ReportRefused(REPORT_UNFIT, "the report names no version of the VBIOS")
    return ".".join(f"{byte:02x}" for byte in (*reversed(version[:4]), version[4]))


def _measurements(answer: bytes) -> dict[str, bytes]:
    blocks, length = answer[4], int.from_bytes(answer[5:8], "little")
    record = answer[8 : 8 + length]
    rest = answer[8 + length : -SIGNATURE_BYTES]
    # The card's own nonce, then data of NVIDIA's own.
    if len(record) != length or len(rest) < 34 or len(rest) != 34 + int.from_bytes(rest[32:34], "little"):
        raise ReportRefused(REPORT_UNFIT, "the answer's lengths do not add up")
    found: dict[str, bytes] = {}
    at = 0
    for _ in range(blocks):
        index, form = record[at : at + 1], record[at + 1 : at + 2]
        size = int.from_bytes(record[at + 2 : at + 4], "little")
        block = record[at + 4 : at + 4 + size]
        at += 4 + size
        if len(block) != size or size < 3 or int.from_bytes(block[1:3], "little") != size - 3:
            raise ReportRefused(REPORT_UNFIT, "a measurement's length does not add up")
        if form != bytes([_DMTF]) or str(index[0]) in found:
            raise ReportRefused(REPORT_UNFIT, "a measurement is of another form, or comes twice")
        found[str(index[0])] = block[3:]
    if at != len(record):
        raise ReportRefused(REPORT_UNFIT, "there are more measurements than the answer counts")
    return found
