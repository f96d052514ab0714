"""What a ring of sock puppets gains for each credit of fees that it burns, beside traders who really trade, by the rules of ``domain/scores.py``.

Prints one JSON object: for honest newcomers and for rings of many shapes the fees until a provider reaches each tier, the weeks that takes, and what
a credit of fees counted for on the way. A ring knows the rules: it never pays more than counts. No randomness but seeded.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import track

from computility.domain.identifiers import Address, address_from_bytes
from computility.domain.job import ClosedBy, Outcome
from computility.domain.score_slot import (
    BUCKET_MAX,
    BUCKET_UNIT,
    EPOCH_S,
    WEIGHT_UNIT,
    ScoreSlot,
    bucket_of,
    epoch_of,
)
from computility.domain.scores import ClosedJob, Role, score_close

CREDIT = 10**18
WEEKS = 78
START_S = 2_000 * EPOCH_S
RING_BUYERS = (1, 2, 3, 4, 6, 8, 11, 16, 32, 64)
RING_PROVIDERS = (1, 2, 4)
HONEST_PROVIDERS, HONEST_BUYERS, TRADES_A_WEEK = 20, 100, 300
NEWCOMERS_TRADES_A_WEEK = 60
FEE_BPS = {0: 100, 1: 80, 2: 60, 3: 40}
"""As the deployer sets them."""


@dataclass
class Market:
    """All words, and the time."""

    time_s: int = START_S
    words: dict[tuple[Address, Role], ScoreSlot] = field(default_factory=lambda: defaultdict(ScoreSlot))

    def trade(self, buyer: Address, provider: Address, fee: int) -> None:
        """A job that passed."""
        closed = ClosedJob(buyer, buyer, provider, fee, 0, 10_000, ClosedBy.ATTESTED, Outcome.PASS, False, False)
        parties = (buyer, Role.BUYER), (provider, Role.PROVIDER)
        after = score_close(self.words[parties[0]], self.words[parties[1]], closed, self.time_s)
        for party, word in zip(parties, after, strict=True):
            if word is not None:
                self.words[party] = word

    def word(self, account: Address, role: Role) -> ScoreSlot:
        """Decayed to now."""
        return self.words[account, role].decayed_to(epoch_of(self.time_s))

    def room_fee(self, buyer: Address, provider: Address) -> int:
        """The fee beyond which the provider earns no more with this buyer this week."""
        epoch = epoch_of(self.time_s)
        room = BUCKET_MAX - self.word(provider, Role.PROVIDER).earned[bucket_of(buyer, epoch)]
        return (room * BUCKET_UNIT * WEIGHT_UNIT * 8) >> self.word(buyer, Role.BUYER).tier


@dataclass
class Climb:
    """How one provider fared. Fees in credits; None for a tier that it never reached."""

    who: str
    fees_to_tier: dict[int, float | None]
    weeks_to_tier: dict[int, int | None]
    counted_per_fee: float
    """Weight that its trades added to its credit, decay aside, for each credit of fees paid by all who worked for it until it reached the top."""


def main() -> None:
    """Let everybody climb, and report."""
    console = Console(stderr=True)
    honest = [_newcomer(seed) for seed in track(range(3), "honest newcomers", console=console)]
    cold = _cold_market()
    shapes = [(providers, buyers) for providers in RING_PROVIDERS for buyers in RING_BUYERS]
    rings = [_ring(*shape) for shape in track(shapes, "rings", console=console)]
    report = {
        "honest_newcomer": [asdict(climb) for climb in honest],
        "honest_cold_market": asdict(cold),
        "rings": [asdict(climb) for climb in rings],
        "cheapest_ring": {tier: _cheapest(rings, tier) for tier in (1, 2, 3)},
        "counted_per_fee": {
            "honest_newcomer": round(sum(climb.counted_per_fee for climb in honest) / len(honest), 3),
            "honest_cold_market": cold.counted_per_fee,
            "best_ring": max(climb.counted_per_fee for climb in rings),
            "median_ring": sorted(climb.counted_per_fee for climb in rings)[len(rings) // 2],
        },
    }
    print(json.dumps(report, indent=2))


def _newcomer(seed: int) -> Climb:
    """A provider who enters a market that has traded for half a year."""
    market, dice = Market(), random.Random(seed)  # noqa: S311 - repeatable
    buyers, providers = _accounts(1, HONEST_BUYERS), _accounts(2, HONEST_PROVIDERS)
    for _ in range(26):
        _honest_week(market, dice, buyers, providers)
    newcomer = _accounts(3, 1)[0]
    climb = _Progress(market, newcomer)
    for week in range(WEEKS):
        _honest_week(market, dice, buyers, providers)
        for buyer in dice.choices(buyers, k=NEWCOMERS_TRADES_A_WEEK):
            fee = _fee(dice)
            climb.trade(buyer, newcomer, fee, week)
    return climb.told(f"newcomer in a market of {HONEST_BUYERS} buyers and {HONEST_PROVIDERS} providers, seed {seed}")


def _cold_market() -> Climb:
    """A provider of a market in which everybody is new."""
    market, dice = Market(), random.Random(7)  # noqa: S311 - repeatable
    buyers, providers = _accounts(1, HONEST_BUYERS), _accounts(2, HONEST_PROVIDERS)
    climb = _Progress(market, providers[0])
    for week in range(WEEKS):
        for buyer, provider, fee in _honest_trades(dice, buyers, providers):
            if provider == providers[0]:
                climb.trade(buyer, provider, fee, week)
            else:
                market.trade(buyer, provider, fee)
        market.time_s += EPOCH_S
    return climb.told("one of the first providers, among newcomers")


def _ring(providers: int, buyers: int) -> Climb:
    """Puppets who trade with each other alone, each pair just as much as counts for the provider. All of it is burnt for the first one."""
    market = Market()
    selves, others = _accounts(4, providers), _accounts(5, buyers)
    climb = _Progress(market, selves[0])
    for week in range(WEEKS):
        for buyer in others:
            for provider in selves:
                # In small jobs, so that a tier that is reached counts at once.
                for _ in range(20):
                    fee = min(market.room_fee(buyer, provider), CREDIT)
                    if fee < CREDIT // 100 or climb.done:
                        break
                    climb.trade(buyer, provider, fee, week)
        market.time_s += EPOCH_S
    return climb.told(f"{buyers} buyers, {providers} providers")


class _Progress:
    """Watches one provider climb."""

    def __init__(self, market: Market, provider: Address) -> None:
        self._market = market
        self._provider = provider
        self._fees = 0
        self._counted = 0
        self._fees_to: dict[int, float | None] = {1: None, 2: None, 3: None}
        self._weeks_to: dict[int, int | None] = {1: None, 2: None, 3: None}

    @property
    def done(self) -> bool:
        """It is at the top."""
        return self._fees_to[3] is not None

    def trade(self, buyer: Address, provider: Address, fee: int, week: int) -> None:
        """A trade of the provider's, or of another that is paid for to help it."""
        if self.done:
            return
        before = self._market.word(self._provider, Role.PROVIDER)
        self._market.trade(buyer, provider, fee)
        word = self._market.word(self._provider, Role.PROVIDER)
        self._fees += fee
        self._counted += word.credit - before.credit
        for tier in range(1, word.tier + 1):
            if self._fees_to[tier] is None:
                self._fees_to[tier] = round(self._fees / CREDIT, 2)
                self._weeks_to[tier] = week + 1

    def told(self, who: str) -> Climb:
        """As a row of the report."""
        return Climb(who, self._fees_to, self._weeks_to, round(self._counted * WEIGHT_UNIT / self._fees, 3))


