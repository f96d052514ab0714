"""Vendors' attestations: published ones up to the vendors' own roots, and ours up to ours.

a report
├── as a vendor published it: holds up to that vendor's root, and no byte of it may change
├── of another root, of an expired, broken or revoked chain, of another chip: refused
└── of a job
    ├── with the nonce of job and outputs, and wanted measurements: passes, beside other methods
    ├── of another job or result, debuggable, of other measurements, missing: fails
    └── alone, without configured roots, or by an unfit policy: no fault
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.verification.tee_reports import AT_S, Chain, chain, nvidia_report, snp_report, tdx_quote

from computility.domain.attestation import Verdict
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import Submission
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.content_store import FileContentStore
from computility.verification.check_result import CheckResult
from computility.verification.composition import ComposedVerifier
from computility.verification.tee.certificates import read_certificates, trusted_key
from computility.verification.tee.nvidia_report import check_nvidia_report
from computility.verification.tee.report_claims import ReportRefused, ReportUndecided
from computility.verification.tee.revocation import read_revocation_list
from computility.verification.tee.snp_report import check_snp_report
from computility.verification.tee.tdx_quote import check_tdx_quote
from computility.verification.tee.tee_jobs import NVIDIA, SEV_SNP, TDX, TeeVerifier, job_nonce

VECTORS = Path(__file__).parents[2] / "vectors" / "tee"
ENVIRONMENT = "process-linux-x86-64/debian-12/0123456789abcdef"
JOB = Bytes32("0x" + "a1" * 32)
MR_TD = b"\x0a" * 48


def published(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


# ---------------------------------------------------------------- as vendors published them


def test_a_quote_of_a_processor_of_intels__holds_up_to_intels_root__and_no_byte_of_it_may_change() -> None:
    quote, roots = published("tdx_quote_v4.bin"), read_certificates(published("intel_sgx_root.pem"))
    claims = check_tdx_quote(quote, roots, AT_S)
    assert len(claims.nonce) == 64
    assert claims.measurements["mr_td"] == quote[48 + 136 : 48 + 184]
    assert not claims.debug
    for place in (60, 48 + 140, 48 + 530, 640, 770, 1100):
        changed = bytearray(quote)
        changed[place] ^= 1
        with pytest.raises(ReportRefused):
            check_tdx_quote(bytes(changed), roots, AT_S)


def test_a_report_of_a_processor_of_amds__holds_up_to_amds_root__and_no_byte_of_it_may_change() -> None:
    report, vcek = published("snp_report.bin"), read_certificates(published("snp_vcek.der"))
    above = read_certificates(published("amd_milan.pem"))
    claims = check_snp_report(report, [*vcek, above[0]], above[1:], AT_S)
    assert claims.measurements["measurement"] == report[0x90:0xC0]
    for place in (0x08, 0x60, 0x95, 0x1A5, 0x2A5):
        changed = bytearray(report)
        changed[place] ^= 1
        with pytest.raises(ReportRefused):
            check_snp_report(bytes(changed), [*vcek, above[0]], above[1:], AT_S)


def test_nvidias_root__is_read__and_trusts_no_other_card() -> None:
    root = read_certificates(published("nvidia_device_root.pem"))
    ours = chain(ec.SECP384R1())
    report = nvidia_report(ours, bytes(32))
    assert check_nvidia_report(report, [ours.leaf], [ours.root], AT_S).measurements["1"] == b"\x0d" * 48
    with pytest.raises(ReportRefused) as refused:
        check_nvidia_report(report, [ours.leaf, ours.root], root, AT_S)
    assert refused.value.reason == "root-unknown"


# ---------------------------------------------------------------- chains


def test_a_root_of_the_same_name__is_not_that_root() -> None:
    ours, theirs = chain(ec.SECP256R1()), chain(ec.SECP256R1())
    assert trusted_key([ours.leaf], [ours.root], AT_S) == ours.leaf.public_key()
    for certificates in ([ours.leaf], [ours.leaf, ours.root], [ours.leaf, theirs.root]):
        with pytest.raises(ReportRefused):
            trusted_key(certificates, [theirs.root], AT_S)


def test_an_expired_leaf__and_an_issuer_that_is_no_authority__are_refused() -> None:
    expired = chain(ec.SECP256R1(), days=10)
    with pytest.raises(ReportRefused) as refused:
        trusted_key([expired.leaf], [expired.root], AT_S)
    assert refused.value.reason == "certificate-expired"
    nobody = chain(ec.SECP256R1(), is_authority=False)
    with pytest.raises(ReportRefused):
        trusted_key([nobody.leaf], [nobody.root], AT_S)


def test_a_report_of_another_chip_than_its_certificate__is_refused() -> None:
    ours = chain(ec.SECP384R1(), chip=b"\x0c" * 64)
    assert check_snp_report(snp_report(ours, bytes(64)), [ours.leaf], [ours.root], AT_S)
    with pytest.raises(ReportRefused) as refused:
        check_snp_report(snp_report(ours, bytes(64), chip=b"\xff" * 64), [ours.leaf], [ours.root], AT_S)
    assert refused.value.reason == "chip-of-another-certificate"


@pytest.mark.parametrize("length", [0, 47, 700, 1000])
def test_a_report_that_ends_too_early__is_refused(length: int) -> None:
    ours = chain(ec.SECP256R1())
    for check in (
        lambda data: check_tdx_quote(data, [ours.root], AT_S),
        lambda data: check_snp_report(data, [ours.leaf], [ours.root], AT_S),
        lambda data: check_nvidia_report(data, [ours.leaf], [ours.root], AT_S),
    ):
        with pytest.raises(ReportRefused):
            check(tdx_quote(ours, bytes(64))[:length])


# ---------------------------------------------------------------- of jobs


class Case:
    """A job whose report is among its outputs."""

    def __init__(self, folder: Path, kind: str = TDX) -> None:
        self.kind = kind
        self.content = FileContentStore(str(folder), 1 << 20)
        self.chain: Chain = chain(ec.SECP256R1() if kind == TDX else ec.SECP384R1())
        self.outputs = {"result.txt": b"42"}
        limits = CommandLimits(1, 1, 1 << 20, 1 << 16, 1, 1 << 16, 8)
        self.specification = TaskSpecification("process", ENVIRONMENT, (), ("true",), (), limits, 0, ZERO_BYTES32)
        measured = {TDX: ("mr_td", MR_TD), SEV_SNP: ("measurement", b"\x0b" * 48), NVIDIA: ("1", b"\x0d" * 48)}[kind]
        self.policy: dict[str, Any] = {
            "method": "tee", "kind": kind, "report": "tee/report", "measurements": {measured[0]: [measured[1].hex()]},
        }  # fmt: skip
        if kind != TDX:
            self.policy["certificates"] = "tee/chain.pem"

    def nonce(self, job: Bytes32 = JOB) -> bytes:
        """As the job should have it."""
        hashes = {path: hashlib.sha256(data).hexdigest() for path, data in self.outputs.items()}
        return job_nonce(self.kind, job, 1, hashes)

    def report(self, nonce: bytes) -> bytes:
        """A report by the case's chain."""
        make = {TDX: tdx_quote, SEV_SNP: snp_report, NVIDIA: nvidia_report}[self.kind]
        return make(self.chain, nonce)

    def check(self, report: bytes | None, policy: Any = None, *, roots: bool = True) -> CheckResult:
        """What a verifier says of a result with this report."""
        files = dict(self.outputs)
        if report is not None:
            files |= {"tee/report": report, "tee/chain.pem": self.chain.pem}
        if self.kind == TDX:
            files.pop("tee/chain.pem", None)
        for data in files.values():
            self.content.put(data)
        entries = [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()]
        manifest = make_manifest(self.specification.digest, ENVIRONMENT, None, entries)
        self.content.put(manifest.to_bytes())
        submission = Submission(JOB, 1, manifest.digest, 1, ZERO_BYTES32, AT_S)
        verifier = TeeVerifier(self.content, {self.kind: [self.chain.root]} if roots else {})
        return verifier.verify(self.specification, submission, policy or self.policy, bytes(32))


