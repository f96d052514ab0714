"""NVIDIA's reference integrity manifests: which measurements firmware and driver of a GPU have by NVIDIA's word (TCG Reference Integrity Manifest
Information Model; SWID tags of ISO/IEC 19770-2 under an XML signature, ECDSA over P-384).

A manifest is of one version of a driver or of a VBIOS. Its resource i is the report's measurement i + 1; it may name several values, and only the
active ones count. The signature is checked as a file is read; up to which root, and whether in force, when a report is held against it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from computility.verification.tee.certificates import read_certificates, trusted_key
from computility.verification.tee.report_claims import ReportRefused, ReportUndecided
from computility.verification.tee.revocation import Lists

MAX_MANIFEST_BYTES: Final = 1 << 20
MANIFEST_UNFIT: Final = "reference-unfit"
REFERENCE_MISSING: Final = "reference-missing"
NOT_GOLDEN: Final = "measurement-not-golden"
_CERTIFICATE: Final = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
_VALUE: Final = re.compile(r"\{[^}]*\}Hash[0-9]+")


@dataclass(frozen=True)
class ReferenceManifest:
    """Of one ``version`` of a driver or a VBIOS. ``golden``: the values that each measurement may have, by its name in a
    report; of those alone that count."""

    version: str
    golden: Mapping[str, frozenset[bytes]]
    chain: tuple[x509.Certificate, ...]


def read_manifest(data: bytes) -> ReferenceManifest:
    """Read a ``.swidtag`` file, whose signature has to be of the first certificate in it.

    Raises:
        ReportRefused: it is none, or was changed.
    """
    try:
        if len(data) > MAX_MANIFEST_BYTES:
            raise ValueError(f"more than {MAX_MANIFEST_BYTES} bytes")
        document = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        chain = tuple(read_certificates(base64.b64decode(found.text or ""))[0] for found in document.iter(_CERTIFICATE))
        if not chain:
            raise ValueError("no certificate is in it")
        asked = SignatureConfiguration(
            signature_methods=frozenset({SignatureMethod.ECDSA_SHA384}),
            digest_algorithms=frozenset({DigestAlgorithm.SHA384}),
            # Whether the certificates are in force is asked for each report.
            verification_time=chain[0].not_valid_before_utc,
        )
        found = XMLVerifier().verify(document, x509_cert=chain[0], expect_config=asked)
        # Nothing but what was signed is read.
        signed = None if isinstance(found, list) else found.signed_xml
        meta = None if signed is None else signed.find("{*}Meta")
        if signed is None or meta is None:
            raise ValueError("what is signed has no description")
        golden = {
            str(int(resource.attrib["index"]) + 1): _values(resource.attrib)
            for resource in signed.iterfind("{*}Payload/{*}Resource")
            if resource.attrib["active"] == "True"
        }
        version = str(meta.attrib["colloquialVersion"]).lower()
    except (SignXMLException, etree.LxmlError, ReportRefused, ValueError, KeyError, TypeError) as error:
        raise ReportRefused(MANIFEST_UNFIT, f"no signed reference manifest of NVIDIA's: {error}") from error
    if not golden or not version:
        raise ReportRefused(MANIFEST_UNFIT, "a reference manifest without a version or without measurements")
    return ReferenceManifest(version, golden, chain)


def demand_golden(
    measurements: Mapping[str, bytes],
    versions: Sequence[str],
    ignored: Collection[str],
    manifests: Sequence[ReferenceManifest],
    roots: Sequence[x509.Certificate],
    at_s: int,
    lists: Lists = (),
) -> None:
    """For each of the ``versions`` (driver, VBIOS) that a report names, its measurements are those of a manifest.

    Args:
        measurements: of a report whose signature holds.
        versions: in small letters.
        ignored: names of measurements that do not count for this card.
        manifests: what is configured. Where several are of a version, as for several boards, one has to fit.
        roots, at_s, lists: as for certificates.

    Raises:
        ReportUndecided: no manifest of a version, none that holds, or other measurements. Whose fault that is cannot be told from here.
    """
    for version in versions:
        ours = [manifest for manifest in manifests if manifest.version == version]
        if not ours:
            raise ReportUndecided(REFERENCE_MISSING, f"no reference manifest of version {version} is configured")
        believed = [manifest for manifest in ours if _holds(manifest, roots, at_s, lists)]
        if not believed:
            raise ReportUndecided(MANIFEST_UNFIT, f"the manifest of {version} is of no root that is trusted, or over")
        if not any(_fits(measurements, ignored, manifest) for manifest in believed):
            raise ReportUndecided(NOT_GOLDEN, f"the card's measurements are not those of {version}")


def _holds(manifest: ReferenceManifest, roots: Sequence[x509.Certificate], at_s: int, lists: Lists) -> bool:
    try:
        trusted_key(manifest.chain, roots, at_s, lists)
    except ReportRefused:
        return False
    return True


def _fits(measurements: Mapping[str, bytes], ignored: Collection[str], manifest: ReferenceManifest) -> bool:
    return all(name in ignored or measurements.get(name) in values for name, values in manifest.golden.items())


def _values(attributes: Mapping[str, str]) -> frozenset[bytes]:
    found = frozenset(bytes.fromhex(value) for name, value in attributes.items() if _VALUE.fullmatch(name))
    if not found:
        raise ValueError("a measurement without a value")
    return found
