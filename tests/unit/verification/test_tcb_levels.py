"""TCB levels of TDX machines, by collateral that Intel signed, and by ours.

a level
├── of a published quote by Intel's own collateral: up to date, while that is in force
├── is the worst of platform, module and enclave, by the first level that is reached
├── that is not allowed: undecided, with a reason; nobody cheated
└── without collateral that holds (changed, stale, of others, of another family): undecided
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.verification.tee_reports import AT_S, Chain, _raw, chain

from computility.domain.errors import InvalidMessage
from computility.execution.content_store import FileContentStore
from computility.services.tee_roots import tee_methods
from computility.verification.tee.certificates import read_certificates
from computility.verification.tee.processor_certificate import processor_of
from computility.verification.tee.report_claims import ReportRefused, ReportUndecided
from computility.verification.tee.tcb_level import EnclaveReport, PlatformTcb, demand_level, level_of
from computility.verification.tee.tdx_collateral import SignedDocument, TdxCollateral, read_collateral
from computility.verification.tee.tdx_quote import check_tdx_quote

VECTORS = Path(__file__).parents[2] / "vectors" / "tee"
QUOTE = (VECTORS / "tdx_quote_of_a_family.bin").read_bytes()
COLLATERAL = (VECTORS / "tdx_collateral.json").read_bytes()
INTEL = read_certificates((VECTORS / "intel_sgx_root.pem").read_bytes())
IN_FORCE_S = 1_751_328_000  # 1 July 2025


def reason_of(quote: bytes, collateral: bytes, at_s: int) -> str:
    """Why nothing can be told."""
    with pytest.raises(ReportUndecided) as undecided:
        check_tdx_quote(quote, INTEL, at_s, (), [read_collateral(collateral)])
    return undecided.value.reason


# ---------------------------------------------------------------- as Intel signed it


def test_a_published_quote__by_intels_collateral__is_of_a_machine_that_was_up_to_date() -> None:
    assert check_tdx_quote(QUOTE, INTEL, IN_FORCE_S, (), [read_collateral(COLLATERAL)]).measurements["mr_td"]


def test_collateral_that_was_changed_or_is_over__tells_nothing() -> None:
    assert reason_of(QUOTE, COLLATERAL, IN_FORCE_S + 30 * 86_400) == "collateral-stale"
    changed = COLLATERAL.replace(b'\\"svn\\":2', b'\\"svn\\":1', 1)
    assert changed != COLLATERAL
    assert reason_of(QUOTE, changed, IN_FORCE_S) == "collateral-unfit"
    other = json.loads(COLLATERAL)
    other["tcb_info_issuer_chain"] = chain(ec.SECP256R1()).pem.decode()
    assert reason_of(QUOTE, json.dumps(other).encode(), IN_FORCE_S) == "collateral-unfit"


def test_a_machine_of_another_family__is_not_told_by_this_collateral() -> None:
    other = (VECTORS / "tdx_quote_v4.bin").read_bytes()
    assert reason_of(other, COLLATERAL, IN_FORCE_S) == "collateral-missing"


def test_a_certificate_of_a_processor__names_its_family_and_its_versions() -> None:
    quote = (VECTORS / "tdx_quote_v4.bin").read_bytes()
    processor = processor_of(read_certificates(quote[quote.index(b"-----BEGIN") :].rstrip(b"\0"))[0])
    assert (processor.fmspc, processor.pce_id, processor.pce_version) == ("50806f000000", "0000", 11)
    assert processor.components == (3, 3, 2, 2, 2, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(ReportRefused):
        processor_of(INTEL[0])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"tcb_info": "{}", "tcb_info_signature": "00"}', b"\xff"])
def test_a_file_that_is_no_collateral__is_refused(data: bytes) -> None:
    with pytest.raises(ReportRefused, match="no collateral"):
        read_collateral(data)


# ---------------------------------------------------------------- the level


def components(*versions: int) -> list[dict[str, int]]:
    """Sixteen, zeros behind those that are told."""
    return [{"svn": version} for version in (*versions, *([0] * (16 - len(versions))))]


def level(status: str, sgx: int, tdx: int, pce: int = 11) -> dict[str, Any]:
    """A platform's level: so much of the first SGX component, so much of the third TDX one."""
    versions = {"sgxtcbcomponents": components(sgx), "pcesvn": pce, "tdxtcbcomponents": components(9, 9, tdx)}
    return {"tcb": versions, "tcbStatus": status}


