"""``tee``: the job ran where its owner cannot look in, says the vendor. Evidence beside other methods, and never alone:

    {"method": "all-of", "of": [{"method": "reexec-quorum"},
        {"method": "tee", "kind": "tdx", "report": "tee/quote.bin", "measurements": {"mr_td": ["<hex>"]}}]}

``kind`` is ``tdx``, ``sev-snp`` or ``nvidia``; the last two name a file with the ``certificates`` of the key (PEM, the leaf first; DER for one). The
report is an output of the job. Its nonce is that of the job, the attempt and every other output (`job_nonce`), so that it can be made neither before
the job nor for another result. Each measurement that the policy names has to be one of those that it lists; no report may allow debugging.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from cryptography import x509

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidManifest
from computility.domain.identifiers import Bytes32
from computility.domain.manifest import OutputManifest, parse_manifest
from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.execution.content_store import ContentStore
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT, TEE
from computility.verification.product_jobs import MANIFEST_UNFIT
from computility.verification.tee.certificates import read_certificates
from computility.verification.tee.nvidia_report import HeldAgainst, check_nvidia_report
from computility.verification.tee.reference_manifest import ReferenceManifest, demand_golden
from computility.verification.tee.report_claims import ReportClaims, ReportRefused, ReportUndecided
from computility.verification.tee.revocation import Lists
from computility.verification.tee.snp_minimum import Minimum
from computility.verification.tee.snp_report import check_snp_report
from computility.verification.tee.tcb_level import UP_TO_DATE
from computility.verification.tee.tdx_collateral import TdxCollateral
from computility.verification.tee.tdx_quote import check_tdx_quote

TDX: Final = "tdx"
SEV_SNP: Final = "sev-snp"
NVIDIA: Final = "nvidia"
KINDS: Final = (TDX, SEV_SNP, NVIDIA)
NVIDIA_REFERENCES: Final = "nvidia-rim"
"""Roots of NVIDIA's reference manifests, which are others than those of its cards."""
ROOT_KINDS: Final = (*KINDS, NVIDIA_REFERENCES)
REPORT_HOLDS: Final = "report-holds"
REPORT_MISSING: Final = "report-missing"
NO_ROOTS: Final = "no-roots"
NONCE_DIFFERS: Final = "nonce-differs"
MEASUREMENT_DIFFERS: Final = "measurement-differs"
DEBUGGABLE: Final = "debuggable"
_NONCE_BYTES: Final = {TDX: 64, SEV_SNP: 64, NVIDIA: 32}


def job_nonce(kind: str, job: Bytes32, attempt: int, outputs: Mapping[str, str]) -> bytes:
    """What the report of a job has to hold: the hash of job, attempt and outputs, zeros behind it where the vendor has more room.

    ``outputs`` are the SHA-256, in hex, of every output by its path, but for the report and its certificates.
    """
    hashed = hashlib.sha256(b"computility/tee/1" + bytes.fromhex(job[2:]) + attempt.to_bytes(4, "big"))
    for path, digest in sorted(outputs.items()):
        hashed.update(hashlib.sha256(path.encode()).digest() + bytes.fromhex(digest))
    return hashed.digest().ljust(_NONCE_BYTES[kind], b"\0")


class TeeVerifier:
    """Checks reports up to the roots that are configured, by kind, and against revocation lists; none are built in. With Intel's
    ``collateral`` the TCB level of a TDX machine has to be among ``allowed``, which are Intel's words; with a ``minimum`` AMD's firmware has to be
    as new; with NVIDIA's ``references`` a card's measurements have to be theirs."""

    def __init__(
        self,
        content: ContentStore,
        roots: Mapping[str, Sequence[x509.Certificate]],
        lists: Mapping[str, Lists] | None = None,
        collateral: Sequence[TdxCollateral] = (),
        allowed: Collection[str] = (UP_TO_DATE,),
        minimum: Minimum | None = None,
        references: Sequence[ReferenceManifest] = (),
    ) -> None:
        self._content = content
        self._lists = dict(lists or {})
        self._collateral = tuple(collateral)
        self._allowed = frozenset(allowed)
        self._minimum = minimum
        self._references = tuple(references)
        self._roots = {kind: list(trusted) for kind, trusted in roots.items()}

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As `Verifier.verify`. The certificates have to be valid when the provider submitted."""
        if not _is_fit(policy):
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        kind = policy["kind"]
        if not self._roots.get(kind):
            return CheckResult(Verdict.NO_FAULT, NO_ROOTS)
        try:
            manifest = parse_manifest(self._content.get(content_id_of_digest(submission.result)))
            report = self._file(manifest, policy["report"])
            certificates = self._file(manifest, policy["certificates"]) if "certificates" in policy else b""
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except InvalidManifest:
            return CheckResult(Verdict.FAIL, MANIFEST_UNFIT)
        if report is None or certificates is None:
            return CheckResult(Verdict.FAIL, REPORT_MISSING)
        try:
            claims = self._claims(kind, report, certificates, submission.submitted_at)
        except ReportRefused as refused:
            return CheckResult(Verdict.FAIL, refused.reason)
        except ReportUndecided as undecided:
            return CheckResult(Verdict.NO_FAULT, undecided.reason)
        beside = {policy["report"], policy.get("certificates")}
        outputs = {file.path: file.sha256 for file in manifest.files if file.path not in beside}
        if claims.nonce != job_nonce(kind, submission.job, submission.attempt, outputs):
            return CheckResult(Verdict.FAIL, NONCE_DIFFERS)
        if claims.debug:
            return CheckResult(Verdict.FAIL, DEBUGGABLE)
        for name, allowed in policy["measurements"].items():
            if claims.measurements.get(name, b"").hex() not in allowed:
                return CheckResult(Verdict.FAIL, MEASUREMENT_DIFFERS)
        # A vendor's word, and no probability: it adds no bits.
        return CheckResult(Verdict.PASS, REPORT_HOLDS)

    def _claims(self, kind: str, report: bytes, certificates: bytes, at_s: int) -> ReportClaims:
        roots, lists = self._roots[kind], self._lists.get(kind, ())
        if kind == TDX:
            return check_tdx_quote(report, roots, at_s, lists, self._collateral, self._allowed)
        chain = read_certificates(certificates)
        if kind == SEV_SNP:
            return check_snp_report(report, chain, roots, at_s, lists, self._minimum)
        return check_nvidia_report(report, chain, roots, at_s, lists, self._held_against(at_s))

    def _held_against(self, at_s: int) -> HeldAgainst | None:
        if not self._references:
            return None
        roots, lists = self._roots.get(NVIDIA_REFERENCES, []), self._lists.get(NVIDIA_REFERENCES, ())
        return lambda measurements, versions, ignored: demand_golden(
            measurements, versions, ignored, self._references, roots, at_s, lists
        )

    def _file(self, manifest: OutputManifest, path: str) -> bytes | None:
        file = next((file for file in manifest.files if file.path == path), None)
        return None if file is None else self._content.get(file.cid)


def _is_fit(policy: Mapping[str, Any]) -> bool:
    measurements, kind = policy.get("measurements"), policy.get("kind")
    return (
        policy.get("method") == TEE
        and kind in KINDS
        and isinstance(policy.get("report"), str)
        and (kind == TDX or isinstance(policy.get("certificates"), str))
        and isinstance(measurements, Mapping)
        and bool(measurements)
        and all(isinstance(allowed, list) and allowed for allowed in measurements.values())
    )
