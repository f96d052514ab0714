"""The TCB level of a TDX machine: whether firmware, TDX module and quoting enclave behind a quote are those that Intel calls up to date.

The steps are those of Intel's PCS documentation (“Enhanced TCB level determination”, TCB info of version 3): the module's level by its minor
version, the platform's by the first level of which every component is reached, the enclave's by its ISVSVN; of the three the worst counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from computility.verification.tee.report_claims import ReportUndecided
from computility.verification.tee.revocation import Lists
from computility.verification.tee.tdx_collateral import COLLATERAL_UNFIT, TdxCollateral

UP_TO_DATE: Final = "UpToDate"
STATUSES: Final = {
    UP_TO_DATE: "up-to-date",
    "SWHardeningNeeded": "sw-hardening-needed",
    "ConfigurationNeeded": "configuration-needed",
    "ConfigurationAndSWHardeningNeeded": "configuration-and-sw-hardening-needed",
    "OutOfDate": "out-of-date",
    "OutOfDateConfigurationNeeded": "out-of-date-configuration-needed",
    "Revoked": "revoked",
}
"""Intel's words, and ours for a reason."""
COLLATERAL_MISSING: Final = "collateral-missing"
TCB_UNKNOWN: Final = "tcb-unknown"
_COMPONENTS: Final = 16
_OUT_OF_DATE: Final = "OutOfDate"
_REVOKED: Final = "Revoked"


@dataclass(frozen=True)
class EnclaveReport:
    """What a quoting enclave's report says of the enclave. Identities as raw bytes."""

    misc_select: bytes
    attributes: bytes
    mr_signer: bytes
    product: int
    version: int


@dataclass(frozen=True)
class PlatformTcb:
    """The versions behind a quote: ``fmspc`` and ``pce_id`` in hex, 16 ``components`` and ``pce_version`` of the processor's certificate, 16
    ``tee_versions`` of the quote, signer and attributes of the TDX module, and the quoting enclave."""

    fmspc: str
    pce_id: str
    components: Sequence[int]
    pce_version: int
    tee_versions: Sequence[int]
    module_signer: bytes
    module_attributes: bytes
    enclave: EnclaveReport


def demand_level(
    platform: PlatformTcb,
    collateral: Sequence[TdxCollateral],
    allowed: Collection[str],
    roots: Sequence[x509.Certificate],
    at_s: int,
    lists: Lists = (),
) -> str:
    """The level of a platform, one of ``allowed``.

    Args:
        platform: the versions behind a quote whose signatures hold.
        collateral: what is configured; that of the platform's family is taken, the newest that is in force.
        allowed: of Intel's words.
        roots, at_s, lists: as for certificates.

    Raises:
        ReportUndecided: another level, no collateral of the family, or none that holds. Whoever runs an old machine cheats nobody.
    """
    ours = [one for one in collateral if one.fmspc == platform.fmspc]
    if not ours:
        raise ReportUndecided(COLLATERAL_MISSING, f"no collateral of the processors {platform.fmspc} is configured")
    undecided: ReportUndecided | None = None
    for one in reversed(ours):
        try:
            level = level_of(
                platform, one.tcb_info.verified(roots, at_s, lists), one.enclave.verified(roots, at_s, lists)
            )
        except ReportUndecided as error:
            undecided = error
            continue
        if level not in allowed:
            raise ReportUndecided(f"tcb-{STATUSES[level]}", f"the machine's firmware is {level}")
        return level
    assert undecided is not None
    raise undecided


def level_of(platform: PlatformTcb, tcb_info: Mapping[str, Any], enclave: Mapping[str, Any]) -> str:
    """One of Intel's words, by documents that were verified.

    Raises:
        ReportUndecided: the documents are of something else, or know no such level.
    """
    try:
        if tcb_info["id"] != "TDX" or tcb_info["version"] != 3 or enclave["id"] != "TD_QE":
            raise ReportUndecided(COLLATERAL_UNFIT, "the collateral is not of TDX, version 3")
        if str(tcb_info["pceId"]).lower() != platform.pce_id:
            raise ReportUndecided(COLLATERAL_UNFIT, "the collateral is of another provisioning enclave")
        levels = [_platform_level(platform, tcb_info), _enclave_level(platform.enclave, enclave)]
        if (module := _module_level(platform, tcb_info)) is not None:
            levels.append(module)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ReportUndecided(COLLATERAL_UNFIT, f"the collateral lacks what a level is told by: {error}") from error
    return _worst(levels)


