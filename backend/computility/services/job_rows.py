"""The commonest events of a job, folded on its row as it rests: what ``domain.job`` says of them, without making an object of each.

Most of an indexer's time goes into them. Every other event goes through ``domain.job`` itself, and a test holds these against it.
"""

from __future__ import annotations

from typing import Final

from computility.chain.event_decoders import ADDRESSES, picker_of, terms_picker
from computility.domain.attestation import Verdict
from computility.domain.events import JobAttested, JobOpened, JobPaid, JobProposed
from computility.domain.job import ClosedBy, JobState, Outcome
from computility.domain.scores import ClosedJob
from computility.domain.units import FULL_BPS
from computility.store.job_at_rest import PLACES, STATE, TERMS, JobsRow

Leg = tuple[bytes, int, int]
"""An account, and what its free and its locked balance gain."""

_NO_HASH: Final = bytes(32)
_OPEN, _PENDING, _CLOSED = int(JobState.OPEN), int(JobState.PENDING), int(JobState.CLOSED)
_CLAIM, _PASS = int(Outcome.CLAIM), int(Outcome.PASS)
_ATTESTED, _NO_FAULT = int(ClosedBy.ATTESTED), int(Verdict.NO_FAULT)
_BY_ATTESTATION, _PASSED = ClosedBy.ATTESTED, Outcome.PASS
# Where columns stand after which others follow that an event leaves alone or changes together.
_OUTCOME, _FEE_BPS, _ACCEPTED, _QUALITY, _UNITS = 10, 12, 15, 17, 19
_SLASH_BPS, _RESULT, _EVIDENCE, _OPENED_AT, _CLOSED_AT = 30, 32, 33, 34, 37
_TERMS_BYTES: Final = 23 * 32

_pick_opened = picker_of(
    JobOpened, "terms.buyer", "terms.payer", "terms.provider", "terms.verifier", "terms.resource", "terms.bond", "terms.end",
    "fee_bps", "escrow", "from_wallet",
)  # fmt: skip
_pick_attested = picker_of(
    JobAttested, "verdict", "result", "quality_bps", "evidence", "accepted", "outcome", "pending", "deadline"
)
_pick_proposed = picker_of(JobProposed, "units", "result", "deadline")
_pick_paid = picker_of(
    JobPaid,
    "result",
    "quality_bps",
    "evidence",
    "units",
    "provider_paid",
    "fee",
    "refund",
    "verifier_paid",
    "to_wallet",
)
_pick_price = terms_picker(
    "buyer", "payer", "provider", "verifier", "unit_price", "max_units", "bond", "verifier_fee", "arbiter_fee"
)


def opened(
    ledger: int, generation: int, job: bytes, data: bytes, block: int, timestamp: int, tx_hash: bytes, place: bytes
) -> tuple[JobsRow, tuple[Leg, ...]]:
    """The row of a job that opened at ``place``, and what that moves."""
    (
        buyer, payer, provider, verifier, resource, bond_high, bond, end, fee_bps, escrow_high, escrow, wallet_high, wallet,
    ) = _pick_opened(data)  # fmt: skip
    bond |= bond_high << 64
    escrow |= escrow_high << 64
    wallet |= wallet_high << 64
    row = (
        ledger, job, generation, buyer, provider, verifier, resource, block, _OPEN, data[:_TERMS_BYTES], None, None, fee_bps, escrow, wallet,
        0, 0, FULL_BPS, end, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
        timestamp, block, tx_hash, None, None, None, place,
    )  # fmt: skip
    return row, ((payer, wallet - escrow, escrow), (provider, -bond, bond))


def attested(row: JobsRow, data: bytes, place: bytes) -> JobsRow:
    """A job after a reading or a verdict at ``place``."""
    verdict, result, quality, evidence, accepted, outcome, pending, deadline = _pick_attested(data)
    reading = accepted > row[_ACCEPTED]
    return (
        *row[:STATE],
        row[STATE] if reading else _PENDING,
        row[TERMS],
        row[_OUTCOME] if reading else outcome,
        *row[_OUTCOME + 1 : _ACCEPTED],
        accepted,
        pending,
        row[_QUALITY] if reading or verdict == _NO_FAULT else quality,
        deadline,
        *row[_UNITS:_RESULT],
        row[_RESULT] if result == _NO_HASH else result,
        row[_EVIDENCE] if evidence == _NO_HASH else evidence,
        *row[_OPENED_AT:PLACES],
        row[PLACES] + place,
    )


def proposed(row: JobsRow, data: bytes, place: bytes) -> JobsRow:
    """A job after the provider's claim at ``place``."""
    units, result, deadline = _pick_proposed(data)
    return (
        *row[:STATE],
        _PENDING,
        row[TERMS],
        _CLAIM,
        *row[_OUTCOME + 1 : _ACCEPTED + 1],
        units,
        row[_QUALITY],
        deadline,
        *row[_UNITS:_RESULT],
        result,
        *row[_EVIDENCE:PLACES],
        row[PLACES] + place,
    )


def paid(
    row: JobsRow, topics: bytes, data: bytes, block: int, timestamp: int, tx_hash: bytes, place: bytes
) -> tuple[JobsRow, tuple[Leg, ...], ClosedJob]:
    """A job after the final pass at ``place`` that paid it, what that moves, and what the scores learn of it. The fees gain the row's."""
    (
        result, quality, evidence, units, paid_high, provider_paid, fee_high, fee, refund_high, refund, verifier_high, verifier_paid,
        wallet_high, wallet,
    ) = _pick_paid(data)  # fmt: skip
    (
        buyer, payer, provider, verifier, price_high, price, max_units, bond_high, bond, fee_of_verifier_high, fee_of_verifier,
        fee_of_arbiter_high, fee_of_arbiter,
    ) = _pick_price(row[TERMS])  # fmt: skip
    provider_paid |= paid_high << 64
    fee |= fee_high << 64
    refund |= refund_high << 64
    verifier_paid |= verifier_high << 64
    wallet |= wallet_high << 64
    price |= price_high << 64
    bond |= bond_high << 64
    escrow = (
        price * max_units
        + (fee_of_verifier_high << 64 | fee_of_verifier)
        + (fee_of_arbiter_high << 64 | fee_of_arbiter)
    )
    after = (
        *row[:STATE], _CLOSED, row[TERMS], _PASS, _ATTESTED, *row[_FEE_BPS:_ACCEPTED],
        units, 0, quality, None, units, provider_paid, fee, refund, verifier_paid, 0, 0, bond, 0, 0, wallet, *row[_SLASH_BPS:_RESULT],
        row[_RESULT] if result == _NO_HASH else result, row[_EVIDENCE] if evidence == _NO_HASH else evidence,
        *row[_OPENED_AT:_CLOSED_AT], timestamp, block, tx_hash, row[PLACES] + place,
    )  # fmt: skip
    legs = (
        (payer, refund, -escrow),
        (provider, provider_paid + bond, -bond),
        (verifier, verifier_paid, 0),
        (topics[76:96], -wallet, 0),
    )
    closed = ClosedJob(
        ADDRESSES[buyer], ADDRESSES[payer], ADDRESSES[provider], fee, price * (max_units - units), quality, _BY_ATTESTATION,
        _PASSED, False, False,
    )  # fmt: skip
    return after, legs, closed


FEE: Final = 21
"""Where a row has the fee that its close paid."""
