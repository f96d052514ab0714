"""Vendors' root certificates and revocation lists as somebody who checks configures them: ``KIND=FILE``, in PEM or DER; Intel's
collateral, AMD's least versions, and NVIDIA's reference manifests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from computility.domain.errors import InvalidMessage
from computility.execution.content_store import ContentStore
from computility.verification.composition import TEE
from computility.verification.verifier import Verifier

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateRevocationList


def tee_methods(
    settings: Sequence[str],
    content: ContentStore,
    revocations: Sequence[str] = (),
    collaterals: Sequence[Path] = (),
    levels: Sequence[str] = (),
    minimum: Path | None = None,
    references: Sequence[Path] = (),
) -> dict[str, Verifier]:
    """The method ``tee`` with these roots and revocation lists; none without any root. With files of Intel's collateral TDX machines have to be
    of one of the TCB ``levels``: up to date, unless told. AMD's machines have to reach the versions of the file ``minimum``, and the measurements
    of NVIDIA's cards to be those of the ``references``, whose root is of the kind ``nvidia-rim``.

    Raises:
        InvalidMessage: no such kind, file or level, what a file holds is something else, or the extra is not installed.
    """
    if not settings:
        return {}
    try:
        from computility.verification.tee.certificates import read_certificates
        from computility.verification.tee.reference_manifest import read_manifest
        from computility.verification.tee.report_claims import ReportRefused
        from computility.verification.tee.revocation import read_revocation_list
        from computility.verification.tee.snp_minimum import read_minimum
        from computility.verification.tee.tcb_level import STATUSES, UP_TO_DATE
        from computility.verification.tee.tdx_collateral import read_collateral
        from computility.verification.tee.tee_jobs import NVIDIA_REFERENCES, ROOT_KINDS, TeeVerifier
    except ModuleNotFoundError as error:
        raise InvalidMessage("attestations are checked with the extra: pip install 'computility[tee]'") from error
    roots: dict[str, list[Certificate]] = {}
    lists: dict[str, list[CertificateRevocationList]] = {}
    for setting in (*settings, *revocations):
        kind, _, file = setting.partition("=")
        if kind not in ROOT_KINDS or not file:
            raise InvalidMessage(f"name KIND=FILE with one of the kinds {', '.join(ROOT_KINDS)}, not {setting[:80]!r}")
    for setting in settings:
        kind, _, file = setting.partition("=")
        try:
            roots.setdefault(kind, []).extend(read_certificates(Path(file).read_bytes()))
        except (OSError, ReportRefused) as error:
            raise InvalidMessage(f"{file} holds no root certificates: {error}") from error
    for setting in revocations:
        kind, _, file = setting.partition("=")
        try:
            lists.setdefault(kind, []).append(read_revocation_list(Path(file).read_bytes()))
        except (OSError, ReportRefused) as error:
            raise InvalidMessage(f"{file} holds no revocation list: {error}") from error
    words = {slug: word for word, slug in STATUSES.items()}
    if unknown := set(levels) - words.keys():
        raise InvalidMessage(f"a TCB level is one of {', '.join(words)}, not {', '.join(sorted(unknown))}")
    try:
        collateral = [read_collateral(file.read_bytes()) for file in collaterals]
    except (OSError, ReportRefused) as error:
        raise InvalidMessage(f"no collateral can be read: {error}") from error
    try:
        least = read_minimum(minimum.read_bytes()) if minimum else None
        manifests = [read_manifest(file.read_bytes()) for file in references]
    except (OSError, ReportRefused) as error:
        raise InvalidMessage(f"not to be read: {error}") from error
    if manifests and NVIDIA_REFERENCES not in roots:
        raise InvalidMessage(f"name the root of NVIDIA's reference manifests too: --tee-root {NVIDIA_REFERENCES}=FILE")
    allowed = [words[level] for level in levels] or [UP_TO_DATE]
    return {TEE: TeeVerifier(content, roots, lists, collateral, allowed, least, manifests)}