TCB_INFO: dict[str, Any] = {
    "id": "TDX", "version": 3, "issueDate": "2026-09-01T00:00:00Z", "nextUpdate": "2026-10-01T00:00:00Z",
    "fmspc": "50806F000000", "pceId": "0000",
    "tdxModule": {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8},
    "tdxModuleIdentities": [{
        "id": "TDX_01", "mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8,
        "tcbLevels": [
            {"tcb": {"isvsvn": 5}, "tcbStatus": "UpToDate"},
            {"tcb": {"isvsvn": 3}, "tcbStatus": "OutOfDate"},
        ],
    }],
    "tcbLevels": [
        level("UpToDate", 5, 4), level("SWHardeningNeeded", 4, 4), level("ConfigurationNeeded", 3, 4),
        level("OutOfDate", 2, 2, 5), level("Revoked", 1, 1, 5),
    ],
}  # fmt: skip
ENCLAVE: dict[str, Any] = {
    "id": "TD_QE", "version": 2, "issueDate": "2026-09-01T00:00:00Z", "nextUpdate": "2026-10-01T00:00:00Z",
    "miscselect": "00000000", "miscselectMask": "FFFFFFFF",
    "attributes": "11" + "00" * 15, "attributesMask": "FB" + "FF" * 7 + "00" * 8,
    "mrsigner": "dc" * 32, "isvprodid": 2,
    "tcbLevels": [{"tcb": {"isvsvn": 4}, "tcbStatus": "UpToDate"}, {"tcb": {"isvsvn": 2}, "tcbStatus": "OutOfDate"}],
}  # fmt: skip
QUOTING = EnclaveReport(bytes(4), b"\x15" + bytes(15), b"\xdc" * 32, 2, 4)
PLATFORM = PlatformTcb("50806f000000", "0000", (5, *[0] * 15), 11, (5, 1, 4, *[0] * 13), bytes(48), bytes(8), QUOTING)


def with_sgx(version: int) -> PlatformTcb:
    return replace(PLATFORM, components=(version, *[0] * 15))


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (PLATFORM, "UpToDate"),
        (replace(PLATFORM, components=tuple([9] * 16)), "UpToDate"),
        (with_sgx(4), "SWHardeningNeeded"),
        (with_sgx(3), "ConfigurationNeeded"),
        (with_sgx(1), "Revoked"),
        (replace(PLATFORM, pce_version=10), "OutOfDate"),
        (replace(PLATFORM, tee_versions=(5, 1, 3, *[0] * 13)), "OutOfDate"),
        # The module's own version counts by its own levels, not by the platform's.
        (replace(PLATFORM, tee_versions=(4, 1, 4, *[0] * 13)), "OutOfDate"),
        (replace(PLATFORM, enclave=replace(QUOTING, version=3)), "OutOfDate"),
        (replace(with_sgx(4), enclave=replace(QUOTING, version=3)), "OutOfDate"),
        (replace(with_sgx(3), enclave=replace(QUOTING, version=3)), "OutOfDateConfigurationNeeded"),
        (replace(with_sgx(1), enclave=replace(QUOTING, version=3)), "Revoked"),
    ],
)
def test_level__is_the_worst_of_platform_module_and_enclave(platform: PlatformTcb, expected: str) -> None:
    assert level_of(platform, TCB_INFO, ENCLAVE) == expected


@pytest.mark.parametrize(
    ("platform", "reason"),
    [
        (with_sgx(0), "tcb-unknown"),
        (replace(PLATFORM, tee_versions=(5, 2, 4, *[0] * 13)), "tcb-unknown"),
        (replace(PLATFORM, tee_versions=(2, 1, 4, *[0] * 13)), "tcb-unknown"),
        (replace(PLATFORM, module_signer=b"\x01" * 48), "tcb-unknown"),
        (replace(PLATFORM, module_attributes=b"\x01" + bytes(7)), "tcb-unknown"),
        (replace(PLATFORM, enclave=replace(QUOTING, mr_signer=bytes(32))), "tcb-unknown"),
        (replace(PLATFORM, enclave=replace(QUOTING, attributes=b"\x13" + bytes(15))), "tcb-unknown"),
        (replace(PLATFORM, enclave=replace(QUOTING, product=1)), "tcb-unknown"),
        (replace(PLATFORM, enclave=replace(QUOTING, version=1)), "tcb-unknown"),
        (replace(PLATFORM, pce_id="0001"), "collateral-unfit"),
    ],
)
def test_what_no_level_is_told_of__is_undecided(platform: PlatformTcb, reason: str) -> None:
    with pytest.raises(ReportUndecided) as undecided:
        level_of(platform, TCB_INFO, ENCLAVE)
    assert undecided.value.reason == reason


