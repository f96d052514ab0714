"""What of a provider's stake is reward that vests: the twin of ``contracts/libraries/Vesting.sol``. SPEC.md, section 12."""

from __future__ import annotations

from dataclasses import dataclass, replace


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