@pytest.mark.parametrize("kind", [TDX, SEV_SNP, NVIDIA])
def test_a_report_of_the_job_and_its_outputs__passes(tmp_path: Path, kind: str) -> None:
    case = Case(tmp_path, kind)
    found = case.check(case.report(case.nonce()))
    assert (found.verdict, found.reason, found.soundness_bits) == (Verdict.PASS, "report-holds", 0.0)


@pytest.mark.parametrize("kind", [TDX, SEV_SNP, NVIDIA])
def test_a_report_of_another_job__fails(tmp_path: Path, kind: str) -> None:
    case = Case(tmp_path, kind)
    found = case.check(case.report(case.nonce(Bytes32("0x" + "b2" * 32))))
    assert (found.verdict, found.reason) == (Verdict.FAIL, "nonce-differs")


def test_a_report_of_other_outputs__fails(tmp_path: Path) -> None:
    case = Case(tmp_path)
    report = case.report(case.nonce())
    case.outputs["result.txt"] = b"41"
    assert case.check(report).reason == "nonce-differs"


def test_what_is_measured_otherwise__debuggable__unsigned_or_missing__fails(tmp_path: Path) -> None:
    case = Case(tmp_path)
    assert case.check(tdx_quote(case.chain, case.nonce(), mr_td=b"\x01" * 48)).reason == "measurement-differs"
    assert case.check(tdx_quote(case.chain, case.nonce(), debug=True)).reason == "debuggable"
    broken = bytearray(case.report(case.nonce()))
    broken[640] ^= 1
    assert case.check(bytes(broken)).verdict is Verdict.FAIL
    assert case.check(None).reason == "report-missing"


