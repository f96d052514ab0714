"""What a closed job does to the scores of its two sides: the twin of ``contracts/libraries/Scoring.sol`` and of ``CreditScores.record``.

The contract emits no events; the escrow's say everything that a score depends on, so scores are folded from jobs (``contracts/SPEC.md``, section 13).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple

from computility.domain.identifiers import Address
from computility.domain.job import ClosedBy, JobRecord, Outcome
from computility.domain.score_slot import WEIGHT_UNIT, ScoreSlot, epoch_of
from computility.domain.standing import Standing
from computility.domain.units import FULL_BPS

NOMINAL_FEE_BPS: Final = 100
_TOP_TIER: Final = 3
# By a name of the module's own: every close passes here, and to read a member of an enumeration takes as long as ten additions.
_AGREED, _RULED, _BY_DEFAULT = ClosedBy.AGREED, ClosedBy.RULED, ClosedBy.DISPUTED_BY_DEFAULT
_FINALIZED, _RECLAIMED = ClosedBy.FINALIZED, ClosedBy.RECLAIMED
_PASS, _FAIL, _CLAIM = Outcome.PASS, Outcome.FAIL, Outcome.CLAIM


class Role(IntEnum):
    """In which an account is scored."""

    BUYER = 0
    PROVIDER = 1


_BUYER, _PROVIDER = Role.BUYER, Role.PROVIDER


class ClosedJob(NamedTuple):
    """What the scores learn of a job: ``contracts/libraries/ClosedJob.sol``. Amounts are atoms of credit."""

    buyer: Address
    payer: Address
    provider: Address
    fee: int
    undelivered: int
    quality_bps: int
    cause: ClosedBy
    outcome: Outcome
    failed: bool
    buyer_lost: bool

    def to_word(self) -> int:
        """As the escrow passes it, without the parties."""
        word = self.fee | self.undelivered << 104 | self.quality_bps << 208 | self.cause << 224 | self.outcome << 227
        return word | self.failed << 229 | self.buyer_lost << 230

    @property
    def counted_quality_bps(self) -> int:
        """What a fail says of quality does not count: it was overruled, or costs more than quality."""
        return min(self.quality_bps, FULL_BPS) if self.outcome is _PASS else FULL_BPS

    @property
    def denied(self) -> int:
        """Weight of what the buyer denied wrongly."""
        if self.cause is _BY_DEFAULT and self.outcome is _PASS:
            return _nominal_up(self.undelivered)
        return _weight_up(self.fee, 1) if self.buyer_lost else 0


def closed_job(job: JobRecord) -> ClosedJob | None:
    """What the escrow told the scores when ``job`` closed; None for one that never opened."""
    terms = job.terms
    if terms is None or job.closed_by is None or job.outcome is None or job.units is None or job.fee is None:
        return None
    own = terms.verifier in (terms.buyer, terms.payer)
    ruled = job.closed_by is _RULED
    return ClosedJob(
        buyer=terms.buyer,
        payer=terms.payer,
        provider=terms.provider,
        fee=job.fee,
        undelivered=terms.unit_price * (terms.max_units - job.units),
        quality_bps=job.quality_bps,
        cause=job.closed_by,
        outcome=job.outcome,
        failed=(ruled and bool(job.slash_bps))
        or (job.closed_by is _FINALIZED and job.outcome is _FAIL and not own)
        or (job.closed_by is _RECLAIMED and job.units == 0),
        buyer_lost=ruled
        and not job.slash_bps
        and not job.cost_bps
        and (job.outcome is _CLAIM or (job.outcome is _FAIL and own)),
    )


def score_close(
    buyer: ScoreSlot, provider: ScoreSlot, closed: ClosedJob, time_s: int
) -> tuple[ScoreSlot | None, ScoreSlot | None]:
    """Both words after a close at ``time_s``; None for one that it leaves as it was."""
    if closed.cause is _AGREED and closed.outcome is _FAIL:
        return None, None
    epoch = epoch_of(time_s)
    buyer_was, provider_was = buyer.decayed_to(epoch), provider.decayed_to(epoch)
    paid_itself = closed.payer == closed.buyer
    quality_bps = closed.counted_quality_bps
    value = closed.fee * quality_bps

    buyer_is = buyer_was
    if paid_itself:
        buyer_is = buyer_is.earn(closed.provider, _counted_down(value, provider_was.tier))
    if denied := closed.denied:
        buyer_is = buyer_is.lose(0, 0, denied)

    undelivered = _nominal_up(closed.undelivered) if closed.failed else 0
    poor = 0 if quality_bps == FULL_BPS else _weight_up(closed.fee * (FULL_BPS - quality_bps), FULL_BPS)
    provider_is = provider_was.earn(closed.payer, _counted_down(value, buyer_was.tier if paid_itself else 0))
    if undelivered or poor:
        provider_is = provider_is.lose(undelivered, poor, undelivered if closed.cause is _RULED else 0)
    return (
        buyer_is if buyer_is is not buyer_was and buyer_is != buyer_was else None,
        provider_is if provider_is is not provider_was and provider_is != provider_was else None,
    )


def score_pass(
    buyer: ScoreSlot, provider: ScoreSlot, parties: tuple[Address, Address, Address], fee: int, epoch: int
) -> tuple[ScoreSlot | None, ScoreSlot | None]:
    """``score_close`` of what nearly all jobs end with: a pass by attestation of full quality. ``parties`` are buyer, payer and provider."""
    of_buyer, payer, of_provider = parties
    buyer_was = buyer if epoch <= buyer.epoch else buyer.decayed_to(epoch)
    provider_was = provider if epoch <= provider.epoch else provider.decayed_to(epoch)
    if payer == of_buyer:
        buyer_is = buyer_was.earn(of_provider, fee // _ONE_COUNTED[provider_was.tier])
        provider_is = provider_was.earn(payer, fee // _ONE_COUNTED[buyer_was.tier])
    else:
        buyer_is = buyer_was
        provider_is = provider_was.earn(payer, fee // _ONE_COUNTED[0])
    return None if buyer_is is buyer_was else buyer_is, None if provider_is is provider_was else provider_is


def standings_after(
    job: JobRecord, stored: Callable[[Address, Role], ScoreSlot]
) -> dict[tuple[Address, Role], Standing]:
    """The standings that a job's close leads to. ``stored`` answers with the word as it is before, empty for a newcomer."""
    closed = closed_job(job)
    if closed is None or job.closed_at is None:
        return {}
    buyer, provider = closed.buyer, closed.provider
    of_buyer, of_provider = score_close(stored(buyer, _BUYER), stored(provider, _PROVIDER), closed, job.closed_at)
    after: dict[tuple[Address, Role], Standing] = {}
    if of_buyer is not None:
        after[buyer, _BUYER] = Standing(of_buyer, job.id, job.closed_at)
    if of_provider is not None:
        after[provider, _PROVIDER] = Standing(of_provider, job.id, job.closed_at)
    return after


_COUNTED_IN_FULL: Final = (FULL_BPS * WEIGHT_UNIT) << _TOP_TIER
_ONE_COUNTED: Final = tuple(WEIGHT_UNIT << (_TOP_TIER - tier) for tier in range(_TOP_TIER + 1))
"""By the tier of the other side, the fee that counts as one of weight."""


def _counted_down(fee_bps: int, tier: int) -> int:
    return (fee_bps << tier) // _COUNTED_IN_FULL


def _nominal_up(undelivered: int) -> int:
    return _weight_up(undelivered * NOMINAL_FEE_BPS, FULL_BPS)


def _weight_up(amount: int, parts: int) -> int:
    return -(-amount // (parts * WEIGHT_UNIT))
