"""X.509 chains of attestation keys: from the key that signed a report up to a root that the verifier's owner configured."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from computility.verification.tee.report_claims import ReportRefused
from computility.verification.tee.revocation import Lists, demand_unrevoked

MAX_CHAIN: Final = 8
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_NO_SERIAL: Final = b"\x02\x01\x00"
_SERIAL_ONE: Final = b"\x02\x01\x01"
_VERSION_3: Final = b"\xa0\x03\x02\x01\x02"
MAX_CHAIN_BYTES: Final = 64 * 1024
CERTIFICATE_UNFIT: Final = "certificate-unfit"
CHAIN_BROKEN: Final = "certificate-chain-broken"
ROOT_UNKNOWN: Final = "root-unknown"
CERTIFICATE_EXPIRED: Final = "certificate-expired"
SIGNATURE_WRONG: Final = "signature-wrong"


def read_certificates(data: bytes) -> list[x509.Certificate]:
    """Certificates in PEM, one after the other, or one in DER.

    Raises:
        ReportRefused: none, too many, or something else.
    """
    try:
        if len(data) > MAX_CHAIN_BYTES:
            raise ValueError("too long")
        encoded = [base64.b64decode(body) for body in _PEM.findall(data)] if b"-----BEGIN" in data else [data]
        if not 0 < len(encoded) <= MAX_CHAIN:
            raise ValueError(f"there are {len(encoded)}")
        found = [x509.load_der_x509_certificate(_with_a_serial(one)) for one in encoded]
    except (ValueError, IndexError) as error:
        raise ReportRefused(
            CERTIFICATE_UNFIT, f"no chain of at most {MAX_CHAIN} X.509 certificates: {error}"
        ) from error
    return found


def trusted_key(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], at_s: int, lists: Lists = ()
) -> ec.EllipticCurvePublicKey:
    """The key of the first certificate of a chain, each signed by the next, the last one by a root, or a root itself.

    Args:
        chain: the leaf first.
        roots: trusted.
        at_s: when all have to be valid, UTC seconds.
        lists: of what issuers took back.

    Raises:
        ReportRefused: the chain is broken, expired, revoked, of another root, or the leaf's key is of no elliptic curve.
        ReportUndecided: a list is out of date.
    """
    if not chain:
        raise ReportRefused(CERTIFICATE_UNFIT, "no certificate came with the report")
    at = datetime.fromtimestamp(at_s, UTC)
    for certificate in chain:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise ReportRefused(
                CERTIFICATE_EXPIRED,
                f"{certificate.subject.rfc4514_string()} is valid from {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}",
            )
    for below, above in pairwise(chain):
        _demand_issued(below, above, CHAIN_BROKEN)
        demand_unrevoked(below, above, lists, at_s)
    last = chain[-1]
    for root in roots:
        if last != root and _is_issued(last, root):
            demand_unrevoked(last, root, lists, at_s)
    if not any(last == root or _is_issued(last, root) for root in roots):
        raise ReportRefused(ROOT_UNKNOWN, f"{last.issuer.rfc4514_string()} is no root that this verifier trusts")
    key = chain[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ReportRefused(CERTIFICATE_UNFIT, "the attestation key is of no elliptic curve")
    return key


def demand_signed(
    key: ec.EllipticCurvePublicKey, r: int, s: int, signed: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    """ECDSA.

    Raises:
        ReportRefused: the signature is wrong.
    """
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(algorithm))
    except InvalidSignature as error:
        raise ReportRefused(
            SIGNATURE_WRONG, "the report's signature is not of the key that its certificates name"
        ) from error


def extension(certificate: x509.Certificate, oid: str) -> bytes | None:
    """The raw value of an extension of the vendor's own."""
    try:
        found = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(oid)).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    return found.value if isinstance(found, x509.UnrecognizedExtension) else None


def _demand_issued(below: x509.Certificate, above: x509.Certificate, reason: str) -> None:
    if not _is_issued(below, above):
        raise ReportRefused(
            reason, f"{below.subject.rfc4514_string()} is not signed by {above.subject.rfc4514_string()}"
        )


def _is_issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        _verify_issued(below, above)
        constraints = above.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return constraints.ca


def _with_a_serial(der: bytes) -> bytes:
    """The certificate with serial number 1 where it says 0: AMD's chips have certificates of serial 0, which RFC 5280 does not allow, and which
    ``cryptography`` announces that it will not load. What was signed is put back where a signature is checked (`_verify_issued`)."""
    at = _serial_place(der)
    return der[:at] + _SERIAL_ONE + der[at + 3 :] if der[at : at + 3] == _NO_SERIAL else der


def _serial_place(der: bytes) -> int:
    """Where the serial number stands: behind the heads of the certificate and of its signed part, and behind the version."""
    inner = _head_bytes(der, 0)
    at = inner + _head_bytes(der, inner)
    return at + len(_VERSION_3) if der[at : at + len(_VERSION_3)] == _VERSION_3 else at


def _head_bytes(der: bytes, at: int) -> int:
    """Length of the tag and length of a DER value."""
    return 2 + (der[at + 1] & 0x7F if der[at + 1] & 0x80 else 0)


def _verify_issued(below: x509.Certificate, above: x509.Certificate) -> None:
    """Raises ``ValueError``, ``TypeError`` or ``InvalidSignature`` where ``above`` did not sign ``below``."""
    try:
        below.verify_directly_issued_by(above)
    except InvalidSignature:
        signed, key = below.tbs_certificate_bytes, above.public_key()
        at = _head_bytes(signed, 0) + len(_VERSION_3)
        if below.issuer != above.subject or signed[at : at + 3] != _SERIAL_ONE:
            raise
        signed = signed[:at] + _NO_SERIAL + signed[at + 3 :]
        parameters = below.signature_algorithm_parameters
        if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PSS | padding.PKCS1v15):
            algorithm = below.signature_hash_algorithm
            if algorithm is None:
                raise
            key.verify(below.signature, signed, parameters, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(below.signature, signed, parameters)
        else:
            raise
