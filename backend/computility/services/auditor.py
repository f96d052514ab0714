"""Replays the whole ledger, proven block by block, and compares it with the store, row by row, and with what the contracts themselves answer.

Long on purpose: what a store says, table by table, stands beside what the replay says of the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlmodel import Session

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.domain.errors import ChainReplaced, InvalidMessage, NodeBusy
from computility.domain.identifiers import Address, Bytes32, address_from_bytes
from computility.domain.job import JobState
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.reward import Reward, RewardRecord
from computility.domain.score_slot import epoch_of
from computility.domain.standing import Standing
from computility.domain.statistics import TOTAL, Scope
from computility.services.conservation import Conservation
from computility.services.contract_directory import ContractDirectory
from computility.services.event_comparison import EventSums, ReplayedEvents
from computility.services.ledger_anchors import Anchor
from computility.services.ledger_replay import LedgerReplay
from computility.services.ledger_source import LedgerSource, RpcSource
from computility.services.ledger_walk import PROCESS_FROM_BLOCKS, LedgerProcess, walk
from computility.services.packed_blocks import PackedBlock, pack_block
from computility.services.row_comparison import MOST_DIFFERENCES, Difference, JobComparison, compare
from computility.services.uncollected import uncollected
from computility.store import accounts, blocks, institutions, ledgers, providers, rewards, scores, statistics
from computility.store.blocks import CursorRow
from computility.store.bulk_write import BulkWriter
from computility.store.engine import Database
from computility.store.event_rows import event_rows
from computility.store.job_at_rest import ID, PackedRow
from computility.store.ledgers import LIVE
from computility.store.projected import JOBS

_PROGRESS_BLOCKS: Final = 100

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
    time_s: int
    tables: Mapping[str, Mapping[str, Mapping[str, Any]]]
    ledger: int
    jobs: JobComparison
    events: EventSums


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
            replay, events, closed = self._replay(snapshot, walked, progress)

        def stored_again(jobs: Sequence[bytes]) -> list[PackedRow]:
            with self._database.unit_of_work() as session:
                return BulkWriter(session.connection()).rows(JOBS.table, snapshot.ledger, [(job,) for job in jobs])

        differences = [
            *snapshot.events.differences(events),
            *snapshot.jobs.differences(stored_again),
            *compare(snapshot.tables, _tables_of(replay)),
        ]
        if self._source is None:
            differences += self._against_contracts(snapshot, replay, closed)
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
        tables = {
            "accounts": {
                f"{row.escrow}/{row.account}": {"free": row.free, "locked": row.locked}
                for row in accounts.all_accounts(session, chain_id)
            },
            "fees": {row.escrow: {"amount": row.amount} for row in accounts.all_fees(session, chain_id)},
            "scores": {
                f"{row.escrow}/{row.account}/{row.role}": _standing_fields(row.record())
                for row in scores.all_scores(session, chain_id)
            },
            "providers": {
                f"{row.registry_address}/{row.address}": _provider_fields(row.record())
                for row in providers.all_providers(session, chain_id)
            },
            "rewards": {
                f"{row.registry_address}/{row.address}": _reward_fields(row.record())
                for row in rewards.all_rewards(session, chain_id)
            },
            "statistics": {
                _statistics_key(
                    Scope(row.scope), row.day, _subject(Scope(row.scope), row.subject)
                ): row.tally()._asdict()
                for row in statistics.all_statistics(session, chain_id)
            },
            "score_history": {
                f"{row.escrow}/{row.account}/{row.role}/{row.day}": {
                    **_standing_fields(row.record()),
                    "block": row.block,
                }
                for row in statistics.all_history(session, chain_id)
            },
            "members": {
                f"{row.institution}/{row.account}": asdict(row.record())
                for row in institutions.all_members(session, chain_id)
            },
            "disputes": {
                f"{row.institution}/{int.from_bytes(row.id, 'big')}": asdict(row.record())
                for row in institutions.all_disputes(session, chain_id)
            },
            "dispute_votes": {
                f"{row.institution}/{int.from_bytes(row.dispute, 'big')}/{row.round}/{row.arbiter}": asdict(
                    row.record()
                )
                for row in institutions.all_votes(session, chain_id)
            },
            "operations": {
                f"{row.institution}/{row.id}": asdict(row.record())
                for row in institutions.all_operations(session, chain_id)
            },
            "timelock_roles": {
                f"{row.institution}/{row.role}/{row.account}": asdict(row.record())
                for row in institutions.all_roles(session, chain_id)
            },
        }
        live = ledgers.ledger_in_state(session, chain_id, LIVE)
        assert live is not None
        assert live.id is not None
        events = EventSums(event_rows(session, chain_id))
        rows = BulkWriter(session.connection()).every_row(JOBS.table, live.id)
        jobs = JobComparison(live.id, _with_places_in(events, rows))
        (head,) = blocks.blocks_down_from(session, chain_id, cursor.number, 1)
        return _Snapshot(cursor.number, Bytes32(cursor.hash), head.timestamp, tables, live.id, jobs, events)

    def _replay(
        self, snapshot: _Snapshot, walked: Iterator[PackedBlock], progress: Progress
    ) -> tuple[LedgerReplay, EventSums, dict[Bytes32, _Closed]]:
        replay = LedgerReplay(self._deployments.chain_id, self._directory)
        events = ReplayedEvents(replay)
        # Only whoever asks the contracts needs to know of jobs that are over.
        closed: dict[Bytes32, _Closed] = {}
        keep = self._source is None
        total = snapshot.number - self._deployments.generations[0].block + 1
        last: Bytes32 | None = None
        for done, block in enumerate(walked, 1):
            header = block.header
            if block.logs:
                events.add(header, replay.fold_block(block))
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
        return replay, events.sums, closed

    def _against_contracts(
        self, snapshot: _Snapshot, replay: LedgerReplay, closed: Mapping[Bytes32, _Closed]
    ) -> Iterator[Difference]:
        """The replay itself against the escrows' storage: events that do not add up show here."""
        block = snapshot.number
        for (escrow, account), balance in replay.balances.items():
            free, locked, *_ = self._escrow(escrow).read("accountOf", account, block=block)
            if (free, locked) != (balance.free, balance.locked):
                key = f"{escrow}/{account}"
                yield Difference(
                    "accounts", key, "accountOf", _balance_text(balance), _balance_text(Balance(free, locked))
                )
        for escrow, amount in replay.fees.items():
            held = self._escrow(escrow).read("fees", block=block)
            if held != amount:
                yield Difference("fees", escrow, "fees", str(amount), str(held))
        folded = [(job, generation, int(JobState.CLOSED), accepted) for job, (generation, accepted) in closed.items()]
        folded += [(job.id, generation, int(job.state), job.accepted) for generation, job in replay.live_jobs()]
        homes = {generation.number: generation.address_of("JobEscrow") for generation in self._deployments.generations}
        for job, generation, state, accepted in folded:
            now, _, _, units, *_ = self._escrow(homes[generation]).read("jobOf", bytes.fromhex(job[2:]), block=block)
            if (now, units) != (state, accepted):
                yield Difference(
                    "jobs", job, "jobOf", f"state {state}, {accepted} units", f"state {now}, {units} units"
                )
        for (registry, provider), kept in replay.rewards.items():
            # The contract vests what it answers to the block's own time.
            held = Reward(*self._chain.contract("ProviderRegistry", registry).read("rewardOf", provider, block=block))
            vested = kept.reward.vested_by(snapshot.time_s)
            if (held.vested, held.unvested) != (vested.vested, vested.unvested):
                key = f"{registry}/{provider}"
                yield Difference("rewards", key, "rewardOf", _reward_text(vested), _reward_text(held))
        for (escrow, account, role), standing in replay.scores.items():
            # The contract decays what it answers to the block's own time.
            time_s = snapshot.time_s
            held = int(
                self._chain.contract("CreditScores", self._directory.scores_of(escrow)).read(
                    "slotOf", account, int(role), block=block
                )
            )
            folded_word = standing.slot.decayed_to(epoch_of(time_s)).to_word()
            if held != folded_word:
                key = f"{escrow}/{account}/{int(role)}"
                yield Difference("scores", key, "slotOf", f"0x{folded_word:064x}", f"0x{held:064x}")

        for (timelock, granted, holder), found in replay.institutions.roles.items():
            contract = self._chain.contract("Timelock", timelock)
            has = bool(contract.read("hasRole", bytes.fromhex(granted[2:]), holder, block=block))
            if has != found.held:
                yield Difference(
                    "timelock_roles", f"{timelock}/{granted}/{holder}", "hasRole", str(found.held), str(has)
                )

    def _escrow(self, address: Address) -> Any:
        return self._chain.contract("JobEscrow", address)


