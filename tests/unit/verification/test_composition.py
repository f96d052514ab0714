"""Methods joined to one, and the seeds that they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from computility.domain.attestation import Verdict
from computility.domain.identifiers import Address, Bytes32
from computility.domain.statements import Submission
from computility.verification.challenge_seed import Beacon, ResultCommitment
from computility.verification.check_result import CheckResult
from computility.verification.composition import ComposedVerifier, in_full

SUBMISSION = Submission(Bytes32("0x" + "01" * 32), 1, Bytes32("0x" + "02" * 32), 5, Bytes32("0x" + "03" * 32), 9)
PASS = CheckResult(Verdict.PASS, "same", 10.0)
FAIL = CheckResult(Verdict.FAIL, "differs")
UNSURE = CheckResult(Verdict.NO_FAULT, "out-of-memory")


class Says:
    """A method whose answer is known, and that notes the seeds it is given."""

    def __init__(self, result: CheckResult) -> None:
        self.result = result
        self.seeds: list[bytes] = []

    def verify(self, specification: Any, submission: Submission, policy: Mapping[str, Any], seed: bytes) -> CheckResult:
        self.seeds.append(seed)
        return self.result


METHODS = {"passes": Says(PASS), "fails": Says(FAIL), "unsure": Says(UNSURE)}


def verdict(policy: Any, seed: bytes = b"s" * 32) -> CheckResult:
    specification: Any = None
    return ComposedVerifier(METHODS).verify(specification, SUBMISSION, policy, seed)


def joined(how: str, *names: str) -> CheckResult:
    return verdict({"method": how, "of": [{"method": name} for name in names]})


@pytest.mark.parametrize(
    ("names", "everything", "anything"),
    [
        (("passes", "passes"), Verdict.PASS, Verdict.PASS),
        (("passes", "fails"), Verdict.FAIL, Verdict.PASS),
        (("passes", "unsure"), Verdict.NO_FAULT, Verdict.PASS),
        (("fails", "unsure"), Verdict.FAIL, Verdict.NO_FAULT),
        (("fails", "fails"), Verdict.FAIL, Verdict.FAIL),
        (("unsure",), Verdict.NO_FAULT, Verdict.NO_FAULT),
    ],
)
def test_all_of_and_any_of(names: tuple[str, ...], everything: Verdict, anything: Verdict) -> None:
    assert joined("all-of", *names).verdict is everything
    assert joined("any-of", *names).verdict is anything


def test_soundness__all_of_is_as_sound_as_its_best__any_of_less_than_its_worst() -> None:
    assert joined("all-of", "passes", "passes").soundness_bits == 10
    assert joined("any-of", "passes", "passes").soundness_bits == pytest.approx(9)


def test_sampled__comes_at_its_rate__and_is_as_sound_as_that() -> None:
    policy = {"method": "sampled", "of": [{"method": "fails"}], "bps": 2_500}
    found = [verdict(policy, seed=bytes([a, b] * 16)) for a in range(64) for b in range(32)]
    drawn = sum(result.verdict is Verdict.FAIL for result in found) / len(found)
    assert drawn == pytest.approx(0.25, abs=0.05)
    passed = next(result for result in found if result.verdict is Verdict.PASS)
    assert passed.reason == "not-sampled"
    assert 2**-passed.soundness_bits == pytest.approx(0.75)


def test_every_member__has_a_seed_of_its_own() -> None:
    METHODS["passes"].seeds.clear()
    joined("all-of", "passes", "passes")
    assert len(set(METHODS["passes"].seeds)) == 2


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"method": "guess"},
        {"method": "all-of"},
        {"method": "all-of", "of": []},
        {"method": "all-of", "of": [7]},
        {"method": "sampled", "of": [{"method": "fails"}], "bps": 0},
        {"method": "sampled", "of": [{"method": "fails"}] * 2, "bps": 10_000},
        {"method": ["fails"]},
    ],
)
def test_policies_that_say_nothing__harm_nobody(policy: Any) -> None:
    assert verdict(policy).verdict is Verdict.NO_FAULT


def test_policies_nested_too_deeply__harm_nobody() -> None:
    policy: dict[str, Any] = {"method": "fails"}
    for _ in range(20):
        policy = {"method": "all-of", "of": [policy]}
    assert verdict(policy).reason == "policy-unfit"


def test_seed__changes_with_the_block_the_secret_and_the_commitment() -> None:
    commitment = ResultCommitment(
        SUBMISSION.job, 1, Address("0x" + "11" * 20), Bytes32("0x" + "44" * 32), SUBMISSION.result
    )
    beacon = Beacon(Bytes32("0x" + "55" * 32), b"k" * 32)
    seeds = {
        beacon.seed(commitment.digest),
        Beacon(Bytes32("0x" + "56" * 32), b"k" * 32).seed(commitment.digest),
        Beacon(beacon.block_hash, b"l" * 32).seed(commitment.digest),
        beacon.seed(SUBMISSION.result),
    }
    assert len(seeds) == 4
    assert commitment.opens_to(SUBMISSION)
    assert beacon.secret.hex() not in repr(beacon)
    assert "kkkk" not in repr(beacon)
    with pytest.raises(ValueError, match="32 bytes"):
        Beacon(beacon.block_hash, b"short")


def test_a_policy_in_full__draws_nothing() -> None:
    segments = {"method": "segment-replay", "segments": 50, "sampled": 2}
    policy = {"method": "all-of", "of": [{"method": "sampled", "bps": 100, "of": [segments]}, {"method": "freivalds"}]}
    assert in_full(policy) == {"method": "all-of", "of": [{**segments, "sampled": 50}, {"method": "freivalds"}]}
    assert in_full({"method": "sampled", "of": "nonsense"}) == {"method": "sampled", "of": "nonsense"}
    assert in_full("nonsense") == "nonsense"
