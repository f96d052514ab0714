"""Vendors' root certificates as somebody who checks configures them: ``KIND=FILE``, with certificates in PEM or one in DER."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from computility.domain.errors import InvalidMessage
from computility.execution.content_store import ContentStore
from computility.verification.composition import TEE
from computility.verification.verifier import Verifier

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def tee_methods(settings: Sequence[str], content: ContentStore) -> dict[str, Verifier]:
    """The method ``tee`` with these roots; none without any.

    Raises:
        InvalidMessage: no such kind or file, no certificates, or the extra is not installed.
    """
    if not settings:
        return {}
    try:
        from computility.verification.tee.certificates import read_certificates
        from computility.verification.tee.report_claims import ReportRefused
        from computility.verification.tee.tee_jobs import KINDS, TeeVerifier
    except ModuleNotFoundError as error:
        raise InvalidMessage("attestations are checked with the extra: pip install 'computility[tee]'") from error
    roots: dict[str, list[Certificate]] = {}
    for setting in settings:
        kind, _, file = setting.partition("=")
        if kind not in KINDS or not file:
            raise InvalidMessage(f"a root is KIND=FILE with one of the kinds {', '.join(KINDS)}, not {setting[:80]!r}")
        try:
            roots.setdefault(kind, []).extend(read_certificates(Path(file).read_bytes()))
        except (OSError, ReportRefused) as error:
            raise InvalidMessage(f"{file} holds no root certificates: {error}") from error
    return {TEE: TeeVerifier(content, roots)}
