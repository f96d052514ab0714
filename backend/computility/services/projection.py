"""Folds the ledger's events into the projections, in memory, and writes each touched row once.

Rows are loaded by the hundred when the first of a batch is missing, and stay in memory from batch to batch, as far as they fit. Before a block
that is not final changes a row, the row's image is kept; a reorganisation puts the oldest images back, whatever the folds were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlmodel import Session

from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.events import Event, EventOrigin, JobOpened
from computility.domain.identifiers import Bytes32, ChainId
from computility.domain.job import JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.packed_logs import ADDRESS_AT, FORMAT, HEAD, TOPICS_AT, TX_AT, expanded
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord, reward_after
from computility.domain.scores import Role, closed_job
from computility.domain.standing import Standing
from computility.domain.terms import Terms
from computility.services.concerned_accounts import PARTIES, PARTIES_BYTES
from computility.services.incoming import IncomingBlock
from computility.services.institution_fold import InstitutionFold
from computility.services.log_kinds import LogKind
from computility.services.log_lists import LogLists
from computility.services.projected_rows import Rows
from computility.services.standings_fold import StandingsFold
from computility.services.statistics_fold import StatisticsFold
from computility.services.trade_fold import QUICK, Accounts, Fold, Leg, TradeFold
from computility.store import raw_logs, undo
from computility.store.bulk_write import BulkWriter, Row
from computility.store.compact_types import chain_number
from computility.store.job_at_rest import (
    BUYER,
    GENERATION,
    PLACES,
    PROVIDER,
    RESOURCE,
    TERMS,
    JobsRow,
    job_record,
    job_row,
    place_of,
    sorted_places,
)
from computility.store.projected import ACCOUNTS, FEES, JOBS, PROVIDERS, SCORES
from computility.store.projections import EVERY, OF_INSTITUTIONS, REWARDS, SCORE_HISTORY, STATISTICS
from computility.store.stored_log import packed_jobs
from computility.store.undo import UndoRow

PROJECTION_VERSION: Final = 9
"""Raise it when a fold or a projected table changes what it holds: every store is then rebuilt from its logs."""

_NOBODY: Final = bytes(20)
_BUYER, _PROVIDER = int(Role.BUYER), int(Role.PROVIDER)


class Projection:
    """Every projection of one build of one chain's ledger."""

    def __init__(self, chain_id: ChainId) -> None:
        self._chain_id = chain_id
        self._number = chain_number(chain_id)
        self._ledger = 0
        self._by_number: dict[int, Rows[Any]] = {table.number: Rows(table) for table in EVERY}
        self.jobs: Rows[JobsRow] = self._by_number[JOBS.number]
        self.accounts: Rows[Balance] = self._by_number[ACCOUNTS.number]
        self.fees: Rows[int] = self._by_number[FEES.number]
        self.providers: Rows[ProviderRecord] = self._by_number[PROVIDERS.number]
        self.rewards: Rows[RewardRecord] = self._by_number[REWARDS.number]
        self.scores: Rows[Standing] = self._by_number[SCORES.number]
        self._moved: dict[tuple[bytes, bytes], list[int]] = {}
        """What balances gained since they were last put into their rows."""
        self._fees_moved: dict[bytes, int] = defaultdict(int)
        self._statistics = StatisticsFold(self._by_number[STATISTICS.number], self._by_number[SCORE_HISTORY.number])
        self._standings = StandingsFold(self.scores, self._statistics)
        self._quick: Collection[type[Event]] = QUICK
        self._trades: dict[bytes, TradeFold] = {}
        """By escrow."""
        self.without_rows: list[Row] = []
        """Of a build that is made anew, the lists of jobs without a row: rows of ``raw_logs.OF_JOBS``."""
        self._institutions = InstitutionFold(*(self._by_number[table.number] for table in OF_INSTITUTIONS))

    def fold(
        self,
        writer: BulkWriter,
        ledger: int,
        blocks: Iterable[IncomingBlock],
        kinds: Sequence[LogKind],
        *,
        keep_from: int,
        keep_logs: bool,
    ) -> set[bytes]:
        """Apply the logs of blocks in order, and write them (if ``keep_logs``) and what they change. The jobs that they touch.

        Images of before are kept for blocks from ``keep_from`` on.

        Raises:
            ChainMisbehaved: a log does not follow what was folded before.
        """
        self._ledger = ledger
        for rows in self._by_number.values():
            rows.begin(writer, ledger)
        busy = [block for block in blocks if block.kinds]
        self.jobs.bring = self.scores.bring = lambda: self._bring(busy, kinds)
        raw: list[Row] = []
        of_accounts: list[Row] = []
        of_jobs: list[Row] = []
        of_names: list[Row] = []
        images: list[Row] = []
        touched: set[bytes] = set()
        chain = self._number
        quick_folds = [self._quick_fold(kind) for kind in kinds]
        for trades in self._trades.values():
            trades.begin(ledger, touched)
        for block in busy:
            number, packed, at = block.number, expanded(block.packed), len(FORMAT)
            keep = number >= keep_from
            if keep:
                self._put_sums()
            for rows in self._by_number.values():
                rows.begin_block(keep=keep)
            for trades in self._trades.values():
                trades.begin_block(block)
            lists = LogLists()
            accounts, of_kinds = lists.accounts, lists.kinds
            for kind_number in block.kinds:
                # As ``stored_log.packed`` makes them: a packed log begins with its index.
                index = packed[at : at + 4]
                quick = quick_folds[kind_number]
                if quick is not None:
                    fold, size = quick
                    concerned = fold(packed, at, index)
                    at += size
                else:
                    concerned, at = self._seldom(kinds, kind_number, block, packed, at, lists, touched)
                if keep_logs:
                    of_kinds[kind_number].append(index)
                    for account in concerned:
                        accounts[account].append(index)
            if keep_logs:
                told_here = packed_jobs(lists.told_jobs)
                raw.append((chain, number, block.hash, block.timestamp, len(block.kinds), told_here, block.packed))
                of_accounts += lists.of_accounts(chain, number)
                of_names += lists.of_names(chain, number, kinds)
            # At the block's end: a stake that is drawn for a job is told of before the job opens.
            for job, indexes in lists.jobs.items():
                if not self._list_with_job(job, number, indexes):
                    of_jobs.append((chain, job, number, b"".join(indexes)))
            if keep:
                # Images are of one block each: only what is final adds up over several.
                self._put_sums()
                images += [image for rows in self._by_number.values() for image in rows.end_block(number)]
        self._put_sums()
        self.jobs.bring = self.scores.bring = None
        for table, made in ((raw_logs.LOGS, raw), (raw_logs.OF_ACCOUNTS, of_accounts), (raw_logs.OF_NAMES, of_names)):
            # In the order of their keys: each account's rows go to the end of its own stretch, not all over the table.
            writer.insert(table, sorted(made))
        if keep_logs:
            writer.insert(raw_logs.OF_JOBS, sorted(of_jobs))
        else:
            self.without_rows += of_jobs
        for rows in self._by_number.values():
            rows.write(writer)
        writer.insert(UndoRow.__table__, images)  # type: ignore[attr-defined]  # SQLModel sets it on every table class
        return touched

    def _list_with_job(self, job: bytes, block: int, indexes: Iterable[bytes]) -> bool:
        """Logs are listed with a job whose record they do not change. False where the job has no row to say so in."""
        row = self.jobs.get(job)
        if row is None:
            return False
        here = block.to_bytes(8, "big")
        places = b"".join([here + index for index in indexes])
        self.jobs.put(job, (*row[:PLACES], sorted_places(row[PLACES] + places)))
        return True

    def restore(self, session: Session, writer: BulkWriter, ledger: int, number: int) -> None:
        """Put every row back to what it was at the end of block ``number``."""
        images: dict[int, list[tuple[bytes, bytes | None]]] = {}
        for (projection, key), before in undo.images_above(session, ledger, number).items():
            images.setdefault(projection, []).append((key, before))
        for projection, some in images.items():
            self._by_number[projection].table.put_back(writer, ledger, some)
        undo.remove_images_above(session, ledger, number)
        self.discard()

    def discard(self) -> None:
        """Forget what is at hand."""
        self._moved.clear()
        self._fees_moved.clear()
        for trades in self._trades.values():
            trades.discard()
        self._standings.discard()
        self.without_rows.clear()
        self._statistics.discard()
        for rows in self._by_number.values():
            rows.discard()

    def _quick_fold(self, kind: LogKind) -> tuple[Fold, int] | None:
        """The fold of a common event, and the bytes of such a log."""
        if kind.event not in self._quick:
            return None
        trades = self._trades.get(kind.address_bytes)
        if trades is None:
            trades = TradeFold(kind, self.jobs, self._standings, self._statistics)
            self._trades[kind.address_bytes] = trades
        return trades.folds[kind.event]

    def _bring(self, blocks: Iterable[IncomingBlock], kinds: Sequence[LogKind]) -> None:
        """Bring to hand what logs are going to ask for: jobs that did not begin among them, and the standings of those whose jobs close.

        Called when the first is missing: in a back-fill most jobs are at hand from their opening on.
        """
        self.jobs.bring = self.scores.bring = None
        roles = [_role_of(kind) for kind in kinds]
        begun: dict[bytes, tuple[bytes, bytes]] = {}
        asked: dict[bytes, None] = {}
        closing: list[tuple[bytes, int]] = []
        for block in blocks:
            for _, _, kind_number, topics, _ in block.logs():
                role = roles[kind_number]
                if role is None:
                    continue
                job = topics[32:64]
                if role is _BEGINS:
                    begun[job] = topics[76:96], topics[108:128]
                    continue
                if job not in begun:
                    asked[job] = None
                if role is _CLOSES:
                    closing.append((job, kind_number))
        self.jobs.prefetch(asked)
        # The same few trade with one another again and again.
        pairs: set[tuple[bytes, bytes, int]] = set()
        for job, kind_number in closing:
            if (sides := begun.get(job)) is not None:
                pairs.add((*sides, kind_number))
            elif (row := self.jobs.get(job)) is not None:
                pairs.add((row[BUYER], row[PROVIDER], kind_number))
        scored: dict[tuple[bytes, int, bytes], None] = {}
        for buyer, provider, kind_number in pairs:
            escrow = kinds[kind_number].address_bytes
            scored[buyer, _BUYER, escrow] = scored[provider, _PROVIDER, escrow] = None
        self.scores.prefetch(scored)

    def _seldom(
        self,
        kinds: Sequence[LogKind],
        kind_number: int,
        block: IncomingBlock,
        packed: bytes,
        at: int,
        lists: LogLists,
        touched: set[bytes],
    ) -> tuple[Accounts, int]:
        """Fold one log of those that are not common: the accounts that it concerns, and where the next begins."""
        kind = kinds[kind_number]
        log_index, topics_bytes, data_bytes = HEAD(packed, at)
        data_at = at + TOPICS_AT + topics_bytes
        end = data_at + data_bytes
        topics, data = packed[at + TOPICS_AT : data_at], packed[data_at:end]
        job = topics[32:64] if kind.of_job else None
        if job is not None:
            touched.add(job)
        row = self._apply(kind, block, log_index, packed[at + TX_AT : at + ADDRESS_AT], job, topics, data)
        if row is None:
            told = job
            if told is None:
                logs = block.logs() if kind.dispute_in is not None else ()
                told = self._institutions.job_told(kind, topics, logs, kinds)
            if told is not None:
                lists.jobs[told].append(packed[at : at + 4])
                if job is None and kind.told_in is None:
                    lists.told_jobs[log_index] = told
        terms = None if row is None else row[TERMS]
        concerned = dict.fromkeys(() if terms is None else PARTIES[terms[:PARTIES_BYTES]])
        concerned |= dict.fromkeys(
            [topics[place] for place in kind.in_topics] + [data[place] for place in kind.in_data]
        )
        concerned.pop(_NOBODY, None)
        return tuple(concerned), end

    def _apply(
        self,
        kind: LogKind,
        block: IncomingBlock,
        log_index: int,
        tx_hash: bytes,
        job: bytes | None,
        topics: bytes,
        data: bytes,
    ) -> JobsRow | None:
        """Fold one log of those that are not common. The row of its job, where there is one."""
        event = kind.decode(topics[32:] + data)
        origin = EventOrigin(
            self._chain_id, Bytes32("0x" + block.hash.hex()), block.number, log_index, Bytes32("0x" + tx_hash.hex()), kind.address,
            block.timestamp,
        )  # fmt: skip
        if kind.contract != "JobEscrow" and kind.contract != "ProviderRegistry":
            self._institutions.apply(kind, event, origin)
            return None
        if kind.contract == "ProviderRegistry":
            if isinstance(event, provider_fold.OF_NO_PROVIDER):
                return None
            # Every other event of the registry names its provider first.
            provider = kind.address_bytes, topics[44:64]
            self.providers.put(provider, provider_fold.apply_event(self.providers.get(provider), event, origin))
            reward = reward_after(self.rewards.get(provider), event, origin)
            if reward is not None:
                self.rewards.put(provider, reward)
            return None
        return self._apply_escrow(kind, event, origin, job)

    def _apply_escrow(self, kind: LogKind, event: Event, origin: EventOrigin, job: bytes | None) -> JobsRow | None:
        row: JobsRow | None = None
        terms: Terms | None = None
        if job is not None:
            before = self.jobs.get(job)
            after = job_fold.apply_event(None if before is None else job_record(before), event, origin)
            place = place_of(origin.block_number, origin.log_index)
            if before is None:
                row = job_row(self._ledger, kind.generation, after, place)
            else:
                row = job_row(self._ledger, before[GENERATION], after, before[PLACES] + place)
            self.jobs.put(job, row)
            if (trades := self._trades.get(kind.address_bytes)) is not None:
                trades.forget(job)
            terms = after.terms
            self._statistics.job_changed(event, after, row[RESOURCE], row[PROVIDER], origin)
            if (
                after.state is JobState.CLOSED
                and (closed := closed_job(after)) is not None
                and after.closed_at is not None
            ):
                sides = self._standings.of(row[BUYER], row[PROVIDER], kind.address_bytes)
                self._standings.closed(sides, closed, job, after.closed_at, origin.block_number)
        movement = movement_of(event, terms)
        legs = [(bytes.fromhex(account[2:]), *delta) for account, delta in movement.accounts.items()]
        self._move(kind.address_bytes, legs)
        if movement.fees:
            self._fees_moved[kind.address_bytes] += movement.fees
        return row

    # ---------------------------------------------------------------- money and standings

    def _move(self, escrow: bytes, legs: Iterable[Leg]) -> None:
        moved = self._moved
        for account, free, locked in legs:
            sums = moved.get((account, escrow))
            if sums is None:
                moved[account, escrow] = [free, locked]
            else:
                sums[0] += free
                sums[1] += locked

    def _put_sums(self) -> None:
        for trades in self._trades.values():
            legs, fees = trades.settle()
            self._move(trades.escrow, legs)
            if fees:
                self._fees_moved[trades.escrow] += fees
        self._standings.put()
        self._statistics.put()
        self.accounts.prefetch(self._moved)
        for key, (free, locked) in self._moved.items():
            before = self.accounts.get(key) or _NOTHING
            self.accounts.put(key, Balance(before.free + free, before.locked + locked))
        self._moved.clear()
        for escrow, fees in self._fees_moved.items():
            self.fees.put(escrow, (self.fees.get(escrow) or 0) + fees)
        self._fees_moved.clear()


_BEGINS, _GOES_ON, _CLOSES = "begins", "goes on", "closes"
"""What an event says of its job, for whose row it is brought to hand."""


def _role_of(kind: LogKind) -> str | None:
    if not kind.of_job:
        return None
    if kind.event is JobOpened:
        return _BEGINS
    return _CLOSES if kind.closes else _GOES_ON


_NOTHING: Final = Balance()
