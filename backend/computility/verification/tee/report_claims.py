"""What a vendor's attestation says, in words that all vendors share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

REPORT_UNFIT: Final = "report-unfit"


class ReportRefused(ValueError):
    """The attestation does not hold. ``reason`` is a slug."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ReportUndecided(Exception):
    """What is configured here does not tell whether the attestation holds: nobody's fault. ``reason`` is a slug."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class ReportClaims:
    """Of a report whose signatures hold up to a root. ``nonce`` is what whoever asked for it put in; ``measurements`` are by name, as bytes;
    ``debug``: the owner of the machine can look into it."""

    nonce: bytes
    measurements: Mapping[str, bytes] = field(default_factory=dict)
    debug: bool = False
