"""The commonest events of an escrow, folded on jobs' rows as they rest: what ``domain.job`` says of them, without making an object of each.

Most of an indexer's time goes into them. A log is read in one step where its block's bytes hold it. Who trade with one another do so again and again:
what they gain is added up by ``Dealing``, and goes into the rows when ``settle`` asks for it. Every other event goes through ``domain.job`` itself,
and a test holds these against it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from computility.chain.event_decoders import ADDRESSES, log_layout, terms_picker
from computility.domain.attestation import Verdict
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import Deposited, Event, JobAttested, JobOpened, JobPaid, JobProposed, Withdrawn
from computility.domain.job import ClosedBy, JobState, Outcome
from computility.domain.packed_logs import TOPICS_AT
from computility.domain.score_slot import epoch_of
from computility.domain.scores import ClosedJob
from computility.domain.statistics import DAY_S
from computility.domain.units import FULL_BPS
from computility.services.concerned_accounts import PARTIES, PARTIES_BYTES
from computility.services.incoming import IncomingBlock
from computility.services.log_kinds import LogKind
from computility.services.projected_rows import Rows
from computility.services.standings_fold import Scored, StandingsFold
from computility.services.statistics_fold import DayTrades, StatisticsFold
from computility.store.job_at_rest import PLACES, PROVIDER, RESOURCE, STATE, TERMS, JobsRow, job_record

Leg = tuple[bytes, int, int]
"""An account, and what its free and its locked balance gain."""
Accounts = tuple[bytes, ...]
Fold = Callable[[bytes, int, bytes], Accounts]
"""Folds a log, given the packed logs of its block, where it begins there, and its index in four bytes. The accounts that it concerns."""

_NOBODY: Final = bytes(20)
_NO_HASH: Final = bytes(32)
_OPEN, _PENDING, _CLOSED = int(JobState.OPEN), int(JobState.PENDING), int(JobState.CLOSED)
_CLAIM, _PASS, _FAIL = int(Outcome.CLAIM), int(Outcome.PASS), int(Outcome.FAIL)
_ATTESTED, _NO_FAULT = int(ClosedBy.ATTESTED), int(Verdict.NO_FAULT)
_BY_ATTESTATION, _PASSED = ClosedBy.ATTESTED, Outcome.PASS
# Where columns stand after which others follow that an event leaves alone or changes together.
_OUTCOME, _FEE_BPS, _ACCEPTED, _QUALITY, _UNITS = 10, 12, 15, 17, 19
_SLASH_BPS, _RESULT, _EVIDENCE, _OPENED_AT, _CLOSED_AT = 30, 32, 33, 34, 37

_OPENED: Final = log_layout(
    JobOpened, "job", "terms.resource", "terms.unit_price", "terms.max_units", "terms.bond", "terms.verifier_fee", "terms.arbiter_fee",
    "terms.end", "fee_bps", "escrow", "from_wallet",
)  # fmt: skip
_ATTESTING: Final = log_layout(
    JobAttested, "job", "verdict", "result", "quality_bps", "evidence", "accepted", "outcome", "pending", "deadline"
)
_PROPOSED: Final = log_layout(JobProposed, "job", "units", "result", "deadline")
_PAID: Final = log_layout(
    JobPaid, "job", "caller", "result", "quality_bps", "evidence", "units", "provider_paid", "fee", "refund", "verifier_paid", "to_wallet"
)  # fmt: skip
_DEPOSITED: Final = log_layout(Deposited, "account", "from_", "amount")
_WITHDRAWN: Final = log_layout(Withdrawn, "account", "to", "amount")
_pick_price = terms_picker("unit_price", "max_units", "bond", "verifier_fee", "arbiter_fee")
_NAMED_AT: Final = TOPICS_AT + 64
_TERMS_AT: Final = _NAMED_AT + 64
"""Where an opening names buyer and provider, and where its terms begin."""
_TERMS_END: Final = _TERMS_AT + 23 * 32


class Dealing:
    """What the same parties did at an escrow since that was last settled. Amounts are atoms of credit, none of them below zero."""

    __slots__ = (
        "accounts", "bonded", "buyer", "escrowed", "from_wallet", "named", "parties", "payer", "provider", "provider_paid", "refunded", "released",
        "standings", "unbonded", "verifier", "verifier_paid",
    )  # fmt: skip

    def __init__(self, parties: bytes) -> None:
        """``parties`` are the first words of terms."""
        self.buyer, self.payer, self.provider, self.verifier = (parties[at - 20 : at] for at in (32, 64, 96, 128))
        self.parties = ADDRESSES[self.buyer], ADDRESSES[self.payer], ADDRESSES[self.provider]
        self.accounts = PARTIES[parties]
        self.named = parties[:32] + parties[64:96]
        """Buyer and provider as an opening's topics name them."""
        self.standings: tuple[Scored, Scored] | None = None
        """The buyer's and the provider's, once a job closes."""
        self.from_wallet = self.escrowed = self.bonded = 0
        self.released = self.refunded = self.provider_paid = self.unbonded = self.verifier_paid = 0

    def legs(self) -> Iterator[Leg]:
        """What that moved: nothing of whom nothing ever came or went."""
        if self.from_wallet or self.escrowed or self.refunded or self.released:
            yield self.payer, self.from_wallet - self.escrowed + self.refunded, self.escrowed - self.released
        if self.bonded or self.provider_paid or self.unbonded:
            yield self.provider, self.provider_paid + self.unbonded - self.bonded, self.bonded - self.unbonded
        if self.verifier_paid:
            yield self.verifier, self.verifier_paid, 0


