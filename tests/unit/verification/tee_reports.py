"""Attestations signed by a root of our own, in the vendors' formats."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

AT_S = 1_790_000_000


@dataclass(frozen=True)
class Chain:
    """A leaf that signs, and the certificates above it."""

    leaf_key: ec.EllipticCurvePrivateKey
    leaf: x509.Certificate
    root: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """Leaf, then root."""
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (self.leaf, self.root))


def chain(
    curve: ec.EllipticCurve,
    *,
    name: str = "root",
    days: int = 400,
    chip: bytes | None = None,
    is_authority: bool = True,
) -> Chain:
    """A root and a leaf, valid around ``AT_S``."""
    root_key, leaf_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(curve)
    root = _certificate(name, name, root_key, root_key, days=4_000, authority=is_authority)
    leaf = _certificate("leaf", name, leaf_key, root_key, days=days, authority=False, chip=chip)
    return Chain(leaf_key, leaf, root, root_key)


def tdx_quote(
    by: Chain, nonce: bytes, *, mr_td: bytes = b"\x0a" * 48, debug: bool = False, body_kind: int | None = None
) -> bytes:
    """A quote of version 4, or of version 5 with a kind of body, whose quoting enclave is certified by the leaf."""
    attestation = ec.generate_private_key(ec.SECP256R1())
    raw = attestation.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )[1:]
    version = 4 if body_kind is None else 5
    header = version.to_bytes(2, "little") + (2).to_bytes(2, "little") + (0x81).to_bytes(4, "little") + bytes(40)
    body = bytearray(648 if body_kind == 3 else 584)
    if body_kind is not None:
        header += body_kind.to_bytes(2, "little") + len(body).to_bytes(4, "little")
    body[120] = int(debug)
    body[136:184] = mr_td
    body[520:584] = nonce
    authentication = b"auth"
    enclave = bytearray(384)
    enclave[320:352] = hashlib.sha256(raw + authentication).digest()
    certificates = by.pem
    certified = bytes(enclave) + _raw(by.leaf_key, bytes(enclave), hashes.SHA256(), 32)
    certified += len(authentication).to_bytes(2, "little") + authentication
    certified += (5).to_bytes(2, "little") + len(certificates).to_bytes(4, "little") + certificates
    signed = _raw(attestation, header + bytes(body), hashes.SHA256(), 32) + raw
    signed += (6).to_bytes(2, "little") + len(certified).to_bytes(4, "little") + certified
    return header + bytes(body) + len(signed).to_bytes(4, "little") + signed


def snp_report(by: Chain, nonce: bytes, *, measurement: bytes = b"\x0b" * 48, chip: bytes = b"\x0c" * 64) -> bytes:
    """A SEV-SNP report."""
    report = bytearray(1184)
    report[0x34] = 1
    report[0x50:0x90] = nonce
    report[0x90:0xC0] = measurement
    report[0x1A0:0x1E0] = chip
    r, s = decode_dss_signature(by.leaf_key.sign(bytes(report[:0x2A0]), ec.ECDSA(hashes.SHA384())))
    report[0x2A0:0x2E8] = r.to_bytes(72, "little")
    report[0x2E8:0x330] = s.to_bytes(72, "little")
    return bytes(report)


def nvidia_report(by: Chain, nonce: bytes, *, driver: bytes = b"\x0d" * 48) -> bytes:
    """A GPU's report of two measurements."""
    request = bytes([0x11, 0xE0, 0x01, 0xFF]) + nonce + b"\0"
    record = b"".join(_measurement(index, value) for index, value in ((1, driver), (2, b"\x0e" * 48)))
    opaque = b"opaque"
    answer = bytes([0x11, 0x60, 0, 0, 2]) + len(record).to_bytes(3, "little") + record
    answer += bytes(32) + len(opaque).to_bytes(2, "little") + opaque
    return request + answer + _raw(by.leaf_key, request + answer, hashes.SHA384(), 48)


def _measurement(index: int, value: bytes) -> bytes:
    block = b"\0" + len(value).to_bytes(2, "little") + value
    return bytes([index, 1]) + len(block).to_bytes(2, "little") + block


def _raw(key: ec.EllipticCurvePrivateKey, data: bytes, algorithm: hashes.HashAlgorithm, size: int) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: int,
    authority: bool,
    chip: bytes | None = None,
) -> x509.Certificate:
    begins = datetime.fromtimestamp(AT_S, UTC) - timedelta(days=365)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if chip is not None:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.3704.1.4")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, chip), critical=False)
    return builder.sign(signer, hashes.SHA384())
