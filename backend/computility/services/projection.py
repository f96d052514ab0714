"""Folds the ledger's events into the store, and unfolds them when blocks are orphaned. Everything happens in the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session

from computility.chain.log_decoding import RawLog, decode_log
from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.events import EVENTS_BY_CONTRACT, Event, EventOrigin, ScoreChanged
from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.job import JobRecord
from computility.domain.ledger import movement_of
from computility.domain.provider import ProviderRecord
from computility.domain.terms import Terms
from computility.services.contract_directory import ContractDirectory
from computility.store import accounts, jobs, providers, raw_logs, scores
from computility.store.raw_logs import RawLogRow

REGISTRY_EVENT_NAMES = tuple(event.EVENT.name for event in EVENTS_BY_CONTRACT["ProviderRegistry"])


class Projection:
    """The tables that events are folded into, of one chain."""

    def __init__(self, session: Session, chain_id: ChainId, directory: ContractDirectory) -> None:
        self._session = session
        self._chain_id = chain_id
        self._directory = directory
        self.touched_jobs: set[Bytes32] = set()

    def fold(self, log: RawLog, timestamp: int) -> None:
        """Keep one log, and apply what it says. A log of no known event changes nothing.

        Raises:
            ChainMisbehaved: it does not follow what was folded before.
        """
        generation, contract = self._directory.owner_of(log.address)
        event = decode_log(contract, log.topics, log.data)
        if event is None:
            return
        row = RawLogRow(
            chain_id=self._chain_id,
            block_hash=log.block_hash,
            log_index=log.log_index,
            block_number=log.block_number,
            timestamp=timestamp,
            tx_hash=log.tx_hash,
            address=log.address,
            generation=generation,
            contract=contract,
            name=event.EVENT.name,
            job=event.job_id,
            topics=b"".join(log.topics),
            data=log.data,
        )
        terms = self._terms_of(event)
        self._apply(row, event, row.origin(), terms)
        parties = (terms.buyer, terms.payer, terms.provider, terms.verifier, terms.arbiter) if terms else ()
        raw_logs.add_log(self._session, row, event.accounts.union(parties))
        self._session.flush()

    def unfold_above(self, number: int) -> None:
        """Take back everything that blocks above ``number`` brought, logs included."""
        orphaned = raw_logs.logs_above(self._session, self._chain_id, number)
        for row in reversed(orphaned):
            if row.contract == "JobEscrow":
                event = row.event()
                movement = movement_of(event, self._terms_of(event))
                accounts.move(self._session, self._chain_id, Address(row.address), movement, undo=True)
        raw_logs.remove_logs_above(self._session, self._chain_id, number)
        self._session.flush()
        self._refold_jobs(row for row in orphaned if row.contract == "JobEscrow")
        self._refold_scores(row for row in orphaned if row.contract == "CreditScores")
        self._refold_providers(row for row in orphaned if row.contract == "ProviderRegistry")
        self._session.flush()

    def _apply(self, row: RawLogRow, event: Event, origin: EventOrigin, terms: Terms | None) -> None:
        address = Address(row.address)
        if isinstance(event, ScoreChanged):
            scores.save_score(self._session, self._chain_id, address, event)
        elif row.contract == "ProviderRegistry":
            provider = _provider_of(event)
            found = providers.find_provider(self._session, self._chain_id, address, provider)
            record = provider_fold.apply_event(found.record() if found else None, event, origin)
            providers.save_provider(self._session, self._chain_id, address, record)
        elif row.contract == "JobEscrow":
            accounts.move(self._session, self._chain_id, address, movement_of(event, terms))
            if event.job_id is not None:
                before = jobs.find_job(self._session, self._chain_id, event.job_id)
                job = job_fold.apply_event(before.record() if before else None, event, origin)
                jobs.save_job(self._session, self._chain_id, row.generation, job)
        if event.job_id is not None:
            self.touched_jobs.add(event.job_id)

    def _terms_of(self, event: Event) -> Terms | None:
        named: Terms | None = getattr(event, "terms", None)
        if named is not None or event.job_id is None:
            return named
        row = jobs.find_job(self._session, self._chain_id, event.job_id)
        return row.record().terms if row else None

    def _refold_jobs(self, orphaned: Iterable[RawLogRow]) -> None:
        for job in {Bytes32(row.job) for row in orphaned if row.job is not None}:
            self.touched_jobs.add(job)
            record: JobRecord | None = None
            generation = 0
            for row in raw_logs.logs_of_job(self._session, self._chain_id, job):
                if row.contract == "JobEscrow":
                    record, generation = job_fold.apply_event(record, row.event(), row.origin()), row.generation
            if record is None:
                jobs.remove_job(self._session, self._chain_id, job)
            else:
                jobs.save_job(self._session, self._chain_id, generation, record)

    def _refold_scores(self, orphaned: Iterable[RawLogRow]) -> None:
        changed = {(Address(row.address), event.account, event.role) for row, event in _score_changes(orphaned)}
        for contract, account, role in changed:
            left = raw_logs.logs_of_account(self._session, self._chain_id, account, ["ScoreChanged"], "CreditScores")
            events = [
                event
                for row, event in _score_changes(left)
                if (row.address, event.account, event.role) == (contract, account, role)
            ]
            if events:
                scores.save_score(self._session, self._chain_id, contract, events[-1])
            else:
                scores.remove_score(self._session, self._chain_id, contract, account, role)

    def _refold_providers(self, orphaned: Iterable[RawLogRow]) -> None:
        for registry, provider in {(Address(row.address), _provider_of(row.event())) for row in orphaned}:
            record: ProviderRecord | None = None
            rows = raw_logs.logs_of_account(
                self._session, self._chain_id, provider, REGISTRY_EVENT_NAMES, "ProviderRegistry"
            )
            for row in rows:
                if row.address == registry:
                    record = provider_fold.apply_event(record, row.event(), row.origin())
            if record is None:
                providers.remove_provider(self._session, self._chain_id, registry, provider)
            else:
                providers.save_provider(self._session, self._chain_id, registry, record)


def _score_changes(rows: Iterable[RawLogRow]) -> Iterable[tuple[RawLogRow, ScoreChanged]]:
    for row in rows:
        event = row.event()
        if isinstance(event, ScoreChanged):
            yield row, event


def _provider_of(event: Event) -> Address:
    # Every event of the registry names its provider first.
    provider: Address = getattr(event, event.EVENT.fields[0].python_name)
    return provider