def _worst(levels: Sequence[str]) -> str:
    platform = levels[0]
    if any(level not in STATUSES for level in levels):
        raise ReportUndecided(
            TCB_UNKNOWN, f"Intel's collateral has levels that are not known here: {', '.join(levels)}"
        )
    if _REVOKED in levels:
        return _REVOKED
    if _OUT_OF_DATE not in levels[1:]:
        return platform
    needs_configuration = platform in ("ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded")
    return "OutOfDateConfigurationNeeded" if needs_configuration else max(platform, _OUT_OF_DATE, key=_badness)


def _badness(level: str) -> int:
    return list(STATUSES).index(level)


def _platform_level(platform: PlatformTcb, tcb_info: Mapping[str, Any]) -> str:
    # Of a module with a version of its own, the first two are looked at by the module's own levels.
    skipped = 2 if platform.tee_versions[1] > 0 else 0
    for level in tcb_info["tcbLevels"]:
        tcb = level["tcb"]
        wanted = [int(component["svn"]) for component in tcb["sgxtcbcomponents"]]
        wanted_tee = [int(component["svn"]) for component in tcb["tdxtcbcomponents"]]
        if len(wanted) != _COMPONENTS or len(wanted_tee) != _COMPONENTS:
            raise ValueError(f"a level has {len(wanted)} and {len(wanted_tee)} components")
        reached = all(has >= least for has, least in zip(platform.components, wanted, strict=True))
        tee = zip(platform.tee_versions[skipped:], wanted_tee[skipped:], strict=True)
        if reached and platform.pce_version >= int(tcb["pcesvn"]) and all(has >= least for has, least in tee):
            return str(level["tcbStatus"])
    raise ReportUndecided(TCB_UNKNOWN, "the machine's versions are below all that Intel's collateral tells of")


def _module_level(platform: PlatformTcb, tcb_info: Mapping[str, Any]) -> str | None:
    """The level of the TDX module; None where it has no version of its own."""
    version = platform.tee_versions[1]
    identity = tcb_info["tdxModule"]
    if version > 0:
        name = f"TDX_{version:02x}"
        known = [one for one in tcb_info["tdxModuleIdentities"] if str(one["id"]).lower() == name.lower()]
        if not known:
            raise ReportUndecided(TCB_UNKNOWN, f"Intel's collateral knows no module {name}")
        identity = known[0]
    signer, attributes, mask = (bytes.fromhex(identity[name]) for name in ("mrsigner", "attributes", "attributesMask"))
    if platform.module_signer != signer or _masked(platform.module_attributes, mask) != _masked(attributes, mask):
        raise ReportUndecided(TCB_UNKNOWN, "the TDX module is not the one that Intel's collateral tells of")
    return _by_version(platform.tee_versions[0], identity["tcbLevels"]) if version > 0 else None


def _enclave_level(report: EnclaveReport, identity: Mapping[str, Any]) -> str:
    names = ("miscselect", "miscselectMask", "attributes", "attributesMask", "mrsigner")
    misc, misc_mask, attributes, mask, signer = (bytes.fromhex(identity[name]) for name in names)
    # MISCSELECT is a number, which a report has in little endian and the collateral in hex.
    selected = report.misc_select[::-1]
    if (
        _masked(selected, misc_mask) != _masked(misc, misc_mask)
        or _masked(report.attributes, mask) != _masked(attributes, mask)
        or report.mr_signer != signer
        or report.product != int(identity["isvprodid"])
    ):
        raise ReportUndecided(TCB_UNKNOWN, "the quoting enclave is not the one that Intel's collateral tells of")
    return _by_version(report.version, identity["tcbLevels"])


def _by_version(version: int, levels: Sequence[Mapping[str, Any]]) -> str:
    for level in levels:
        if version >= int(level["tcb"]["isvsvn"]):
            return str(level["tcbStatus"])
    raise ReportUndecided(TCB_UNKNOWN, f"Intel's collateral tells of no version as old as {version}")


def _masked(value: bytes, mask: bytes) -> bytes:
    if len(value) != len(mask):
        raise ValueError(f"a mask of {len(mask)} bytes for {len(value)}")
    return bytes(one & other for one, other in zip(value, mask, strict=True))
