"""Attestations held against what their vendors call good: NVIDIA's reference manifests, AMD's versions; and quotes of TDX 1.5.

a reference manifest
├── as NVIDIA signed it: read, up to NVIDIA's root, while its certificate is in force; no byte of what is signed may change
├── of the versions that a report names: the report's measurements have to be among its values
└── missing, of another root, or over: undecided, as are other measurements
least versions of AMD's firmware
├── reached by a published report
├── not reached, or of another line of processors: undecided
└── of another certificate: refused
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from tests.unit.verification.tee_reports import AT_S, Chain, chain, tdx_quote

from computility.domain.errors import InvalidMessage
from computility.execution.content_store import FileContentStore
from computility.services.tee_roots import tee_methods
from computility.verification.tee.certificates import read_certificates
from computility.verification.tee.nvidia_report import check_nvidia_report
from computility.verification.tee.reference_manifest import ReferenceManifest, demand_golden, read_manifest
from computility.verification.tee.report_claims import ReportRefused, ReportUndecided
from computility.verification.tee.snp_minimum import demand_minimum, read_minimum
from computility.verification.tee.snp_report import check_snp_report
from computility.verification.tee.tdx_quote import check_tdx_quote

VECTORS = Path(__file__).parents[2] / "vectors" / "tee"
IN_FORCE_S = 1_717_200_000  # 1 June 2024
DRIVER, VBIOS = "550.90.07", "96.00.9f.00.01"


def published(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def certificates(name: str) -> list[Any]:
    return read_certificates(published(name))


def report_of_an_h100(held_against: Any = None) -> Any:
    return check_nvidia_report(
        published("nvidia_report.bin"),
        certificates("nvidia_chain.pem"),
        certificates("nvidia_device_root.pem"),
        IN_FORCE_S,
        (),
        held_against,
    )


def manifest_by(by: Chain, version: str, values: dict[str, list[str]]) -> bytes:
    """A manifest as NVIDIA writes it, of measurements by their name in a report."""
    space = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
    document = etree.Element(f"{{{space}}}SoftwareIdentity", nsmap={None: space}, name="GH100")
    etree.SubElement(document, f"{{{space}}}Meta", colloquialVersion=version)
    payload = etree.SubElement(document, f"{{{space}}}Payload")
    for name, found in values.items():
        hashes = {f"{{http://www.w3.org/2001/04/xmlenc#sha384}}Hash{at}": value for at, value in enumerate(found)}
        index = {"index": str(int(name) - 1), "active": "True"}
        etree.SubElement(payload, f"{{{space}}}Resource", {**index, **hashes})
    signer = XMLSigner(
        signature_algorithm="ecdsa-sha384",
        digest_algorithm="sha384",
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    return etree.tostring(
        signer.sign(document, key=by.leaf_key, cert=[by.leaf.public_bytes(serialization.Encoding.PEM).decode()])
    )


# ---------------------------------------------------------------- as NVIDIA signed them


def test_a_report_of_an_h100__holds_up_to_nvidias_root__and_no_byte_of_it_may_change() -> None:
    report = published("nvidia_report.bin")
    assert len(report_of_an_h100().measurements) == 64
    for place in (10, 60, 1_000, len(report) - 5):
        changed = bytearray(report)
        changed[place] ^= 1
        with pytest.raises(ReportRefused):
            check_nvidia_report(
                bytes(changed), certificates("nvidia_chain.pem"), certificates("nvidia_device_root.pem"), IN_FORCE_S
            )


@pytest.mark.parametrize(("name", "version"), [("nvidia_driver", "545.00"), ("nvidia_vbios", "96.00.5e.00.01")])
def test_nvidias_manifests__are_read__and_no_value_in_them_may_change(name: str, version: str) -> None:
    data = published(f"{name}.swidtag")
    manifest = read_manifest(data)
    assert manifest.version == version
    assert manifest.golden
    golden = next(iter(next(iter(manifest.golden.values()))))
    with pytest.raises(ReportRefused):
        read_manifest(data.replace(golden.hex().encode(), hashlib.sha384(b"another").hexdigest().encode(), 1))
    with pytest.raises(ReportRefused):
        read_manifest(data.replace(b'active="False"', b'active="True"', 1))


def test_nvidias_manifests__hold_up_to_nvidias_root__while_their_certificates_are_in_force() -> None:
    manifest = read_manifest(published("nvidia_driver.swidtag"))
    measurements = {name: next(iter(values)) for name, values in manifest.golden.items()}
    root = certificates("nvidia_reference_root.pem")
    demand_golden(measurements, ["545.00"], (), [manifest], root, IN_FORCE_S)
    for roots, at_s in ((certificates("nvidia_device_root.pem"), IN_FORCE_S), (root, IN_FORCE_S + 5 * 365 * 86_400)):
        with pytest.raises(ReportUndecided) as undecided:
            demand_golden(measurements, ["545.00"], (), [manifest], roots, at_s)
        assert undecided.value.reason == "reference-unfit"


# ---------------------------------------------------------------- a real report, and manifests of the tests' own


def held_against(manifests: list[ReferenceManifest], by: Chain) -> Any:
    return lambda found, versions, ignored: demand_golden(found, versions, ignored, manifests, [by.root], AT_S)


def reason_of(manifests: list[ReferenceManifest], by: Chain) -> str:
    with pytest.raises(ReportUndecided) as undecided:
        report_of_an_h100(held_against(manifests, by))
    return undecided.value.reason


@pytest.fixture(scope="module")
def ours() -> Chain:
    return chain(ec.SECP384R1())


def test_a_report__whose_measurements_are_those_of_its_driver_and_vbios__holds(ours: Chain) -> None:
    values = {name: [value.hex()] for name, value in report_of_an_h100().measurements.items()}
    driver = read_manifest(manifest_by(ours, DRIVER, {"8": ["00" * 48, *values["8"]], "25": values["25"]}))
    vbios = read_manifest(manifest_by(ours, VBIOS.upper(), {"2": values["2"]}))
    assert report_of_an_h100(held_against([driver, vbios], ours)).measurements["8"]
    assert reason_of([driver], ours) == "reference-missing"
    assert reason_of([driver, vbios], chain(ec.SECP384R1())) == "reference-unfit"
    other = read_manifest(manifest_by(ours, DRIVER, {"8": ["00" * 48]}))
    assert reason_of([other, vbios], ours) == "measurement-not-golden"
    assert report_of_an_h100(held_against([other, driver, vbios], ours))
    more = read_manifest(manifest_by(ours, VBIOS, {"2": values["2"], "65": ["00" * 48]}))
    assert reason_of([driver, more], ours) == "measurement-not-golden"


def test_the_measurement_of_a_decoder_that_is_switched_off__does_not_count(ours: Chain) -> None:
    values = {name: [value.hex()] for name, value in report_of_an_h100().measurements.items()}
    driver = read_manifest(manifest_by(ours, DRIVER, {"8": values["8"], "36": ["00" * 48]}))
    vbios = read_manifest(manifest_by(ours, VBIOS, {"2": values["2"]}))
    assert report_of_an_h100(held_against([driver, vbios], ours))


# ---------------------------------------------------------------- AMD's versions


def least(**parts: int) -> Any:
    return read_minimum(json.dumps({"Milan": parts}).encode())


def test_a_published_report_of_amds__reaches_its_own_versions_and_no_higher_ones() -> None:
    report, vcek, above = published("snp_report.bin"), certificates("snp_vcek.der"), certificates("amd_milan.pem")
    tcb = report[0x180:0x188]
    has = {"bootloader": tcb[0], "tee": tcb[1], "snp": tcb[6], "microcode": tcb[7]}

    def check(minimum: Any) -> None:
        check_snp_report(report, [*vcek, above[0]], above[1:], AT_S, (), minimum)

    check(least(**has))
    for part, version in has.items():
        with pytest.raises(ReportUndecided) as undecided:
            check(least(**{**has, part: version + 1}))
        assert undecided.value.reason == "tcb-below-minimum"
    with pytest.raises(ReportUndecided) as undecided:
        check(read_minimum(b'{"Genoa": {"snp": 1}}'))
    assert undecided.value.reason == "processor-line-unknown"
    with pytest.raises(ReportRefused) as refused:
        demand_minimum(bytes([tcb[0] + 1]) + tcb[1:], vcek[0], least(**has))
    assert refused.value.reason == "tcb-of-another-certificate"


@pytest.mark.parametrize("text", ["[]", "{", '{"Milan": {"fmc": 1}}', '{"Milan": {}}', '{"Milan": {"snp": 256}}'])
def test_a_file_of_least_versions__with_something_else_in_it__is_refused(text: str) -> None:
    with pytest.raises(ReportRefused):
        read_minimum(text.encode())


# ---------------------------------------------------------------- TDX 1.5


@pytest.mark.parametrize("kind", [2, 3])
def test_a_quote_of_version_5__says_what_its_body_is(kind: int) -> None:
    by = chain(ec.SECP256R1())
    nonce = bytes(range(64))
    quote = tdx_quote(by, nonce, body_kind=kind)
    claims = check_tdx_quote(quote, [by.root], AT_S)
    assert claims.nonce == nonce
    assert ("mr_service_td" in claims.measurements) == (kind == 3)
    for place in (48, 50, 60, 54 + 584 - 1):
        changed = bytearray(quote)
        changed[place] ^= 1
        with pytest.raises(ReportRefused):
            check_tdx_quote(bytes(changed), [by.root], AT_S)


# ---------------------------------------------------------------- as they are configured


def test_manifests_without_their_root__and_files_of_something_else__are_told_of(tmp_path: Path) -> None:
    content = FileContentStore(str(tmp_path / "content"), 2**20)
    device, root = (VECTORS / name for name in ("nvidia_device_root.pem", "nvidia_reference_root.pem"))
    manifests = [VECTORS / "nvidia_driver.swidtag"]
    with pytest.raises(InvalidMessage, match="nvidia-rim"):
        tee_methods([f"nvidia={device}"], content, references=manifests)
    assert tee_methods([f"nvidia={device}", f"nvidia-rim={root}"], content, references=manifests)
    with pytest.raises(InvalidMessage, match="manifest"):
        tee_methods([f"nvidia={device}", f"nvidia-rim={root}"], content, references=[root])
    with pytest.raises(InvalidMessage, match="least versions"):
        tee_methods([f"sev-snp={VECTORS / 'amd_milan.pem'}"], content, minimum=root)