def _honest_week(market: Market, dice: random.Random, buyers: list[Address], providers: list[Address]) -> None:
    for buyer, provider, fee in _honest_trades(dice, buyers, providers):
        market.trade(buyer, provider, fee)
    market.time_s += EPOCH_S


def _honest_trades(
    dice: random.Random, buyers: list[Address], providers: list[Address]
) -> Iterator[tuple[Address, Address, int]]:
    for _ in range(TRADES_A_WEEK):
        yield dice.choice(buyers), dice.choice(providers), _fee(dice)


def _fee(dice: random.Random) -> int:
    """Of jobs of about 60 credits, most smaller, some much larger."""
    return int(dice.lognormvariate(-1.0, 1.0) * CREDIT)


def _accounts(kind: int, count: int) -> list[Address]:
    return [address_from_bytes(bytes([kind]) * 12 + number.to_bytes(8, "big")) for number in range(count)]


def _cheapest(rings: list[Climb], tier: int) -> dict[str, Any] | None:
    reached = [(fees, climb) for climb in rings if (fees := climb.fees_to_tier[tier]) is not None]
    if not reached:
        return None
    fees, climb = min(reached, key=lambda found: found[0])
    saved_bps = FEE_BPS[0] - FEE_BPS[tier]
    return {
        "who": climb.who,
        "fees": fees,
        "weeks": climb.weeks_to_tier[tier],
        # Real trade after which the lower fee has paid for the puppets, if the tier did not fade meanwhile.
        "break_even_trade": round(fees * 10_000 / saved_bps),
    }


if __name__ == "__main__":
    main()
