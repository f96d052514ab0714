"""Vendors' revocation lists: whether a certificate was taken back by who issued it.

Lists are files that whoever checks fetches and configures (AMD: ``https://kdsintf.amd.com/vcek/v1/{product}/crl``; Intel: the lists of its root and
platform authorities from the provisioning certification service). A list counts only if it is signed by the key above the certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from computility.verification.tee.report_claims import ReportRefused, ReportUndecided

REVOKED: Final = "certificate-revoked"
LIST_STALE: Final = "revocation-list-stale"
LIST_UNFIT: Final = "revocation-list-unfit"
MAX_LIST_BYTES: Final = 16 * 1024 * 1024

Lists = Sequence[x509.CertificateRevocationList]


def read_revocation_list(data: bytes) -> x509.CertificateRevocationList:
    """One list, in PEM or DER.

    Raises:
        ReportRefused: it is none.
    """
    try:
        if len(data) > MAX_LIST_BYTES:
            raise ValueError("too long")
        return x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)
    except ValueError as error:
        raise ReportRefused(LIST_UNFIT, f"no revocation list: {error}") from error


def demand_unrevoked(below: x509.Certificate, above: x509.Certificate, lists: Lists, at_s: int) -> None:
    """Make sure that ``above`` has not taken back ``below``, by those of the lists that ``above`` signed; where there is none, nothing is said.

    Raises:
        ReportRefused: it has.
        ReportUndecided: its newest list is older than it says that it is good for, so that nobody can tell.
    """
    key = above.public_key()
    own = [
        listed
        for listed in lists
        if listed.issuer == above.subject and listed.is_signature_valid(key)  # type: ignore[arg-type] # keys of issuers are RSA's or elliptic
    ]
    if not own:
        return
    name = below.subject.rfc4514_string()
    if any(listed.get_revoked_certificate_by_serial_number(below.serial_number) is not None for listed in own):
        raise ReportRefused(REVOKED, f"{name} was revoked by {above.subject.rfc4514_string()}")
    at = datetime.fromtimestamp(at_s, UTC)
    if all(listed.next_update_utc is not None and listed.next_update_utc < at for listed in own):
        raise ReportUndecided(
            LIST_STALE, f"the revocation list of {above.subject.rfc4514_string()} is out of date: fetch it again"
        )
