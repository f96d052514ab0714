"""How a reward vests, is claimed and is slashed, as ``contracts/libraries/Vesting.sol`` has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from computility.domain.event import EventOrigin
from computility.domain.events import (
    Event,
    ProviderExited,
    RewardClaimed,
    RewardStaked,
    StakeAdded,
    StakeSlashed,
)
from computility.domain.identifiers import ZERO_BYTES32, Address, ChainId
from computility.domain.reward import Reward, RewardRecord, reward_after

PROVIDER = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
AMOUNTS = st.integers(0, 2**103)
TIMES = st.integers(0, 2**38)


def test_half_way__half_has_vested__rounded_down() -> None:
    assert Reward(0, 7, 100, 200).vested_by(150) == Reward(3, 4, 150, 200)


def test_from_the_end_on__everything_has_vested() -> None:
    assert Reward(1, 7, 100, 200).vested_by(200).vested == 8
    assert Reward(1, 7, 100, 100).vested_by(101).vested == 8


def test_staking_more__makes_what_has_not_vested_wait__and_leaves_what_has() -> None:
    assert Reward(0, 8, 100, 200).staked(6, 150, 300) == Reward(4, 10, 150, 300)


def test_a_slash__takes_what_has_not_vested_first() -> None:
    reward = Reward(0, 8, 100, 200)
    assert reward.slashed(3, 150) == Reward(4, 1, 150, 200)
    assert reward.slashed(6, 150) == Reward(2, 0, 150, 200)
    assert reward.slashed(100, 150).whole == 0


@given(AMOUNTS, AMOUNTS, TIMES, TIMES, TIMES)
def test_time_alone__makes_and_takes_nothing(vested: int, unvested: int, since: int, end: int, now: int) -> None:
    assert Reward(vested, unvested, since, end).vested_by(now).whole == vested + unvested


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_no_slash__takes_more_than_there_is(vested: int, unvested: int, lost: int) -> None:
    left = Reward(vested, unvested, 1, 2).slashed(lost, 1)
    assert left.whole == max(0, vested + unvested - lost)
    assert left.vested >= 0
    assert left.unvested >= 0


def folded(*steps: tuple[int, Event]) -> RewardRecord | None:
    """The reward after events at some times (UTC seconds); the block is the time."""
    record = None
    for time_s, event in steps:
        origin = EventOrigin(ChainId("eip155:1"), ZERO_BYTES32, time_s, 0, ZERO_BYTES32, PROVIDER, time_s)
        record = reward_after(record, event, origin)
    return record


def test_a_record__adds_up_what_came_left_and_was_lost() -> None:
    staked = (100, RewardStaked(PROVIDER, 10, 200))
    claimed = (150, RewardClaimed(PROVIDER, 4, 96))
    slashed = (150, StakeSlashed(PROVIDER, 90, 6))
    assert folded(staked) == RewardRecord(Reward(0, 10, 100, 200), staked=10, block=100)
    assert folded(staked, claimed) == RewardRecord(Reward(1, 5, 150, 200), staked=10, taken=4, block=150)
    assert folded(staked, claimed, slashed) == RewardRecord(Reward(0, 0, 150, 200), 10, 4, 6, 150)


def test_who_leaves__takes_its_reward_along() -> None:
    left = folded((100, RewardStaked(PROVIDER, 10, 200)), (300, ProviderExited(PROVIDER, 50)))
    assert left == RewardRecord(Reward(), staked=10, taken=10, block=300)


def test_a_slash_of_one_without_reward__begins_no_record() -> None:
    assert folded((100, StakeAdded(PROVIDER, 5, 5)), (100, StakeSlashed(PROVIDER, 5, 0))) is None
