"""Folds the ledger's events into the projections, in memory, and writes each touched row once.

Rows are loaded by the hundred before a batch is folded and stay in memory from batch to batch, as far as they fit. Before a block that is not final
changes a row, the row's image is kept; a reorganisation puts the oldest images back, whatever the folds were.

Long on purpose: the loop that a back-fill spends its time in stands beside the folds that it calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlmodel import Session

from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import (
    Deposited,
    Event,
    EventOrigin,
    JobAttested,
    JobCancelled,
    JobOpened,
    JobPaid,
    JobProposed,
    Withdrawn,
)
from computility.domain.identifiers import Bytes32, ChainId
from computility.domain.job import JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord, reward_after
from computility.domain.score_slot import ScoreSlot
from computility.domain.scores import ClosedJob, Role, closed_job, score_close
from computility.domain.standing import Standing
from computility.domain.statistics import DAY_S
from computility.domain.terms import Terms
from computility.services import job_rows
from computility.services.concerned_accounts import PARTIES, PARTIES_BYTES
from computility.services.incoming import IncomingBlock, IncomingLog
from computility.services.institution_fold import InstitutionFold
from computility.services.job_rows import Leg
from computility.services.log_kinds import LogKind
from computility.services.projected_rows import Rows
from computility.services.statistics_fold import StatisticsFold
from computility.store import raw_logs, undo
from computility.store.bulk_write import BulkWriter, Row
from computility.store.compact_types import chain_number
from computility.store.job_at_rest import (
    BUYER,
    GENERATION,
    PLACES,
    PROVIDER,
    RESOURCE,
    STATE,
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

PROJECTION_VERSION: Final = 8
"""Raise it when a fold or a projected table changes what it holds: every store is then rebuilt from its logs."""

_NOBODY: Final = bytes(20)
_CLOSED: Final = int(JobState.CLOSED)
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
        self._scored: dict[tuple[bytes, int, bytes], tuple[ScoreSlot, bytes, int, int]] = {}
        """By account, role and escrow, what standings became since they were last put into their rows: slot, job, time and block."""
        self._statistics = StatisticsFold(self._by_number[STATISTICS.number], self._by_number[SCORE_HISTORY.number])
        self._quick = _QUICK
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
        busy = [(block, block.logs()) for block in blocks if block.kinds]
        self._prefetch([logs for _, logs in busy], kinds)
        raw: list[Row] = []
        of_accounts: list[Row] = []
        of_jobs: list[Row] = []
        of_names: list[Row] = []
        images: list[Row] = []
        touched: set[bytes] = set()
        chain, parties_of = self._number, PARTIES
        quick_folds = [self._quick.get(kind.event) for kind in kinds]
        for block, logs in busy:
            number = block.number
            keep = number >= keep_from
            if keep:
                self._put_sums()
            for rows in self._by_number.values():
                rows.begin_block(keep=keep)
            accounts: dict[bytes, bytes] = defaultdict(bytes)
            jobs: dict[bytes, bytes] = defaultdict(bytes)
            names: dict[str, bytes] = defaultdict(bytes)
            told_jobs: dict[int, bytes] = {}
            here = number.to_bytes(8, "big")
            for log_index, tx_hash, kind_number, topics, data in logs:
                kind = kinds[kind_number]
                # As ``stored_log.packed`` makes them, and ``place_of``.
                index = log_index.to_bytes(4, "big")
                quick = quick_folds[kind_number]
                if quick is not None:
                    row = quick(self, kind, block, tx_hash, topics, data, here + index)
                    if row is not None:
                        touched.add(topics[32:64])
                else:
                    job = topics[32:64] if kind.of_job else None
                    if job is not None:
                        touched.add(job)
                    row = self._apply(kind, block, log_index, tx_hash, job, topics, data)
                    if row is None:
                        told = job or self._institutions.job_told(kind, topics, logs, kinds)
                        if told is not None:
                            jobs[told] += index
                        if told is not None and job is None and kind.told_in is None:
                            told_jobs[log_index] = told
                if not keep_logs:
                    continue
                names[kind.name] += index
                parties = () if row is None or (terms := row[TERMS]) is None else parties_of[terms[:PARTIES_BYTES]]
                for account in parties:
                    accounts[account] += index
                for words, places in ((topics, kind.in_topics), (data, kind.in_data)):
                    for place in places:
                        account = words[place]
                        # One that is named twice has this index already.
                        if account not in parties and account != _NOBODY and accounts[account][-4:] != index:
                            accounts[account] += index
            if keep_logs:
                told_here = packed_jobs(told_jobs)
                raw.append((chain, number, block.hash, block.timestamp, len(logs), told_here, block.packed))
                of_accounts += [(chain, account, number, theirs) for account, theirs in accounts.items()]
                of_names += [(chain, name, number, theirs) for name, theirs in names.items()]
            # At the block's end: a stake that is drawn for a job is told of before the job opens.
            of_jobs += [
                (chain, of, number, told) for of, told in jobs.items() if not self._list_with_job(of, here, told)
            ]
            if keep:
                # Images are of one block each: only what is final adds up over several.
                self._put_sums()
                images += [image for rows in self._by_number.values() for image in rows.end_block(number)]
        self._put_sums()
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

    def _list_with_job(self, job: bytes, block: bytes, indexes: bytes) -> bool:
        """Logs are listed with a job whose record they do not change. False where the job has no row to say so in."""
        row = self.jobs.get(job)
        if row is None:
            return False
        here = [block + indexes[at : at + 4] for at in range(0, len(indexes), 4)]
        self.jobs.put(job, (*row[:PLACES], sorted_places(row[PLACES] + b"".join(here))))
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
        self._scored.clear()
        self.without_rows.clear()
        self._statistics.discard()
        for rows in self._by_number.values():
            rows.discard()

    def _prefetch(self, blocks: Sequence[Sequence[IncomingLog]], kinds: Sequence[LogKind]) -> None:
        """Bring to hand what the logs are going to ask for: jobs that did not begin among them, and the standings of those whose jobs close."""
        roles = [_role_of(kind) for kind in kinds]
        begun: dict[bytes, bytes] = {}
        asked: dict[bytes, None] = {}
        closing: list[tuple[bytes, int]] = []
        for logs in blocks:
            for _, _, kind_number, topics, _ in logs:
                role = roles[kind_number]
                if role is None:
                    continue
                job = topics[32:64]
                if role is _BEGINS:
                    begun[job] = topics
                    continue
                if job not in begun:
                    asked[job] = None
                if role is _CLOSES:
                    closing.append((job, kind_number))
        self.jobs.prefetch(asked)
        # The same few trade with one another again and again.
        pairs: set[tuple[bytes, bytes, int]] = set()
        for job, kind_number in closing:
            if (topics := begun.get(job, b"")) != b"":
                pairs.add((topics[76:96], topics[108:128], kind_number))
            elif (row := self.jobs.get(job)) is not None:
                pairs.add((row[BUYER], row[PROVIDER], kind_number))
        scored: dict[tuple[bytes, int, bytes], None] = {}
        for buyer, provider, kind_number in pairs:
            escrow = kinds[kind_number].address_bytes
            scored[buyer, _BUYER, escrow] = scored[provider, _PROVIDER, escrow] = None
        self.scores.prefetch(scored)

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
            terms = after.terms
            self._statistics.job_changed(event, after, row[RESOURCE], row[PROVIDER], origin)
            if (
                after.state is JobState.CLOSED
                and (closed := closed_job(after)) is not None
                and after.closed_at is not None
            ):
                self._score(kind, closed, job, row, after.closed_at, origin.block_number)
        movement = movement_of(event, terms)
        self._move(kind, [(bytes.fromhex(account[2:]), *delta) for account, delta in movement.accounts.items()])
        if movement.fees:
            self._fees_moved[kind.address_bytes] += movement.fees
        return row

    # ---------------------------------------------------------------- the commonest events

    def _opened(
        self, kind: LogKind, block: IncomingBlock, tx_hash: bytes, topics: bytes, data: bytes, place: bytes
    ) -> JobsRow:
        job = topics[32:64]
        row, legs = job_rows.opened(
            self._ledger, kind.generation, job, data, block.number, block.timestamp, tx_hash, place
        )
        self.jobs.add(job, row)
        self._statistics.opened(row[RESOURCE], row[PROVIDER], block.timestamp, block.number)
        self._move(kind, legs)
        return row

    def _attested(
        self, kind: LogKind, block: IncomingBlock, tx_hash: bytes, topics: bytes, data: bytes, place: bytes
    ) -> JobsRow:
        job = topics[32:64]
        row = job_rows.attested(self._live(kind, job), data, place)
        self.jobs.put(job, row)
        return row

    def _proposed(
        self, kind: LogKind, block: IncomingBlock, tx_hash: bytes, topics: bytes, data: bytes, place: bytes
    ) -> JobsRow:
        job = topics[32:64]
        row = job_rows.proposed(self._live(kind, job), data, place)
        self.jobs.put(job, row)
        return row

    def _paid(
        self, kind: LogKind, block: IncomingBlock, tx_hash: bytes, topics: bytes, data: bytes, place: bytes
    ) -> JobsRow:
        job = topics[32:64]
        row, legs, closed = job_rows.paid(
            self._live(kind, job), topics, data, block.number, block.timestamp, tx_hash, place
        )
        self.jobs.put(job, row)
        self._score(kind, closed, job, row, block.timestamp, block.number)
        self._statistics.paid(row)
        self._move(kind, legs)
        if closed.fee:
            self._fees_moved[kind.address_bytes] += closed.fee
        return row

    def _deposited(
        self, kind: LogKind, block: IncomingBlock, tx_hash: bytes, topics: bytes, data: bytes, place: bytes
    ) -> None:
        self._move(kind, ((topics[44:64], int.from_bytes(data, "big"), 0),))

    def _withdrawn(
        self, kind: LogKind, block: IncomingBlock, tx_hash: bytes, topics: bytes, data: bytes, place: bytes
    ) -> None:
        self._move(kind, ((topics[44:64], -int.from_bytes(data, "big"), 0),))

    def _live(self, kind: LogKind, job: bytes) -> JobsRow:
        row = self.jobs.get(job)
        if row is None or row[STATE] == _CLOSED:
            raise ChainMisbehaved(f"{kind.event.__name__} of job 0x{job.hex()} does not follow what was read before it")
        return row

    # ---------------------------------------------------------------- money and standings

    def _move(self, kind: LogKind, legs: Iterable[Leg]) -> None:
        escrow, moved = kind.address_bytes, self._moved
        for account, free, locked in legs:
            if free or locked:
                sums = moved.get((account, escrow))
                if sums is None:
                    moved[account, escrow] = [free, locked]
                else:
                    sums[0] += free
                    sums[1] += locked

    def _put_sums(self) -> None:
        for place, last in self._scored.items():
            self._put_standing(place, *last)
        self._scored.clear()
        self._statistics.put()
        self.accounts.prefetch(self._moved)
        for key, (free, locked) in self._moved.items():
            before = self.accounts.get(key) or _NOTHING
            self.accounts.put(key, Balance(before.free + free, before.locked + locked))
        self._moved.clear()
        for escrow, fees in self._fees_moved.items():
            self.fees.put(escrow, (self.fees.get(escrow) or 0) + fees)
        self._fees_moved.clear()

    def _score(self, kind: LogKind, closed: ClosedJob, job: bytes, row: JobsRow, at: int, block: int) -> None:
        escrow, scored = kind.address_bytes, self._scored
        buyer, provider = (row[BUYER], _BUYER, escrow), (row[PROVIDER], _PROVIDER, escrow)
        before = scored.get(buyer), scored.get(provider)
        words = score_close(
            before[0][0] if before[0] else self._slot(buyer),
            before[1][0] if before[1] else self._slot(provider),
            closed,
            at,
        )
        for key, last, word in zip((buyer, provider), before, words, strict=True):
            if word is not None:
                if last is not None and last[2] // DAY_S != at // DAY_S:
                    # The last of its day, which stays in the history.
                    self._put_standing(key, *last)
                scored[key] = word, job, at, block

    def _slot(self, key: tuple[bytes, int, bytes]) -> ScoreSlot:
        standing = self.scores.get(key)
        return standing.slot if standing else _NEWCOMER

    def _put_standing(self, key: tuple[bytes, int, bytes], slot: ScoreSlot, job: bytes, at: int, block: int) -> None:
        standing = Standing(slot, Bytes32("0x" + job.hex()), at)
        self.scores.put(key, standing)
        self._statistics.scored(*key, standing, block)


_BEGINS, _GOES_ON, _CLOSES = "begins", "goes on", "closes"
"""What an event says of its job, for whose row it is brought to hand."""


def _role_of(kind: LogKind) -> str | None:
    # A job that was cancelled had not begun: whoever asks for its row finds none.
    if not kind.of_job or kind.event is JobCancelled:
        return None
    if kind.event is JobOpened:
        return _BEGINS
    return _CLOSES if kind.closes else _GOES_ON


_NOTHING: Final = Balance()
_NEWCOMER: Final = ScoreSlot()

_Quick = Callable[[Projection, LogKind, IncomingBlock, bytes, bytes, bytes, bytes], JobsRow | None]
_QUICK: Final[dict[type[Event], _Quick]] = {
    JobOpened: Projection._opened,
    JobAttested: Projection._attested,
    JobProposed: Projection._proposed,
    JobPaid: Projection._paid,
    Deposited: Projection._deposited,
    Withdrawn: Projection._withdrawn,
}
