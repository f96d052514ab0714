"""A policy by which nothing could pass is refused before anybody signs terms."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.verification.scripted_executor import ENVIRONMENT, LIMITS

from computility.domain.content_id import content_id_of
from computility.domain.identifiers import ZERO_BYTES32, Address
from computility.domain.job_specification import InputFile
from computility.domain.sealing import Reader, Sealing
from computility.domain.task_specification import TaskSpecification
from computility.verification.policy_fitness import VerifiedBy, sealed_from_verifiers, unmet

A_AND_B = tuple(InputFile(path, content_id_of(path.encode()), 5) for path in ("a.npy", "b.npy"))
PRODUCT = {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"}
SEGMENTS = {
    "method": "segment-replay", "checkpoints": "c/", "segments": 8, "sampled": 2, "threshold_ppm": 50_000, "replay": ["run", "{segment}"],
}  # fmt: skip
TEE = {"method": "tee", "kind": "tdx", "report": "quote", "measurements": {"mr_td": ["00"]}}
AGAIN = {"method": "reexec-quorum"}


def reason(
    policy: dict[str, Any],
    *,
    buyer_verifies: bool = False,
    attests: tuple[str, ...] = (),
    sealing: Sealing | None = None,
) -> str | None:
    specification = TaskSpecification(
        "process", ENVIRONMENT, (), ("run",), A_AND_B, LIMITS, 0, ZERO_BYTES32, verification=policy, sealing=sealing
    )
    return unmet(specification, VerifiedBy(buyer_verifies, attests))


@pytest.mark.parametrize(
    "policy",
    [
        {},
        AGAIN,
        {**AGAIN, "audit_bps": 500},
        {**AGAIN, "units_within_bps": 500},
        {"method": "hash-equality", "files": ["c.npy"]},
        PRODUCT,
        {**PRODUCT, "precision": "float32", "graded": True},
        SEGMENTS,
        {"method": "sampled", "bps": 1, "of": [PRODUCT]},
        {"method": "any-of", "of": [{"method": "no-such"}, AGAIN]},
    ],
)
def test_a_policy_that_can_be_met__is_signed_for(policy: dict[str, Any]) -> None:
    assert reason(policy) is None


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ({"method": "no-such"}, "no method 'no-such'"),
        ({**AGAIN, "audit_bps": 499}, "audit_bps"),
        ({**AGAIN, "units_within_bps": 30_001}, "units_within_bps"),
        ({"method": "hash-equality", "files": []}, "files"),
        ({**PRODUCT, "left": "d.npy"}, "'d.npy'"),
        ({**PRODUCT, "product": 1}, "product"),
        ({**PRODUCT, "precision": "float64"}, "float64"),
        ({**PRODUCT, "graded": True}, "graded"),
        ({**SEGMENTS, "sampled": 9}, "segment-replay"),
        ({"method": "all-of", "of": [AGAIN, {**PRODUCT, "right": "d.npy"}]}, "'d.npy'"),
        ({"method": "any-of", "of": [{"method": "no-such"}]}, "no-such"),
        ({"method": "all-of", "of": []}, "all-of"),
        ({"method": "sampled", "bps": 0, "of": [AGAIN]}, "bps"),
        (TEE, "alone"),
        ({"method": "all-of", "of": [AGAIN, TEE]}, "'tdx'"),
        ({"method": "lease-heartbeat", "interval_s": 60}, "buyer"),
        ({"method": "lease-heartbeat", "interval_s": 1}, "interval_s"),
        ({"method": "all-of", "of": [AGAIN, {"method": "lease-heartbeat", "interval_s": 60}]}, "lease-heartbeat alone"),
    ],
)
def test_a_policy_that_cannot__is_refused_with_the_part_that_does_not_fit(policy: dict[str, Any], names: str) -> None:
    found = reason(policy)
    assert found is not None
    assert names in found


def test_a_lease_is_verified_by_its_buyer() -> None:
    assert reason({"method": "lease-heartbeat", "interval_s": 60}, buyer_verifies=True) is None


def test_a_lease__of_an_offer_that_does_not_tell_processes__is_refused_before_it_is_contested() -> None:
    policy = {"method": "lease-heartbeat", "interval_s": 60}
    lease = TaskSpecification(
        "process", ENVIRONMENT, (), ("run",), A_AND_B, LIMITS, 0, ZERO_BYTES32, verification=policy
    )
    refusal = unmet(lease, VerifiedBy(buyer_verifies=True, tells_processes=False))
    assert refusal is not None
    assert "processes" in refusal


def test_an_attestation_is_promised_by_who_can_bring_it() -> None:
    assert reason({"method": "all-of", "of": [AGAIN, TEE]}, attests=("tdx",)) is None


def test_an_input_of_the_replays_own_name__cannot_be_replayed() -> None:
    own = InputFile("segment-start.npz", content_id_of(b"x"), 1)
    specification = TaskSpecification(
        "process", ENVIRONMENT, (), ("run",), (own,), LIMITS, 0, ZERO_BYTES32, verification=SEGMENTS
    )
    assert unmet(specification, VerifiedBy(buyer_verifies=False)) is not None


SEALED = Sealing(inputs=False, outputs=True, readers=(Reader("0x" + "11" * 32, "0x" + "22" * 112),))


@pytest.mark.parametrize(
    "policy",
    [
        PRODUCT,
        SEGMENTS,
        {"method": "hash-equality"},
        {"method": "any-of", "of": [AGAIN, {"method": "sampled", "bps": 1, "of": [PRODUCT]}]},
        {"method": "all-of", "of": [AGAIN, TEE]},
    ],
)
def test_a_check_that_reads_what_is_sealed__is_refused(policy: dict[str, Any]) -> None:
    found = reason(policy, attests=("tdx",), sealing=SEALED)
    assert found is not None
    assert "reads what this job seals" in found


def test_a_sealed_job_is_run_again__or_leased() -> None:
    assert reason({}, sealing=SEALED) is None
    assert reason({**AGAIN, "audit_bps": 1000}, sealing=SEALED) is None
    assert reason({"method": "lease-heartbeat", "interval_s": 60}, buyer_verifies=True, sealing=SEALED) is None


READER = SEALED.readers[0].key
VERIFIERS = [Address("0x" + number * 40) for number in "123"]


@pytest.mark.parametrize(
    ("keys", "may_be_blind", "is_refused"),
    [
        ([READER], 0, False),
        ([None], 0, True),
        (["0x" + "09" * 32], 0, True),
        ([READER, None, READER], 1, False),
        ([READER, None, None], 1, True),
    ],
)
def test_a_sealed_job__whose_verifiers_cannot_read_it__is_refused(
    keys: list[str | None], may_be_blind: int, is_refused: bool
) -> None:
    told = dict(zip(VERIFIERS, keys, strict=False))
    sealed, plain = (
        TaskSpecification(
            "process", ENVIRONMENT, (), ("run",), A_AND_B, LIMITS, 0, ZERO_BYTES32, verification={}, sealing=sealing
        )
        for sealing in (SEALED, None)
    )
    reason = sealed_from_verifiers(sealed, told, may_be_blind)
    assert (reason is not None) == is_refused
    assert reason is None or VERIFIERS[len(keys) - 1] in reason
    assert sealed_from_verifiers(plain, told, 0) is None
    # A verifier that is named, and in whose box is something else, is as blind.
    assert sealed_from_verifiers(sealed, {VERIFIERS[0]: READER}, 0, {READER}) is not None
    assert sealed_from_verifiers(sealed, {VERIFIERS[0]: READER}, 1, {READER}) is None