_Live = tuple[Dealing, DayTrades, int, int, int, int]
"""Of a job that is live: among whom, its day's sums, its unit price, its units at most, its bond and its escrow."""


class TradeFold:
    """Of one escrow, in one build."""

    def __init__(
        self, kind: LogKind, jobs: Rows[JobsRow], standings: StandingsFold, statistics: StatisticsFold
    ) -> None:
        """``kind`` is one of the escrow's."""
        self.escrow = kind.address_bytes
        self._generation = kind.generation
        self._jobs = jobs
        self._standings = standings
        self._statistics = statistics
        self._dealings: dict[bytes, Dealing] = {}
        self._live: dict[bytes, _Live] = {}
        self._moved: dict[bytes, int] = defaultdict(int)
        """What free balances gained besides."""
        self._fees = 0
        self.folds: dict[type[Event], tuple[Fold, int]] = {
            JobOpened: (self._opened, _OPENED.size),
            JobAttested: (self._attested, _ATTESTING.size),
            JobProposed: (self._proposed, _PROPOSED.size),
            JobPaid: (self._paid, _PAID.size),
            Deposited: (self._deposited, _DEPOSITED.size),
            Withdrawn: (self._withdrawn, _WITHDRAWN.size),
        }
        """By event, with the bytes of such a log."""

    def begin(self, ledger: int, touched: set[bytes]) -> None:
        """Logs follow, of a build. The jobs that they change are added to ``touched``."""
        self._ledger, self._touched = ledger, touched

    def begin_block(self, block: IncomingBlock) -> None:
        """The logs of a block follow."""
        self._number, self._timestamp = block.number, block.timestamp
        self._here = block.number.to_bytes(8, "big")
        self._day, self._epoch = block.timestamp // DAY_S, epoch_of(block.timestamp)

    def forget(self, job: bytes) -> None:
        """Another fold changed a job: what is known of it may not be so any more."""
        self._live.pop(job, None)

    def settle(self) -> tuple[list[Leg], int]:
        """What everybody gained since it was last asked for, and what the fees did."""
        legs = [leg for dealing in self._dealings.values() for leg in dealing.legs()]
        legs += [(account, free, 0) for account, free in self._moved.items()]
        fees = self._fees
        self.discard()
        return legs, fees

    def discard(self) -> None:
        """Forget what waits."""
        self._dealings.clear()
        self._live.clear()
        self._moved.clear()
        self._fees = 0

    # ---------------------------------------------------------------- the events

    def _opened(self, packed: bytes, at: int, index: bytes) -> Accounts:
        (
            tx_hash, job, resource, price_high, price, max_units, bond_high, bond, verifier_high, verifier_fee, arbiter_high, arbiter_fee, end,
            fee_bps, escrow_high, escrow, wallet_high, wallet,
        ) = _OPENED.unpack_from(packed, at)  # fmt: skip
        price |= price_high << 64
        bond |= bond_high << 64
        escrow |= escrow_high << 64
        wallet |= wallet_high << 64
        terms = packed[at + _TERMS_AT : at + _TERMS_END]
        dealing = self._dealings.get(terms[:PARTIES_BYTES]) or self._dealing(terms)
        provider, number, timestamp = dealing.provider, self._number, self._timestamp
        self._jobs.add(job, (
            self._ledger, job, self._generation, dealing.buyer, provider, dealing.verifier, resource, number, _OPEN, terms, None, None, fee_bps,
            escrow, wallet, 0, 0, FULL_BPS, end, None, None, None, None, None, None, None, None, None, None, None, None, None, None, None,
            timestamp, number, tx_hash, None, None, None, self._here + index,
        ))  # fmt: skip
        self._touched.add(job)
        dealing.from_wallet += wallet
        dealing.escrowed += escrow
        dealing.bonded += bond
        trades = self._statistics.trades(self._day, resource, provider)
        trades.opened += 1
        trades.opened_block = number
        in_escrow = price * max_units + (verifier_high << 64 | verifier_fee) + (arbiter_high << 64 | arbiter_fee)
        self._live[job] = dealing, trades, price, max_units, bond, in_escrow
        named = packed[at + _NAMED_AT : at + _TERMS_AT]
        if named == dealing.named:
            return dealing.accounts
        return _with(dealing.accounts, named[12:32], named[44:])

    def _attested(self, packed: bytes, at: int, index: bytes) -> Accounts:
        _, job, verdict, result, quality, evidence, accepted, outcome, pending, deadline = _ATTESTING.unpack_from(
            packed, at
        )
        dealing = (self._live.get(job) or self._known(job, JobAttested))[0]
        row: Any = self._jobs.at_hand[job]
        reading = accepted > row[_ACCEPTED]
        if outcome > _FAIL:
            raise ChainMisbehaved(f"JobAttested of job 0x{job.hex()} has outcome {outcome}, which no job has")
        self._jobs.change(job, row, (
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
            row[PLACES] + self._here + index,
        ))  # fmt: skip
        return dealing.accounts

    def _proposed(self, packed: bytes, at: int, index: bytes) -> Accounts:
        _, job, units, result, deadline = _PROPOSED.unpack_from(packed, at)
        dealing = (self._live.get(job) or self._known(job, JobProposed))[0]
        row: Any = self._jobs.at_hand[job]
        self._jobs.change(job, row, (
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
            row[PLACES] + self._here + index,
        ))  # fmt: skip
        return dealing.accounts

    def _paid(self, packed: bytes, at: int, index: bytes) -> Accounts:
        (
            tx_hash, job, caller, result, quality, evidence, units, paid_high, paid, fee_high, fee, refund_high, refund, verifier_high,
            verifier_paid, wallet_high, wallet,
        ) = _PAID.unpack_from(packed, at)  # fmt: skip
        paid |= paid_high << 64
        fee |= fee_high << 64
        refund |= refund_high << 64
        verifier_paid |= verifier_high << 64
        wallet |= wallet_high << 64
        live = self._live.pop(job, None)
        dealing, trades, price, max_units, bond, escrow = self._known(job, JobPaid) if live is None else live
        row: Any = self._jobs.at_hand[job]
        number, timestamp = self._number, self._timestamp
        after = row[:STATE] + (  # noqa: RUF005  # spread into one another, tuples take more time
            _CLOSED, row[TERMS], _PASS, _ATTESTED, row[_FEE_BPS], row[_FEE_BPS + 1], row[_FEE_BPS + 2],
            units, 0, quality, None, units, paid, fee, refund, verifier_paid, 0, 0, bond, 0, 0, wallet, row[_SLASH_BPS], row[_SLASH_BPS + 1],
            row[_RESULT] if result == _NO_HASH else result, row[_EVIDENCE] if evidence == _NO_HASH else evidence,
            row[_OPENED_AT], row[_OPENED_AT + 1], row[_OPENED_AT + 2], timestamp, number, tx_hash, row[PLACES] + self._here + index,
        )  # fmt: skip
        self._jobs.change(job, row, after)
        dealing.released += escrow
        dealing.refunded += refund
        dealing.provider_paid += paid
        dealing.unbonded += bond
        dealing.verifier_paid += verifier_paid
        self._fees += fee
        if wallet:
            self._moved[caller] -= wallet
        opened_at = row[_OPENED_AT]
        if opened_at // DAY_S == self._day:
            trades.paid(price if units else 0, units, max_units, paid + fee, fee, refund, timestamp - opened_at, number)
        else:
            self._statistics.job_closed(row[RESOURCE], row[PROVIDER], job_record(after))
        sides = dealing.standings
        if sides is None:
            sides = dealing.standings = self._standings.of(dealing.buyer, dealing.provider, self.escrow)
        if quality >= FULL_BPS:
            self._standings.passed(sides, dealing.parties, fee, self._epoch, job, timestamp, number)
        else:
            undelivered = price * (max_units - units)
            closed = ClosedJob(
                *dealing.parties, fee, undelivered, quality, _BY_ATTESTATION, _PASSED, failed=False, buyer_lost=False
            )
            self._standings.closed(sides, closed, job, timestamp, number)
        accounts = dealing.accounts
        return accounts if caller in accounts or caller == _NOBODY else (*accounts, caller)

    def _deposited(self, packed: bytes, at: int, index: bytes) -> Accounts:
        _, account, payer, high, amount = _DEPOSITED.unpack_from(packed, at)
        if high or amount:
            self._moved[account] += high << 64 | amount
        return _with((), account, payer)

    def _withdrawn(self, packed: bytes, at: int, index: bytes) -> Accounts:
        _, account, receiver, high, amount = _WITHDRAWN.unpack_from(packed, at)
        if high or amount:
            self._moved[account] -= high << 64 | amount
        return _with((), account, receiver)

    # ---------------------------------------------------------------- what they need

    def _dealing(self, terms: bytes) -> Dealing:
        parties = terms[:PARTIES_BYTES]
        found = self._dealings.get(parties)
        if found is None:
            found = self._dealings[parties] = Dealing(parties)
        return found

    def _known(self, job: bytes, event: type[Event]) -> _Live:
        """What its row says of a job."""
        row = self._jobs.get(job)
        if row is None or row[STATE] == _CLOSED:
            raise ChainMisbehaved(f"{event.__name__} of job 0x{job.hex()} does not follow what was read before it")
        self._touched.add(job)
        terms = row[TERMS]
        (
            price_high, price, max_units, bond_high, bond, verifier_high, verifier_fee, arbiter_high, arbiter_fee,
        ) = _pick_price(terms)  # fmt: skip
        price |= price_high << 64
        trades = self._statistics.trades(row[_OPENED_AT] // DAY_S, row[RESOURCE], row[PROVIDER])
        escrow = price * max_units + (verifier_high << 64 | verifier_fee) + (arbiter_high << 64 | arbiter_fee)
        live = self._dealing(terms), trades, price, max_units, bond_high << 64 | bond, escrow
        if event is not JobPaid:
            self._live[job] = live
        return live


QUICK: Final = frozenset({JobOpened, JobAttested, JobProposed, JobPaid, Deposited, Withdrawn})
"""The events of which a ``TradeFold`` has folds."""


def _with(accounts: Accounts, *named: bytes) -> Accounts:
    """And those that a log names itself, each once and nobody left out."""
    return (*accounts, *dict.fromkeys(account for account in named if account != _NOBODY and account not in accounts))
