"""X.509 chains of attestation keys: from the key that signed a report up to a root that the verifier's owner configured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from computility.verification.tee.report_claims import ReportRefused

MAX_CHAIN: Final = 8
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
        is_pem = b"-----BEGIN" in data
        found = x509.load_pem_x509_certificates(data) if is_pem else [x509.load_der_x509_certificate(data)]
        if len(found) > MAX_CHAIN:
            raise ValueError("too many")
    except ValueError as error:
        raise ReportRefused(
            CERTIFICATE_UNFIT, f"no chain of at most {MAX_CHAIN} X.509 certificates: {error}"
        ) from error
    return found


def trusted_key(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], at_s: int
) -> ec.EllipticCurvePublicKey:
    """The key of the first certificate of a chain, each signed by the next, the last one by a root, or a root itself.

    Args:
        chain: the leaf first.
        roots: trusted.
        at_s: when all have to be valid, UTC seconds.

    Raises:
        ReportRefused: the chain is broken, expired, of another root, or the leaf's key is of no elliptic curve.
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
    last = chain[-1]
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


def raw_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """x and y of a public key, big-endian, one after the other."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]


def _demand_issued(below: x509.Certificate, above: x509.Certificate, reason: str) -> None:
    if not _is_issued(below, above):
        raise ReportRefused(
            reason, f"{below.subject.rfc4514_string()} is not signed by {above.subject.rfc4514_string()}"
        )


def _is_issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
        constraints = above.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return constraints.ca
