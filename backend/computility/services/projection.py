"""Folds the ledger's events into the projections, in memory, and writes each touched row once.

Rows are loaded by the hundred before a batch is folded and stay in memory from batch to batch, as far as they fit. Before a block that is not final
changes a row, the row's image is kept; a reorganisation puts the oldest images back, whatever the folds were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

from sqlmodel import Session

from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.events import EVENTS_BY_CONTRACT, Event, EventOrigin, JobClosed, JobPaid
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32, ChainId
from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.score_slot import ScoreSlot
from computility.domain.scores import Role, standings_after
from computility.domain.standing import Standing
from computility.domain.terms import Terms
from computility.services.incoming import IncomingLog
from computility.store import undo
from computility.store.bulk_write import BulkWriter, Row
from computility.store.compact_types import chain_number
from computility.store.projected import ACCOUNTS, EVERY, FEES, JOBS, PROVIDERS, SCORES, ProjectedTable
from computility.store.raw_logs import EventAccountRow, RawLogRow
from computility.store.undo import UndoRow

KeyT = TypeVar("KeyT")
RecordT = TypeVar("RecordT")

PROJECTION_VERSION: Final = 3
"""Raise it when a fold or a projected table changes what it holds: every store is then rebuilt from its logs."""

_ROWS_IN_MEMORY: Final = 20_000
"""Of each projection."""
_MISSING: Final = object()


class Rows(Generic[KeyT, RecordT]):
    """Rows of one projection: those at hand, and those that changed."""

    def __init__(self, table: ProjectedTable[KeyT, RecordT]) -> None:
        self.table = table
        self._at_hand: dict[KeyT, RecordT | None] = {}
        self._changed: set[KeyT] = set()
        self._before_block: dict[KeyT, RecordT | None] = {}
        self._keeping = True
        self._session: Session | None = None
        self._ledger = 0

    def begin(self, session: Session, ledger: int) -> None:
        """Read through this session from now on."""
        if ledger != self._ledger:
            self._at_hand.clear()
        self._session, self._ledger = session, ledger

    def prefetch(self, keys: Iterable[KeyT]) -> None:
        """Bring rows to hand that are about to be asked for."""
        assert self._session is not None
        missing = [key for key in dict.fromkeys(keys) if key not in self._at_hand]
        if missing:
            found = self.table.load(self._session, self._ledger, missing)
            for key in missing:
                self._at_hand[key] = found.get(key)

    def get(self, key: KeyT) -> RecordT | None:
        """A row, None where there is none."""
        found = self._at_hand.get(key, _MISSING)
        if found is _MISSING:
            self.prefetch((key,))
            return self._at_hand[key]
        record: RecordT | None = found  # type: ignore[assignment]  # the marker is excluded above
        return record

    def put(self, key: KeyT, record: RecordT) -> None:
        """Change a row that was read before."""
        if self._keeping and key not in self._before_block:
            self._before_block[key] = self._at_hand[key]
        self._at_hand[key] = record
        self._changed.add(key)

    def begin_block(self, *, keep: bool) -> None:
        """A block follows; ``keep`` the images of what it changes."""
        self._keeping = keep

    def end_block(self, number: int) -> list[Row]:
        """The images of what the block changed, if they were to be kept."""
        if not self._before_block:
            return []
        images = [
            (self._ledger, number, self.table.number, *self.table.image(self._ledger, key, before))
            for key, before in self._before_block.items()
        ]
        self._before_block.clear()
        return images

    def write(self, writer: BulkWriter) -> None:
        """Write what changed, each row once."""
        rows = []
        for key in self._changed:
            record = self._at_hand[key]
            assert record is not None
            rows.append(self.table.to_row(self._ledger, key, record))
        writer.upsert(self.table.table, rows, fixed=self.table.fixed)
        self._changed.clear()
        self._trim()

    def discard(self) -> None:
        """Forget everything at hand: the store has moved, or what changed was not kept."""
        self._at_hand.clear()
        self._changed.clear()
        self._before_block.clear()

    def _trim(self) -> None:
        if len(self._at_hand) <= _ROWS_IN_MEMORY:
            return
        # A row that is closed for good is not asked for again.
        self._at_hand = {
            key: row for key, row in self._at_hand.items() if row is not None and not self.table.is_closed(row)
        }
        for key in list(self._at_hand)[: max(0, len(self._at_hand) - _ROWS_IN_MEMORY // 2)]:
            del self._at_hand[key]


class Projection:
    """Every projection of one build of one chain's ledger."""

    def __init__(self, chain_id: ChainId) -> None:
        self._chain_id = chain_id
        self._number = chain_number(chain_id)
        self._rows: dict[ProjectedTable[Any, Any], Rows[Any, Any]] = {}
        self._by_number = {table.number: Rows(table) for table in EVERY}
        self.jobs: Rows[str, tuple[int, JobRecord]] = self._by_number[JOBS.number]
        self.accounts: Rows[tuple[str, str], Balance] = self._by_number[ACCOUNTS.number]
        self.fees: Rows[str, int] = self._by_number[FEES.number]
        self.providers: Rows[tuple[str, str], Any] = self._by_number[PROVIDERS.number]
        self.scores: Rows[tuple[str, int, str], Standing] = self._by_number[SCORES.number]
        self._parties: dict[tuple[tuple[Any, ...], tuple[Any, ...]], tuple[bytes, ...]] = {}
        self._tx = (b"", Bytes32(""), Bytes32(""))

    def fold(
        self,
        session: Session,
        writer: BulkWriter,
        ledger: int,
        logs: Sequence[IncomingLog],
        *,
        keep_from: int,
        keep_logs: bool,
    ) -> set[Bytes32]:
        """Apply logs in the order of the ledger, and write them (if ``keep_logs``) and what they change. The jobs that they touch.

        Images of before are kept for blocks from ``keep_from`` on.

        Raises:
            ChainMisbehaved: a log does not follow what was folded before.
        """
        for rows in self._by_number.values():
            rows.begin(session, ledger)
        self._prefetch(logs)
        raw: list[Row] = []
        concerned: dict[bytes, list[Row]] = defaultdict(list)
        images: list[Row] = []
        touched: set[Bytes32] = set()
        chain, number = self._number, -1
        for log in logs:
            block = log.block
            if block.number != number:
                images += self._end_block(number)
                number = block.number
                for rows in self._by_number.values():
                    rows.begin_block(keep=number >= keep_from)
            event = log.event
            job = event.job_id
            terms = self._apply(log, event, job)
            if job is not None:
                touched.add(job)
            if keep_logs:
                # A job is always the first indexed parameter.
                raw.append(
                    (
                        chain, number, log.log_index, block.hash, block.timestamp, log.tx_hash, log.address_bytes, log.generation,
                        log.contract, event.EVENT.name, None if job is None else log.topics[32:64], log.topics, log.data,
                    )
                )  # fmt: skip
                row = (number, log.log_index)
                for account in self._concerned(event, terms):
                    concerned[account].append((chain, account, *row))
        images += self._end_block(number)
        writer.insert(_table(RawLogRow), raw)
        # In the order of their key: each account's rows go to the end of its own stretch, not all over the table.
        writer.insert(_table(EventAccountRow), [row for account in sorted(concerned) for row in concerned[account]])
        for rows in self._by_number.values():
            rows.write(writer)
        writer.insert(_table(UndoRow), images)
        return touched

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
        for rows in self._by_number.values():
            rows.discard()

    def _prefetch(self, logs: Sequence[IncomingLog]) -> None:
        of_jobs = [
            (log.event, log.event.job_id, log.address)
            for log in logs
            if log.contract == "JobEscrow" and log.event.job_id
        ]
        self.jobs.prefetch(job for _, job, _ in of_jobs if job)
        accounts: set[tuple[str, str]] = set()
        scored: set[tuple[str, int, str]] = set()
        opened: dict[str, Terms] = {}
        for event, job, escrow in of_jobs:
            assert job is not None
            terms: Terms | None = event.__dict__.get("terms")
            if terms is None:
                terms = opened.get(job)
            if terms is None and (known := self.jobs.get(job)) is not None:
                terms = known[1].terms
            if terms is not None:
                opened[job] = terms
                for party in {terms.payer, terms.provider, terms.verifier, terms.arbiter, terms.buyer}:
                    accounts.add((party, escrow))
                if event.__class__ in _CLOSES:
                    scored.add((terms.buyer, int(Role.BUYER), escrow))
                    scored.add((terms.provider, int(Role.PROVIDER), escrow))
        for log in logs:
            if log.contract == "JobEscrow":
                values = log.event.__dict__
                for name in _ADDRESS_FIELDS[log.event.__class__]:
                    accounts.add((values[name], log.address))
        self.accounts.prefetch(accounts)
        self.scores.prefetch(scored)

    def _concerned(self, event: Event, terms: Terms | None) -> tuple[bytes, ...]:
        """As ``concerned_accounts``, in bytes, and remembered: the same parties come again and again."""
        values = event.__dict__
        named = tuple([values[name] for name in _ADDRESS_FIELDS[event.__class__]])
        parties = () if terms is None else (terms.buyer, terms.payer, terms.provider, terms.verifier, terms.arbiter)
        found = self._parties.get(key := (named, parties))
        if found is None:
            if len(self._parties) >= _ROWS_IN_MEMORY:
                self._parties.clear()
            found = self._parties[key] = tuple(
                bytes.fromhex(account[2:]) for account in sorted({*named, *parties} - {ZERO_ADDRESS})
            )
        return found

    def _apply(self, log: IncomingLog, event: Event, job: Bytes32 | None) -> Terms | None:
        if log.contract == "JobEscrow":
            return self._apply_escrow(log, event, job)
        if log.contract == "ProviderRegistry":
            # Every event of the registry names its provider first.
            provider = log.address, getattr(event, event.EVENT.fields[0].python_name)
            self.providers.put(
                provider, provider_fold.apply_event(self.providers.get(provider), event, self._origin(log))
            )
        return None

    def _apply_escrow(self, log: IncomingLog, event: Event, job: Bytes32 | None) -> Terms | None:
        terms: Terms | None = None
        if job is not None:
            before = self.jobs.get(job)
            after = job_fold.apply_event(before[1] if before else None, event, self._origin(log))
            self.jobs.put(job, (log.generation, after))
            terms = after.terms
            if after.state is JobState.CLOSED:
                self._score(log.address, after)
        movement = movement_of(event, terms)
        for account, delta in movement.accounts.items():
            key = account, log.address
            self.accounts.put(key, (self.accounts.get(key) or _NOTHING) + delta)
        if movement.fees:
            self.fees.put(log.address, (self.fees.get(log.address) or 0) + movement.fees)
        return terms

    def _score(self, escrow: Address, job: JobRecord) -> None:
        def stored(account: Address, role: Role) -> ScoreSlot:
            found = self.scores.get((account, int(role), escrow))
            return found.slot if found else _NEWCOMER

        for (account, role), standing in standings_after(job, stored).items():
            self.scores.put((account, int(role), escrow), standing)

    def _origin(self, log: IncomingLog) -> EventOrigin:
        if log.tx_hash != self._tx[0]:
            self._tx = log.tx_hash, Bytes32("0x" + log.block.hash.hex()), Bytes32("0x" + log.tx_hash.hex())
        origin = object.__new__(EventOrigin)
        # As the decoders do: the constructor of a frozen class takes its time.
        origin.__dict__.update(
            chain_id=self._chain_id,
            block_hash=self._tx[1],
            block_number=log.block.number,
            log_index=log.log_index,
            tx_hash=self._tx[2],
            address=log.address,
            timestamp=log.block.timestamp,
        )
        return origin

    def _end_block(self, number: int) -> list[Row]:
        return [image for rows in self._by_number.values() for image in rows.end_block(number)]


_NOTHING: Final = Balance()
_NEWCOMER: Final = ScoreSlot()


def concerned_accounts(event: Event, terms: Terms | None) -> set[Address]:
    """The accounts that an event names, and all parties of its job; nobody is none."""
    values = event.__dict__
    found = {values[name] for name in _ADDRESS_FIELDS[type(event)]}
    if terms is not None:
        found |= {terms.buyer, terms.payer, terms.provider, terms.verifier, terms.arbiter}
    found.discard(ZERO_ADDRESS)
    return found


_ADDRESS_FIELDS: Final = {
    event: tuple(field.python_name for field in event.EVENT.fields if field.type == "address")
    for events in EVENTS_BY_CONTRACT.values()
    for event in events
}


_CLOSES: Final = frozenset({JobClosed, JobPaid})


def _table(model: Any) -> Any:
    return model.__table__
