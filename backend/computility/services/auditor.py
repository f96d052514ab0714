"""Replays the whole ledger, proven block by block, and compares it with the store, row by row, and with what the contracts themselves answer."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlmodel import Session

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.domain.errors import ChainReplaced, InvalidMessage, NodeBusy, StoreError
from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobState
from computility.domain.ledger import Balance
from computility.domain.reward import Reward
from computility.domain.score_slot import epoch_of
from computility.services.audited_tables import Tables, replayed_tables, stored_emitters, stored_tables
from computility.services.block_comparison import BlockComparison, compare_emitters
from computility.services.conservation import Conservation
from computility.services.contract_directory import ContractDirectory
from computility.services.contract_state import state_of
from computility.services.event_comparison import EventSums, ReplayedEvents
from computility.services.ledger_anchors import Anchor
from computility.services.ledger_replay import LedgerReplay
from computility.services.ledger_source import LedgerSource, RpcSource
from computility.services.ledger_walk import PROCESS_FROM_BLOCKS, LedgerProcess, walk
from computility.services.packed_blocks import PackedBlock, pack_block
from computility.services.row_comparison import MOST_DIFFERENCES, Difference, JobComparison, compare
from computility.services.uncollected import uncollected
from computility.store import blocks, ledgers
from computility.store.blocks import BlockAtRest, CursorRow
from computility.store.bulk_write import BulkWriter
from computility.store.engine import Database
from computility.store.event_rows import event_rows
from computility.store.job_at_rest import ID, PackedRow
from computility.store.ledgers import LIVE
from computility.store.projected import JOBS
from computility.store.stored_log import Emitter

_PROGRESS_BLOCKS: Final = 100

KnownT = TypeVar("KnownT")
_Closed = tuple[int, int]
"""Generation and accepted units of a job that is over."""
Progress = Callable[[int, int], None]
"""Called with the blocks that are done and the blocks in all."""


@dataclass(frozen=True)
class CheckedBlock:
    """The block up to which both were compared."""

    number: int
    hash: Bytes32


@dataclass(frozen=True)
class AuditCounts:
    """How much was compared."""

    blocks: int
    events: int
    jobs: int
    accounts: int


@dataclass(frozen=True)
class AuditReport:
    """``differences`` are the first hundred; ``checked_at`` is in UTC seconds."""

    store_matches_chain: bool
    checked_block: CheckedBlock
    differences: tuple[Difference, ...]
    counts: AuditCounts
    checked_at: int


@dataclass(frozen=True)
class _Snapshot:
    """The store's rows at one moment, by table and key."""

    number: int
    hash: Bytes32
    tables: Tables
    unlike: tuple[Difference, ...]
    """What is no table of the ledger's, or cannot be read."""
    ledger: int
    jobs: JobComparison
    events: EventSums
    blocks: BlockComparison
    emitters: tuple[Emitter, ...]


