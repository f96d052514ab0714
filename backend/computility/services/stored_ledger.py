"""The folded ledger as the store has it, with how settled each row is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from sqlmodel import Session

from computility.chain.deployments import Deployments
from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobState
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord
from computility.domain.score_slot import epoch_of
from computility.domain.scores import Role
from computility.domain.standing import Standing
from computility.services.confirmations import confirmations
from computility.services.ledger import Confirmation, FoldedBlock, LedgerEvent, LedgerJob
from computility.services.pages import PageOf, page_of, read_cursor
from computility.store import accounts, blocks, jobs, providers, raw_logs, rewards, scores, statistics
from computility.store.engine import Database
from computility.store.jobs import JobRow
from computility.store.stored_log import StoredLog


class StoredLedger:
    """``Ledger`` on the database."""

    def __init__(self, database: Database, deployments: Deployments) -> None:
        self._database = database
        self._deployments = deployments
        self._chain_id = deployments.chain_id

    def folded(self) -> FoldedBlock | None:
        """How far; None before the first block."""
        with self._database.unit_of_work() as session:
            cursor = blocks.cursor_of(session, self._chain_id)
            if cursor is None:
                return None
            found = blocks.blocks_down_from(session, self._chain_id, cursor.number, 1)
            timestamp = found[0].timestamp if found else 0
            return FoldedBlock(cursor.number, Bytes32(cursor.hash), timestamp)

    def job(self, job: Bytes32) -> LedgerJob | None:
        """A job; None for one that no event names."""
        with self._database.unit_of_work() as session:
            row = jobs.find_job(session, self._chain_id, job)
            return self._jobs(session, [row])[0] if row else None

    def jobs(
        self,
        *,
        buyer: Address | None,
        provider: Address | None,
        verifier: Address | None,
        states: Collection[JobState],
        limit: int,
        cursor: str | None,
    ) -> PageOf[LedgerJob]:
        """Jobs, the newest first."""
        before = read_cursor(cursor, int, str)
        with self._database.unit_of_work() as session:
            rows = jobs.page_of_jobs(
                session,
                self._chain_id,
                buyer=buyer,
                provider=provider,
                verifier=verifier,
                states=states,
                before=(before[0], before[1]) if before else None,
                limit=limit + 1,
            )
            page = page_of(rows, limit, lambda row: (row.listed_block, row.id))
            return PageOf(tuple(self._jobs(session, page.items)), page.next)

    def count_open_jobs(self, provider: Address, resource: Bytes32) -> int:
        """Jobs of this provider on this resource that are not closed."""
        with self._database.unit_of_work() as session:
            return jobs.count_live_jobs(session, self._chain_id, provider, resource)

    def job_events(self, job: Bytes32, *, limit: int, cursor: str | None) -> PageOf[LedgerEvent]:
        """Events of a job, in the order of the chain."""
        after = read_cursor(cursor, int, int)
        with self._database.unit_of_work() as session:
            rows = raw_logs.logs_of_job(
                session, self._chain_id, job, (after[0], after[1]) if after else None, limit + 1
            )
            return self._events(session, page_of(rows, limit, _position))

    def events(
        self, *, name: str | None, account: Address | None, from_block: int | None, limit: int, cursor: str | None
    ) -> PageOf[LedgerEvent]:
        """Events of all contracts, the newest first."""
        before = read_cursor(cursor, int, int)
        with self._database.unit_of_work() as session:
            rows = raw_logs.page_of_logs(
                session,
                self._chain_id,
                name=name,
                account=account,
                from_block=from_block,
                before=(before[0], before[1]) if before else None,
                limit=limit + 1,
            )
            return self._events(session, page_of(rows, limit, _position))

    def provider(self, provider: Address) -> ProviderRecord | None:
        """A provider of the newest registry; None for one that never registered there."""
        with self._database.unit_of_work() as session:
            row = providers.find_provider(session, self._chain_id, self._registry, provider)
            return row.record() if row else None

    def providers(self, *, limit: int, cursor: str | None) -> PageOf[ProviderRecord]:
        """Providers of the newest registry, by address."""
        after = read_cursor(cursor, str)
        with self._database.unit_of_work() as session:
            rows = providers.page_of_providers(
                session, self._chain_id, self._registry, after=after[0] if after else None, limit=limit + 1
            )
            return page_of(rows, limit, lambda row: (row.address,)).map(lambda row: row.record())

    def reward(self, provider: Address) -> RewardRecord | None:
        """A provider's reward in the newest registry, as its events left it; None for one that never staked any."""
        with self._database.unit_of_work() as session:
            row = rewards.find_reward(session, self._chain_id, self._registry, provider)
            return row.record() if row else None

    def balance(self, account: Address) -> Balance:
        """An account's credits inside the escrows."""
        with self._database.unit_of_work() as session:
            return accounts.balance_of(session, self._chain_id, account)

    def standing(self, account: Address, role: Role) -> Standing | None:
        """An account's standing with the newest escrow, decayed to the folded block; None without history."""
        escrow = self._deployments.newest.address_of("JobEscrow")
        with self._database.unit_of_work() as session:
            found = scores.find_standing(session, self._chain_id, escrow, account, role)
        folded = self.folded()
        if found is None or folded is None:
            return found
        return found._replace(slot=found.slot.decayed_to(epoch_of(folded.timestamp)))

    def may_have_failed(self, provider: Address) -> bool:
        """Whether any job of a provider ended in a fail or by a ruling."""
        with self._database.unit_of_work() as session:
            found = statistics.total_of_provider(session, self._chain_id, provider)
            return found is not None and found.failed + found.ruled > 0

    def confirmation_of(self, account: Address) -> Confirmation:
        """How settled the last event is that concerns an account; final without any, as nothing can be taken back."""
        with self._database.unit_of_work() as session:
            last = raw_logs.last_block_of_account(session, self._chain_id, account)
            return "finalized" if last is None else confirmations(session, self._chain_id)(last)

    def confirmations_of_jobs(self, asked: Iterable[Bytes32]) -> dict[Bytes32, Confirmation]:
        """How settled the last event of each job is; a job without events is left out."""
        wanted = list(dict.fromkeys(asked))
        with self._database.unit_of_work() as session:
            settled = confirmations(session, self._chain_id)
            found: dict[Bytes32, Confirmation] = {}
            for at in range(0, len(wanted), _JOBS_AT_ONCE):
                last = raw_logs.last_blocks_of_jobs(session, self._chain_id, wanted[at : at + _JOBS_AT_ONCE])
                found |= {Bytes32(job): settled(block) for job, block in last.items()}
            return found

    @property
    def _registry(self) -> Address:
        return self._deployments.newest.address_of("ProviderRegistry")

    def _jobs(self, session: Session, rows: Iterable[JobRow]) -> list[LedgerJob]:
        listed = list(rows)
        settled = confirmations(session, self._chain_id)
        last = raw_logs.last_blocks_of_jobs(session, self._chain_id, (row.id for row in listed))
        return [LedgerJob(row.record(), row.generation, settled(last.get(row.id, _NEVER))) for row in listed]

    def _events(self, session: Session, page: PageOf[StoredLog]) -> PageOf[LedgerEvent]:
        settled = confirmations(session, self._chain_id)
        return page.map(lambda row: LedgerEvent(row.event(), row.origin(), settled(row.block_number), row.job))


_NEVER: Final = 2**63 - 1
_JOBS_AT_ONCE: Final = 1_000


def _position(row: StoredLog) -> tuple[int, int]:
    return row.block_number, row.log_index
