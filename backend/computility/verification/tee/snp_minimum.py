"""The least firmware versions (TCB) of AMD's processors that whoever checks accepts, from a file of its own:

    {"Milan": {"bootloader": 4, "snp": 24, "microcode": 219}, "Turin": {"fmc": 0, "bootloader": 1, "snp": 4, "microcode": 85}}

A processor's line is what its certificate calls it (VCEK; AMD, "Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification",
table 8). The versions are those of ``reported_tcb`` (SEV-SNP Firmware ABI Specification, section 2.2), for which the certificate was made too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from cryptography import x509

from computility.verification.tee.certificates import extension
from computility.verification.tee.report_claims import ReportRefused, ReportUndecided

MAX_MINIMUM_BYTES: Final = 64 * 1024
MINIMUM_UNFIT: Final = "minimum-unfit"
LINE_UNKNOWN: Final = "processor-line-unknown"
TCB_BELOW: Final = "tcb-below-minimum"
TCB_OF_ANOTHER_CERTIFICATE: Final = "tcb-of-another-certificate"
_BYTES: Final = 8
_LINE: Final = "1.3.6.1.4.1.3704.1.2"
_SPL: Final = "1.3.6.1.4.1.3704.1.3."
_PLACES: Final = {"bootloader": 0, "tee": 1, "snp": 6, "microcode": 7}
_PLACES_OF_TURIN: Final = {"fmc": 0, "bootloader": 1, "tee": 2, "snp": 3, "microcode": 7}
_EXTENSIONS: Final = {"bootloader": "1", "tee": "2", "snp": "3", "microcode": "8", "fmc": "9"}

Minimum = Mapping[str, Mapping[str, int]]
"""By line of processors, by part of the firmware."""


def read_minimum(data: bytes) -> Minimum:
    """Read a file.

    Raises:
        ReportRefused: it is none; the message says what does not fit.
    """
    try:
        if len(data) > MAX_MINIMUM_BYTES:
            raise ValueError(f"more than {MAX_MINIMUM_BYTES} bytes")
        found = json.loads(data)
        for line, parts in found.items():
            if unknown := set(parts) - places_of(line).keys():
                raise ValueError(f"{line} has no version of {', '.join(sorted(unknown))}")
            if not parts or not all(type(version) is int and 0 <= version < 256 for version in parts.values()):
                raise ValueError(f"the versions of {line} are numbers below 256")
    except (ValueError, AttributeError, TypeError) as error:
        raise ReportRefused(MINIMUM_UNFIT, f"no least versions of AMD's processors: {error}") from error
    return {str(line): dict(parts) for line, parts in found.items()}


def demand_minimum(tcb: bytes, certificate: x509.Certificate, minimum: Minimum) -> None:
    """Whether every version of ``reported_tcb``, 8 bytes, reaches what is demanded of the certificate's line of processors.

    Raises:
        ReportRefused: the certificate is of other versions: the report is not of this key.
        ReportUndecided: a version is below, or nothing is known of the line. Whoever runs an old machine cheats nobody.
    """
    encoded = extension(certificate, _LINE)
    # An IA5String: tag, length, then a name like Milan-B0.
    line = encoded[2:].decode("ascii", errors="replace").partition("-")[0] if encoded else ""
    if line not in minimum:
        raise ReportUndecided(LINE_UNKNOWN, f"no least versions of the processors {line or 'without a line'} are named")
    versions = {part: tcb[place] for part, place in places_of(line).items()}
    for part, version in versions.items():
        certified = extension(certificate, _SPL + _EXTENSIONS[part])
        if certified is not None and certified[-1] != version:
            raise ReportRefused(
                TCB_OF_ANOTHER_CERTIFICATE, f"the certificate is of {part} {certified[-1]}, the report of {version}"
            )
    for part, least in minimum[line].items():
        if versions[part] < least:
            raise ReportUndecided(TCB_BELOW, f"{part} is of version {versions[part]}, and at least {least} is demanded")


def places_of(line: str) -> Mapping[str, int]:
    """Where the parts' versions stand in a TCB."""
    return _PLACES_OF_TURIN if line == "Turin" else _PLACES