def test_a_verifier_without_roots__and_a_policy_without_measurements__cannot_tell(tmp_path: Path) -> None:
    case = Case(tmp_path)
    report = case.report(case.nonce())
    assert case.check(report, roots=False).reason == "no-roots"
    found = case.check(report, {**case.policy, "measurements": {}})
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "policy-unfit")


class Says:
    """A method with one answer."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def verify(self, *_: Any) -> CheckResult:
        """That answer."""
        return CheckResult(self._verdict, "said", 1.0)


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ({"method": "tee"}, Verdict.NO_FAULT),
        ({"method": "all-of", "of": [{"method": "tee"}, {"method": "tee"}]}, Verdict.NO_FAULT),
        ({"method": "any-of", "of": [{"method": "run"}, {"method": "tee"}]}, Verdict.NO_FAULT),
        ({"method": "sampled", "bps": 5_000, "of": [{"method": "tee"}]}, Verdict.NO_FAULT),
        ({"method": "all-of", "of": [{"method": "run"}, {"method": "tee"}]}, Verdict.PASS),
    ],
)
def test_a_vendors_word__never_lets_a_result_pass_alone(policy: dict[str, Any], verdict: Verdict) -> None:
    composed = ComposedVerifier({"tee": Says(Verdict.PASS), "run": Says(Verdict.PASS)})
    limits = CommandLimits(1, 1, 1 << 20, 1 << 16, 1, 1 << 16, 8)
    specification = TaskSpecification("process", ENVIRONMENT, (), ("true",), (), limits, 0, ZERO_BYTES32)
    submission = replace(Submission(JOB, 1, ZERO_BYTES32, 1, ZERO_BYTES32, AT_S))
    found = composed.verify(specification, submission, policy, bytes(32))
    assert found.verdict is verdict
    if verdict is Verdict.NO_FAULT:
        assert found.reason == "tee-alone"


# ---------------------------------------------------------------- certificates that were taken back, or that no library will load


def test_a_certificate_of_serial_number_0__is_read_without_a_warning__and_what_was_signed_is_what_is_checked() -> None:
    vcek_der = published("snp_vcek.der")
    assert b"\x02\x01\x00" in vcek_der[:24]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (vcek,) = read_certificates(vcek_der)
        ask, ark = read_certificates(published("amd_milan.pem"))
        trusted_key([vcek, ask], [ark], AT_S)
    other = bytearray(vcek_der)
    other[-1] ^= 1
    with pytest.raises(ReportRefused):
        trusted_key([*read_certificates(bytes(other)), ask], [ark], AT_S)


def revocations(by: Chain, *serials: int, until_s: int = AT_S + 100) -> x509.CertificateRevocationList:
    at = datetime.fromtimestamp(AT_S - 100, UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.root.subject)
        .last_update(at)
        .next_update(datetime.fromtimestamp(until_s, UTC))
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(by.root_key, hashes.SHA384())


def test_a_certificate_that_its_issuer_took_back__is_refused__and_what_others_say_of_it_is_not_heard() -> None:
    ours, theirs = chain(ec.SECP384R1()), chain(ec.SECP384R1())
    trusted_key([ours.leaf], [ours.root], AT_S, [revocations(ours, ours.leaf.serial_number + 1)])
    # The same name, and another key.
    trusted_key([ours.leaf], [ours.root], AT_S, [revocations(theirs, ours.leaf.serial_number)])
    for shown in ([ours.leaf], [ours.leaf, ours.root]):
        with pytest.raises(ReportRefused) as refused:
            trusted_key(shown, [ours.root], AT_S, [revocations(ours, ours.leaf.serial_number)])
        assert refused.value.reason == "certificate-revoked"


def test_a_revocation_list_that_is_out_of_date__tells_nothing_unless_it_names_the_certificate() -> None:
    ours = chain(ec.SECP384R1())
    with pytest.raises(ReportUndecided) as undecided:
        trusted_key([ours.leaf], [ours.root], AT_S, [revocations(ours, until_s=AT_S - 1)])
    assert undecided.value.reason == "revocation-list-stale"
    with pytest.raises(ReportRefused):
        trusted_key([ours.leaf], [ours.root], AT_S, [revocations(ours, ours.leaf.serial_number, until_s=AT_S - 1)])
    trusted_key([ours.leaf], [ours.root], AT_S, [revocations(ours, until_s=AT_S - 1), revocations(ours)])


def test_a_file_that_is_no_revocation_list__is_refused() -> None:
    with pytest.raises(ReportRefused, match="no revocation list"):
        read_revocation_list(b"something else")