@pytest.mark.parametrize("missing", ["tcbLevels", "tdxModuleIdentities", "pceId", "id"])
def test_collateral_that_lacks_a_field__is_unfit(missing: str) -> None:
    broken = {name: value for name, value in TCB_INFO.items() if name != missing}
    with pytest.raises(ReportUndecided, match="collateral"):
        level_of(PLATFORM, broken, ENCLAVE)


def test_a_status_that_is_not_known_here__is_undecided() -> None:
    new = copy.deepcopy(TCB_INFO)
    new["tcbLevels"][0]["tcbStatus"] = "Excellent"
    with pytest.raises(ReportUndecided, match="Excellent"):
        level_of(PLATFORM, new, ENCLAVE)


# ---------------------------------------------------------------- signed by a root of ours


def signed(by: Chain, document: dict[str, Any]) -> SignedDocument:
    text = json.dumps(document)
    return SignedDocument(text, _raw(by.leaf_key, text.encode(), hashes.SHA256(), 32), (by.leaf, by.root))


def collateral_of(by: Chain, **changes: Any) -> TdxCollateral:
    return TdxCollateral("50806f000000", signed(by, {**TCB_INFO, **changes}), signed(by, ENCLAVE))


def test_a_level_that_is_not_allowed__is_undecided_with_its_name__and_one_that_is__holds() -> None:
    ours = chain(ec.SECP256R1())
    known, roots = [collateral_of(ours)], [ours.root]
    assert demand_level(PLATFORM, known, {"UpToDate"}, roots, AT_S) == "UpToDate"
    with pytest.raises(ReportUndecided) as undecided:
        demand_level(with_sgx(4), known, {"UpToDate"}, roots, AT_S)
    assert undecided.value.reason == "tcb-sw-hardening-needed"
    assert demand_level(with_sgx(4), known, {"UpToDate", "SWHardeningNeeded"}, roots, AT_S) == "SWHardeningNeeded"
    with pytest.raises(ReportUndecided) as undecided:
        demand_level(PLATFORM, known, {"UpToDate"}, [chain(ec.SECP256R1()).root], AT_S)
    assert undecided.value.reason == "collateral-unfit"


def test_of_several_files__the_newest_that_is_in_force__counts() -> None:
    ours = chain(ec.SECP256R1())
    stale = collateral_of(ours, nextUpdate="2026-09-02T00:00:00Z")
    worse = collateral_of(ours, tcbLevels=[level("OutOfDate", 0, 0, 0)])
    assert demand_level(PLATFORM, [collateral_of(ours), stale], {"UpToDate"}, [ours.root], AT_S) == "UpToDate"
    with pytest.raises(ReportUndecided) as undecided:
        demand_level(PLATFORM, [collateral_of(ours), worse], {"UpToDate"}, [ours.root], AT_S)
    assert undecided.value.reason == "tcb-out-of-date"


def test_settings__name_levels_and_files_that_are_there(tmp_path: Path) -> None:
    root, file = f"tdx={VECTORS / 'intel_sgx_root.pem'}", VECTORS / "tdx_collateral.json"
    content = FileContentStore(str(tmp_path), 1 << 20)
    assert tee_methods([root], content, (), [file], ["up-to-date", "sw-hardening-needed"])
    with pytest.raises(InvalidMessage, match="a TCB level is one of up-to-date, sw-hardening-needed"):
        tee_methods([root], content, (), [file], ["good"])
    with pytest.raises(InvalidMessage, match="no collateral can be read"):
        tee_methods([root], content, (), [VECTORS / "README.md"])
