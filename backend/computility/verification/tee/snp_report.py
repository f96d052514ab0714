"""AMD SEV-SNP attestation reports (SEV Secure Nested Paging Firmware ABI Specification, table 23), signed by the chip's VCEK over P-384.

The chain is VCEK, ASK, ARK; the VCEK has to name the chip that the report names. AMD's revocation lists are looked at where they are configured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from computility.verification.tee.certificates import demand_signed, extension, trusted_key
from computility.verification.tee.report_claims import REPORT_UNFIT, ReportClaims, ReportRefused
from computility.verification.tee.revocation import Lists
from computility.verification.tee.snp_minimum import Minimum, demand_minimum

CHIP_OF_ANOTHER_CERTIFICATE: Final = "chip-of-another-certificate"
REPORT_BYTES: Final = 1184
SIGNED_BYTES: Final = 0x2A0
_ECDSA_P384_SHA384: Final = 1
_POLICY: Final = slice(0x08, 0x10)
_ALGORITHM: Final = slice(0x34, 0x38)
_NONCE: Final = slice(0x50, 0x90)
_CHIP: Final = slice(0x1A0, 0x1E0)
_NUMBER_BYTES: Final = 72
_DEBUG_BIT: Final = 19
_HARDWARE_ID: Final = "1.3.6.1.4.1.3704.1.4"
_FIELDS: Final = {
    "family_id": slice(0x10, 0x20),
    "image_id": slice(0x20, 0x30),
    "measurement": slice(0x90, 0xC0),
    "host_data": slice(0xC0, 0xE0),
    "id_key_digest": slice(0xE0, 0x110),
    "author_key_digest": slice(0x110, 0x140),
    "reported_tcb": slice(0x180, 0x188),
}


def check_snp_report(
    report: bytes,
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at_s: int,
    lists: Lists = (),
    minimum: Minimum | None = None,
) -> ReportClaims:
    """What a report claims, if it holds. The nonce has 64 bytes (REPORT_DATA). With a ``minimum`` the firmware has to be as new.

    Raises:
        ReportRefused: it does not hold.
        ReportUndecided: it does, and the firmware is older, or of a line that the minimum does not name.
    """
    if len(report) != REPORT_BYTES or int.from_bytes(report[_ALGORITHM], "little") != _ECDSA_P384_SHA384:
        raise ReportRefused(REPORT_UNFIT, f"no SEV-SNP report of {REPORT_BYTES} bytes signed by ECDSA over P-384")
    key = trusted_key(chain, roots, at_s, lists)
    chip = extension(chain[0], _HARDWARE_ID)
    # The VLEK of a cloud, which is not bound to a chip, has no such extension.
    if chip is not None and chip[-len(report[_CHIP]) :] != report[_CHIP]:
        raise ReportRefused(CHIP_OF_ANOTHER_CERTIFICATE, "the certificate names another chip than the report")
    r, s = (
        int.from_bytes(report[start : start + _NUMBER_BYTES], "little")
        for start in (SIGNED_BYTES, SIGNED_BYTES + _NUMBER_BYTES)
    )
    demand_signed(key, r, s, report[:SIGNED_BYTES], hashes.SHA384())
    if minimum is not None:
        demand_minimum(report[_FIELDS["reported_tcb"]], chain[0], minimum)
    return ReportClaims(
        nonce=report[_NONCE],
        measurements={name: report[place] for name, place in _FIELDS.items()},
        debug=bool(int.from_bytes(report[_POLICY], "little") >> _DEBUG_BIT & 1),
    )
