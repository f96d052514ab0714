"""What of a provider's stake is reward that vests: the twin of ``contracts/libraries/Vesting.sol``. SPEC.md, section 12."""

from __future__ import annotations

from dataclasses import dataclass, replace

from computility.domain.event import Event, EventOrigin
from computility.domain.events import ProviderExited, RewardClaimed, RewardStaked, StakeSlashed


@dataclass(frozen=True)
class Reward:
    """Atoms of credit. ``vested`` may be claimed, as it was at ``since``; ``unvested`` vests evenly until ``end``. Times in UTC seconds."""

    vested: int = 0
    unvested: int = 0
    since: int = 0
    end: int = 0

    @property
    def whole(self) -> int:
        """Vested or not."""
        return self.vested + self.unvested

    def vested_by(self, time_s: int) -> Reward:
        """The reward with all that has vested by then; rounded down until the end, from which on everything has."""
        if time_s <= self.since:
            return self
        vesting = self.unvested
        if time_s < self.end:
            vesting = self.unvested * (time_s - self.since) // (self.end - self.since)
        return replace(self, vested=self.vested + vesting, unvested=self.unvested - vesting, since=time_s)

    def staked(self, amount: int, time_s: int, end: int) -> Reward:
        """With ``amount`` more, all that has not vested vests by ``end``."""
        now = self.vested_by(time_s)
        return replace(now, unvested=now.unvested + amount, end=end)

    def claimed(self, amount: int, time_s: int) -> Reward:
        """``vested`` is below zero if more was claimed than had vested."""
        now = self.vested_by(time_s)
        return replace(now, vested=now.vested - amount)

    def slashed(self, lost: int, time_s: int) -> Reward:
        """First what has not vested goes, then what has; the rest of what is lost is the stake's."""
        now = self.vested_by(time_s)
        of_unvested = min(lost, now.unvested)
        of_vested = min(lost - of_unvested, now.vested)
        return replace(now, vested=now.vested - of_vested, unvested=now.unvested - of_unvested)


@dataclass(frozen=True)
class RewardRecord:
    """A provider's reward as the registry's events tell it. ``block`` changed it last.

    Sums in atoms of credit over all time: ``staked`` came in, ``taken`` left by claims and on leaving the registry, ``lost`` was slashed.
    What they leave is ``reward.whole``.
    """

    reward: Reward = Reward()
    staked: int = 0
    taken: int = 0
    lost: int = 0
    block: int = 0


def reward_after(record: RewardRecord | None, event: Event, origin: EventOrigin) -> RewardRecord | None:
    """A provider's reward after one of its events; None for a provider that never had any."""
    if record is None and not isinstance(event, RewardStaked):
        return None
    before = record or RewardRecord()
    now, reward = origin.timestamp, before.reward
    match event:
        case RewardStaked():
            after = replace(
                before, reward=reward.staked(event.amount, now, event.end), staked=before.staked + event.amount
            )
        case RewardClaimed():
            after = replace(before, reward=reward.claimed(event.amount, now), taken=before.taken + event.amount)
        case StakeSlashed():
            left = reward.slashed(event.amount, now)
            after = replace(before, reward=left, lost=before.lost + reward.whole - left.whole)
        case ProviderExited():
            after = replace(before, reward=Reward(), taken=before.taken + reward.whole)
        case _:
            return record
    return replace(after, block=origin.block_number)