class Auditor:
    """Audits one at a time: an audit reads the whole chain."""

    def __init__(
        self,
        chain: ChainConnection,
        database: Database,
        deployments: Deployments,
        source: LedgerSource | None = None,
        *,
        trusted: Iterable[Anchor] = (),
        process_from: int = PROCESS_FROM_BLOCKS,
    ) -> None:
        """With a ``source`` the events come from there, and the contracts are not asked: a file knows no contract. Without one the chain's blocks
        have to be those of ``trusted``, which a source of its own has already.

        Of ``process_from`` blocks and more another process proves them, and balances the money.
        """
        self._chain = chain
        self._database = database
        self._deployments = deployments
        self._directory = ContractDirectory(deployments)
        self._source = source
        self._trusted = tuple(trusted)
        self._process_from = process_from
        self._lock = threading.Lock()

    def audit(
        self, progress: Progress = lambda done, of: None, conservation: Conservation | None = None
    ) -> AuditReport:
        """Compare the store with the chain, as of the block up to which the store is folded. ``conservation`` folds the same blocks in the same pass.

        Raises:
            NodeBusy: an audit is going on.
            InvalidMessage: the store has read no block of the chain yet.
            ChainError: the chain does not answer, or was reorganised meanwhile.
        """
        if not self._lock.acquire(blocking=False):
            raise NodeBusy("an audit is going on: wait for it, then ask again")
        try:
            # What a replay keeps has no cycles, and grows: the collector would walk through all of it again and again.
            with uncollected():
                return self._audit(progress, conservation)
        finally:
            self._lock.release()

    def _audit(self, progress: Progress, conservation: Conservation | None) -> AuditReport:
        with ExitStack() as stack:
            with self._database.unit_of_work() as session:
                cursor = blocks.cursor_of(session, self._deployments.chain_id)
                if cursor is None:
                    raise InvalidMessage(
                        "the database holds no block of this chain, so there is nothing to compare: is it the node's, and has it indexed?"
                    )
                # Another process proves the first blocks while the rows are read here.
                walked = stack.enter_context(self._walked(cursor.number, conservation))
                snapshot = self._snapshot(session, cursor)
            replay, events, closed, spoke = self._replay(snapshot, walked, progress)

        def blocks_again(numbers: Sequence[int]) -> list[BlockAtRest]:
            with self._database.unit_of_work() as session:
                return list(blocks.blocks_at_rest(session, self._deployments.chain_id, numbers))

        def stored_again(jobs: Sequence[bytes]) -> list[PackedRow]:
            with self._database.unit_of_work() as session:
                return BulkWriter(session.connection()).rows(JOBS.table, snapshot.ledger, [(job,) for job in jobs])

        replayed = replayed_tables(replay)
        differences = [
            *snapshot.unlike,
            *snapshot.blocks.differences(blocks_again),
            *compare_emitters(snapshot.emitters, self._deployments, spoke),
            *snapshot.events.differences(events),
            *snapshot.jobs.differences(stored_again),
            *compare(snapshot.tables, {name: replayed[name] for name in snapshot.tables}),
        ]
        if self._source is None:
            with state_of(snapshot.number):
                differences += self._against_contracts(snapshot, replay, closed)
            header = self._chain.rpc.header(snapshot.number)
            if header is None or header.hash != snapshot.hash:
                raise ChainReplaced("the chain reorganised while its contracts were asked: ask again")
        return AuditReport(
            store_matches_chain=not differences,
            checked_block=CheckedBlock(snapshot.number, snapshot.hash),
            differences=tuple(differences[:MOST_DIFFERENCES]),
            counts=AuditCounts(
                blocks=snapshot.number - self._deployments.generations[0].block + 1,
                events=replay.events,
                jobs=len(replay.jobs),
                accounts=len(replay.balances),
            ),
            checked_at=int(time.time()),
        )

    @contextmanager
    def _walked(self, last: int, conservation: Conservation | None) -> Iterator[Iterator[PackedBlock]]:
        """The proven blocks up to ``last``, over which ``conservation`` is folded: it is when this context ends."""
        source = self._source or RpcSource(self._chain.rpc, self._deployments, last, self._trusted)
        if source.last < last:
            raise InvalidMessage(f"the ledger file ends at block {source.last}, and the store is at {last}")
        first = source.deployments.generations[0].block
        source.anchors.require_within(first, last)
        if last - first + 1 < self._process_from or (conservation is not None and not conservation.can_be_sent):
            walked = walk(source, last)
            yield map(pack_block, walked if conservation is None else conservation.check(walked))
            return
        with LedgerProcess(source, first, last, conservation) as process:
            yield process.blocks()
            if conservation is not None and process.folded is not None:
                conservation.take_over(process.folded)

    def _snapshot(self, session: Session, cursor: CursorRow) -> _Snapshot:
        chain_id = self._deployments.chain_id
        live = ledgers.ledger_in_state(session, chain_id, LIVE)
        if live is None or live.id is None:
            raise InvalidMessage(
                "the database has no live build of the ledger, so there is nothing to compare: start its node, which makes one"
            )
        tables, unlike = stored_tables(session, chain_id)
        folded = (live.number, live.hash)
        if folded != (cursor.number, cursor.hash):
            unlike.append(
                Difference("ledgers", str(live.id), "block", "{} {}".format(*folded), f"{cursor.number} {cursor.hash}")
            )
        events = EventSums(event_rows(session, chain_id))
        rows = BulkWriter(session.connection()).every_row(JOBS.table, live.id)
        jobs = JobComparison(live.id, _with_places_in(events, rows))
        stored_blocks = blocks.blocks_at_rest(session, chain_id)
        emitters, unreadable = stored_emitters(session, chain_id)
        return _Snapshot(
            cursor.number,
            Bytes32(cursor.hash),
            tables,
            (*unlike, *unreadable),
            live.id,
            jobs,
            events,
            BlockComparison(stored_blocks, self._deployments.generations[0].block),
            emitters,
        )

    def _replay(
        self, snapshot: _Snapshot, walked: Iterator[PackedBlock], progress: Progress
    ) -> tuple[LedgerReplay, EventSums, dict[Bytes32, _Closed], set[Address]]:
        replay = LedgerReplay(self._deployments.chain_id, self._directory)
        events = ReplayedEvents(replay)
        # Only whoever asks the contracts needs to know of jobs that are over.
        closed: dict[Bytes32, _Closed] = {}
        keep = self._source is None
        total = snapshot.number - self._deployments.generations[0].block + 1
        last: Bytes32 | None = None
        spoke = set[Address]()
        for done, block in enumerate(walked, 1):
            header = block.header
            snapshot.blocks.add(block)
            if block.logs:
                folded = replay.fold_block(block)
                events.add(header, folded)
                spoke.update({form.address for _, _, form in folded.events})
                for generation, record in replay.let_go():
                    snapshot.jobs.add(generation, record)
                    if keep:
                        closed[record.id] = generation, record.accepted
            last = header.hash
            if done % _PROGRESS_BLOCKS == 0 or done == total:
                progress(done, total)
        if last != snapshot.hash:
            raise ChainReplaced(
                "the chain reorganised below what the store holds: wait for the indexer, then ask again"
            )
        for generation, record in replay.live_jobs():
            snapshot.jobs.add(generation, record)
        return replay, events.sums, closed, spoke

    def _against_contracts(
        self, snapshot: _Snapshot, replay: LedgerReplay, closed: Mapping[Bytes32, _Closed]
    ) -> Iterator[Difference]:
        """The replay itself against the escrows' storage: events that do not add up show here."""
        block, time_s = snapshot.number, snapshot.blocks.last_timestamp
        balances = [(escrow, (account,), balance) for (escrow, account), balance in replay.balances.items()]
        for escrow, (account,), balance, (free, locked, *_) in self._asked("JobEscrow", "accountOf", balances, block):
            if (free, locked) != (balance.free, balance.locked):
                key = f"{escrow}/{account}"
                yield Difference(
                    "accounts", key, "accountOf", _balance_text(balance), _balance_text(Balance(free, locked))
                )
        for escrow, amount in replay.fees.items():
            held = self._chain.contract("JobEscrow", escrow).read("fees", block=block)
            if held != amount:
                yield Difference("fees", escrow, "fees", str(amount), str(held))
        yield from self._jobs_against_contracts(replay, closed, block)
        # The contracts vest and decay what they answer to the block's own time.
        rewards = [(registry, (provider,), kept) for (registry, provider), kept in replay.rewards.items()]
        for registry, (provider,), kept, words in self._asked("ProviderRegistry", "rewardOf", rewards, block):
            reward, vested = Reward(*words), kept.reward.vested_by(time_s)
            if (reward.vested, reward.unvested) != (vested.vested, vested.unvested):
                key = f"{registry}/{provider}"
                yield Difference("rewards", key, "rewardOf", _reward_text(vested), _reward_text(reward))
        standings = [
            (self._directory.scores_of(escrow), (account, int(role)), (escrow, standing))
            for (escrow, account, role), standing in replay.scores.items()
        ]
        for _, (account, role), (escrow, standing), word in self._asked("CreditScores", "slotOf", standings, block):
            folded_word = standing.slot.decayed_to(epoch_of(time_s)).to_word()
            if word != folded_word:
                key = f"{escrow}/{account}/{role}"
                yield Difference("scores", key, "slotOf", f"0x{folded_word:064x}", f"0x{word:064x}")
        roles = [
            (timelock, (bytes.fromhex(granted[2:]), holder), (granted, found.held))
            for (timelock, granted, holder), found in replay.institutions.roles.items()
        ]
        for timelock, (_, holder), (granted, is_held), has in self._asked("Timelock", "hasRole", roles, block):
            if has != is_held:
                yield Difference("timelock_roles", f"{timelock}/{granted}/{holder}", "hasRole", str(is_held), str(has))

    def _jobs_against_contracts(
        self, replay: LedgerReplay, closed: Mapping[Bytes32, _Closed], block: int
    ) -> Iterator[Difference]:
        homes = {generation.number: generation.address_of("JobEscrow") for generation in self._deployments.generations}
        folded = [
            (homes[generation], (bytes.fromhex(job[2:]),), (int(JobState.CLOSED), accepted))
            for job, (generation, accepted) in closed.items()
        ]
        folded += [
            (homes[generation], (bytes.fromhex(job.id[2:]),), (int(job.state), job.accepted))
            for generation, job in replay.live_jobs()
        ]
        for _, (job,), (state, accepted), (now, _, _, units, *_) in self._asked("JobEscrow", "jobOf", folded, block):
            if (now, units) != (state, accepted):
                yield Difference(
                    "jobs", f"0x{job.hex()}", "jobOf", f"state {state}, {accepted} units", f"state {now}, {units} units"
                )

    def _asked(
        self, name: str, function: str, wanted: Iterable[tuple[Address, Any, KnownT]], block: int
    ) -> Iterator[tuple[Address, Any, KnownT, Any]]:
        """What contracts answer to (address, arguments, what is known of it), contract by contract."""
        by_address: dict[Address, list[tuple[Any, KnownT]]] = defaultdict(list)
        for address, arguments, known in wanted:
            by_address[address].append((arguments, known))
        for address, asked in by_address.items():
            contract = self._chain.contract(name, address)
            answers = contract.read_all(function, (arguments for arguments, _ in asked), block=block)
            for (arguments, known), answer in zip(asked, answers, strict=True):
                yield address, arguments, known, answer


def _with_places_in(events: EventSums, rows: Iterable[PackedRow]) -> Iterator[PackedRow]:
    """All rows of jobs; what they list goes to the sums of events. What is no list lists nothing, which the chain's sums show."""
    for row in rows:
        with suppress(StoreError):
            events.add_places(row[ID], row[-1])
        yield row


def _reward_text(reward: Reward) -> str:
    return f"vested {reward.vested}, unvested {reward.unvested}"


def _balance_text(balance: Balance) -> str:
    return f"free {balance.free}, locked {balance.locked}"
