"""The ledger folded in memory, from nothing but logs: what an auditor holds the store against."""

from __future__ import annotations

from collections import defaultdict

from computility.chain.log_decoding import RawLog, event_of
from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.events import Event, EventOrigin
from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.provider import ProviderRecord
from computility.domain.score_slot import ScoreSlot
from computility.domain.scores import Role, standings_after
from computility.domain.standing import Standing
from computility.services.contract_directory import ContractDirectory


class LedgerReplay:
    """Everything that the events say, up to the last one that was folded."""

    def __init__(self, chain_id: ChainId, directory: ContractDirectory) -> None:
        self._chain_id = chain_id
        self._directory = directory
        self._homes: dict[Bytes32, Address] = {}
        self.events = 0
        self.jobs: dict[Bytes32, tuple[int, JobRecord]] = {}
        """Generation and record by job."""
        self.balances: dict[tuple[Address, Address], Balance] = {}
        """By escrow and account."""
        self.fees: dict[Address, int] = defaultdict(int)
        """By escrow; only where there ever were any."""
        self.scores: dict[tuple[Address, Address, Role], Standing] = {}
        """By escrow, account and role."""
        self.providers: dict[tuple[Address, Address], ProviderRecord] = {}
        """By registry and provider."""

    def fold(self, log: RawLog, timestamp: int) -> None:
        """Apply one log.

        Raises:
            ChainMisbehaved: it does not follow what came before.
        """
        generation, contract = self._directory.owner_of(log.address)
        event = event_of(contract, log)
        if event is None:
            return
        self.events += 1
        origin = EventOrigin(
            self._chain_id, log.block_hash, log.block_number, log.log_index, log.tx_hash, log.address, timestamp
        )
        if contract == "ProviderRegistry":
            key = log.address, getattr(event, event.EVENT.fields[0].python_name)
            self.providers[key] = provider_fold.apply_event(self.providers.get(key), event, origin)
        elif contract == "JobEscrow":
            self._fold_escrow(event, origin, generation)

    def job_homes(self) -> dict[Bytes32, tuple[Address, JobRecord]]:
        """Each job with the escrow that holds it."""
        return {job: (self._homes[job], record) for job, (_, record) in self.jobs.items()}

    def _fold_escrow(self, event: Event, origin: EventOrigin, generation: int) -> None:
        before = self.jobs[event.job_id][1] if event.job_id in self.jobs else None
        if event.job_id is not None:
            job = job_fold.apply_event(before, event, origin)
            self.jobs[event.job_id] = generation, job
            self._homes[event.job_id] = origin.address
            if job.state is JobState.CLOSED:
                self._score(origin.address, job)
        movement = movement_of(event, before.terms if before else None)
        for account, delta in movement.accounts.items():
            key = origin.address, account
            self.balances[key] = self.balances.get(key, Balance()) + delta
        if movement.fees:
            self.fees[origin.address] += movement.fees

    def _score(self, escrow: Address, job: JobRecord) -> None:
        def stored(account: Address, role: Role) -> ScoreSlot:
            found = self.scores.get((escrow, account, role))
            return found.slot if found else ScoreSlot()

        for (account, role), standing in standings_after(job, stored).items():
            self.scores[escrow, account, role] = standing