def _with_places_in(events: EventSums, rows: Iterable[PackedRow]) -> Iterator[PackedRow]:
    """All rows of jobs; what they list goes to the sums of events."""
    for row in rows:
        events.add_places(row[ID], row[-1])
        yield row


def _tables_of(replay: LedgerReplay) -> dict[str, dict[str, Mapping[str, Any]]]:
    return {
        "accounts": {
            f"{escrow}/{account}": {"free": balance.free, "locked": balance.locked}
            for (escrow, account), balance in replay.balances.items()
        },
        "fees": {escrow: {"amount": amount} for escrow, amount in replay.fees.items()},
        "scores": {
            f"{escrow}/{account}/{int(role)}": _standing_fields(standing)
            for (escrow, account, role), standing in replay.scores.items()
        },
        "providers": {
            f"{registry}/{address}": _provider_fields(record)
            for (registry, address), record in replay.providers.items()
        },
        "rewards": {
            f"{registry}/{address}": _reward_fields(record) for (registry, address), record in replay.rewards.items()
        },
        "statistics": {_statistics_key(*key): tally._asdict() for key, tally in replay.statistics().items()},
        "score_history": {
            f"{escrow}/{account}/{int(role)}/{day}": {**_standing_fields(standing), "block": block}
            for (escrow, account, role, day), (standing, block) in replay.score_history.items()
        },
        "members": {f"{at}/{account}": asdict(member) for (at, account), member in replay.institutions.members.items()},
        "disputes": {f"{at}/{number}": asdict(found) for (at, number), found in replay.institutions.disputes.items()},
        "dispute_votes": {
            f"{at}/{number}/{round_number}/{arbiter}": asdict(vote)
            for (at, number, round_number, arbiter), vote in replay.institutions.votes.items()
        },
        "operations": {
            f"{at}/{identifier}": asdict(found) for (at, identifier), found in replay.institutions.operations.items()
        },
        "timelock_roles": {
            f"{at}/{role}/{account}": asdict(found) for (at, role, account), found in replay.institutions.roles.items()
        },
    }


def _statistics_key(scope: Scope, day: int, subject: str) -> str:
    return f"{scope.name.lower()}/{'all' if day == TOTAL else day}/{subject}".rstrip("/")


def _subject(scope: Scope, subject: bytes) -> str:
    if scope is Scope.MARKET:
        return ""
    return "0x" + subject.hex() if scope is Scope.RESOURCE else address_from_bytes(subject[12:])


def _provider_fields(record: ProviderRecord) -> dict[str, Any]:
    return asdict(record)


def _reward_fields(record: RewardRecord) -> dict[str, Any]:
    whole = {name: getattr(record, name) for name in ("staked", "taken", "lost", "block")}
    reward = record.reward
    return {
        "vested": reward.vested,
        "unvested": reward.unvested,
        "since": reward.since,
        "vests_by": reward.end,
        **whole,
    }


def _reward_text(reward: Reward) -> str:
    return f"vested {reward.vested}, unvested {reward.unvested}"


def _standing_fields(standing: Standing) -> dict[str, Any]:
    return {"word": f"0x{standing.slot.to_word():064x}", "job": standing.job, "at": standing.at}


def _balance_text(balance: Balance) -> str:
    return f"free {balance.free}, locked {balance.locked}"
