"""The folded ledger as the store has it, with how settled each row is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

from sqlmodel import Session

from computility.chain.deployments import Deployments
from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobState
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.score_slot import epoch_of
from computility.domain.scores import Role
from computility.domain.standing import Standing
from computility.services.confirmations import confirmations
from computility.services.ledger import Confirmation, FoldedBlock, LedgerEvent, LedgerJob, ProviderState
from computility.services.pages import PageOf, page_of, read_cursor
from computility.store import accounts, blocks, jobs, providers, raw_logs, rewards, scores, statistics
from computility.store.engine import Database
from computility.store.jobs import JobRow
from computility.store.statistics import StatisticsRow
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
            return self._folded(session)

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
            return self._records(session, [provider]).get(provider)

    def providers(self, *, limit: int, cursor: str | None) -> PageOf[ProviderRecord]:
        """Providers of the newest registry, by address."""
        after = read_cursor(cursor, str)
        with self._database.unit_of_work() as session:
            rows = providers.page_of_providers(
                session, self._chain_id, self._registry, after=after[0] if after else None, limit=limit + 1
            )
            return page_of(rows, limit, lambda row: (row.address,)).map(lambda row: row.record())

    def states_of(self, asked: Collection[Address]) -> dict[Address, ProviderState]:
        """What is to be said of each of some providers, with the newest contracts, in as many queries as for one."""
        with self._database.unit_of_work() as session:
            folded = self._folded(session)
            settled = confirmations(session, self._chain_id)
            last = raw_logs.last_blocks_of_accounts(session, self._chain_id, asked)
            records = self._records(session, asked)
            standings = scores.standings_among(session, self._chain_id, self._escrow, asked, Role.PROVIDER)
            staked = rewards.rewards_among(session, self._chain_id, self._registry, asked)
            totals = statistics.totals_of_providers(session, self._chain_id, asked)
            live = defaultdict[Address, dict[Bytes32, int]](dict)
            for (provider, resource), count in jobs.live_jobs_of(session, self._chain_id, asked).items():
                live[provider][resource] = count
            return {
                provider: ProviderState(
                    record=records.get(provider),
                    standing=_decayed(standings.get(provider), folded),
                    reward=staked.get(provider),
                    may_have_failed=_failed(totals.get(provider)),
                    live_jobs=live[provider],
                    confirmation=settled(last[provider]) if provider in last else "finalized",
                )
                for provider in asked
            }

    def balance(self, account: Address) -> Balance:
        """An account's credits inside the escrows."""
        with self._database.unit_of_work() as session:
            return accounts.balance_of(session, self._chain_id, account)

    def standing(self, account: Address, role: Role) -> Standing | None:
        """An account's standing with the newest escrow, decayed to the folded block; None without history."""
        with self._database.unit_of_work() as session:
            found = scores.standings_among(session, self._chain_id, self._escrow, [account], role)
            return _decayed(found.get(account), self._folded(session))

    def may_have_failed(self, provider: Address) -> bool:
        """Whether any job of a provider ended in a fail or by a ruling."""
        with self._database.unit_of_work() as session:
            return _failed(statistics.totals_of_providers(session, self._chain_id, [provider]).get(provider))

    def confirmation_of(self, account: Address) -> Confirmation:
        """How settled the last event is that concerns an account; final without any, as nothing can be taken back."""
        with self._database.unit_of_work() as session:
            last = raw_logs.last_blocks_of_accounts(session, self._chain_id, [account])
            return confirmations(session, self._chain_id)(last[account]) if account in last else "finalized"

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

    @property
    def _escrow(self) -> Address:
        return self._deployments.newest.address_of("JobEscrow")

    def _folded(self, session: Session) -> FoldedBlock | None:
        cursor = blocks.cursor_of(session, self._chain_id)
        if cursor is None:
            return None
        found = blocks.blocks_down_from(session, self._chain_id, cursor.number, 1)
        timestamp = found[0].timestamp if found else 0
        return FoldedBlock(cursor.number, Bytes32(cursor.hash), timestamp)

    def _records(self, session: Session, asked: Collection[Address]) -> dict[Address, ProviderRecord]:
        found = (row.record() for row in providers.providers_among(session, self._chain_id, self._registry, asked))
        return {record.address: record for record in found}

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


def _decayed(standing: Standing | None, folded: FoldedBlock | None) -> Standing | None:
    if standing is None or folded is None:
        return standing
    return standing._replace(slot=standing.slot.decayed_to(epoch_of(folded.timestamp)))


def _failed(total: StatisticsRow | None) -> bool:
    return total is not None and total.failed + total.ruled > 0


def _position(row: StoredLog) -> tuple[int, int]:
    return row.block_number, row.log_index
