"""The ledger folded in memory, from nothing but logs: what an auditor holds the store against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from computility.chain.log_decoding import RawLog, event_of
from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.event import event_origin
from computility.domain.events import Event, EventOrigin, JobDisputed
from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.institutions import dispute_of
from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord, reward_after
from computility.domain.score_slot import ScoreSlot
from computility.domain.scores import Role, standings_after
from computility.domain.standing import Standing
from computility.domain.statistics import TOTAL, Scope, Tally, close_of, day_of, dispute, opening, tallies_of
from computility.domain.terms import Terms
from computility.services.contract_directory import ContractDirectory
from computility.services.institution_books import InstitutionBooks

_NO_JOB: Final[tuple[int, None]] = 0, None
_TALLIES_AT_ONCE: Final = 1_000


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
        self.rewards: dict[tuple[Address, Address], RewardRecord] = {}
        """By registry and provider; of those that ever staked any."""
        self.score_history: dict[tuple[Address, Address, Role, int], tuple[Standing, int]] = {}
        """By escrow, account, role and day: the last standing of the day, and its block."""
        self.disputes: list[tuple[Bytes32, int, int]] = []
        """Job, time and block of each dispute."""
        self.institutions = InstitutionBooks()

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
        origin = event_origin(
            self._chain_id, log.block_hash, log.block_number, log.log_index, log.tx_hash, log.address, timestamp
        )
        if contract == "ProviderRegistry" and not isinstance(event, provider_fold.OF_NO_PROVIDER):
            key = log.address, getattr(event, event.EVENT.fields[0].python_name)
            self.providers[key] = provider_fold.apply_event(self.providers.get(key), event, origin)
            reward = reward_after(self.rewards.get(key), event, origin)
            if reward is not None:
                self.rewards[key] = reward
        elif contract == "JobEscrow":
            self._fold_escrow(event, origin, generation)
        elif contract in ("VerifierCommittee", "Arbitration", "Timelock"):
            self.institutions.fold(event, origin)

    def job_told(self, event: Event, contract: Address) -> Bytes32 | None:
        """The job among whose events one is listed, by what was folded up to now."""
        if event.told_job is not None:
            return event.told_job
        number = dispute_of(event)
        dispute = None if number is None else self.institutions.disputes.get((contract, number))
        return None if dispute is None else dispute.job

    def job_homes(self) -> dict[Bytes32, tuple[Address, JobRecord]]:
        """Each job with the escrow that holds it."""
        return {job: (self._homes[job], record) for job, (_, record) in self.jobs.items()}

    def _fold_escrow(self, event: Event, origin: EventOrigin, generation: int) -> None:
        terms: Terms | None = None
        job_id = event.job_id
        if job_id is not None:
            _, before = self.jobs.get(job_id, _NO_JOB)
            terms = None if before is None else before.terms
            job = job_fold.apply_event(before, event, origin)
            self.jobs[job_id] = generation, job
            if before is None:
                self._homes[job_id] = origin.address
            if job.state is JobState.CLOSED:
                self._score(origin, job)
            elif isinstance(event, JobDisputed):
                self.disputes.append((event.job, origin.timestamp, origin.block_number))
        movement, escrow, balances = movement_of(event, terms), origin.address, self.balances
        for account, delta in movement.accounts.items():
            key = escrow, account
            known = balances.get(key)
            balances[key] = delta if known is None else known + delta
        if movement.fees:
            self.fees[escrow] += movement.fees

    def statistics(self) -> dict[tuple[Scope, int, str], Tally]:
        """Everything added up again from the jobs, by scope, day and subject (``0x`` hex; empty for the market): what kept sums are held against."""
        # By day, resource and provider first, and many at a time: an addition for each job would be most of an audit's end.
        gathered: dict[tuple[int, str, str], list[Tally]] = defaultdict(list)
        for job, day, tally in self._contributions():
            assert job.terms is not None
            some = gathered[day, job.terms.resource, job.terms.provider]
            some.append(tally)
            if len(some) >= _TALLIES_AT_ONCE:
                some[:] = [Tally.sum_of(some)]
        sums: dict[tuple[Scope, int, str], Tally] = {}
        for (day, resource, provider), tallies in gathered.items():
            tally = Tally.sum_of(tallies)
            for subject in ((Scope.MARKET, ""), (Scope.RESOURCE, resource), (Scope.PROVIDER, provider)):
                for key in ((subject[0], day, subject[1]), (subject[0], TOTAL, subject[1])):
                    sums[key] = sums.get(key, Tally()).plus(tally)
        return sums

    def _contributions(self) -> Iterator[tuple[JobRecord, int, Tally]]:
        for _, job in self.jobs.values():
            if job.opened_at is not None and job.opened_block is not None:
                yield job, day_of(job.opened_at), opening(job.opened_block)
            if (close := close_of(job)) is not None:
                for day, tally in tallies_of(close):
                    yield job, day, tally
        for disputed, at, block in self.disputes:
            yield self.jobs[disputed][1], day_of(at), dispute(block)

    def _score(self, origin: EventOrigin, job: JobRecord) -> None:
        escrow = origin.address

        def stored(account: Address, role: Role) -> ScoreSlot:
            found = self.scores.get((escrow, account, role))
            return found.slot if found else ScoreSlot()

        for (account, role), standing in standings_after(job, stored).items():
            self.scores[escrow, account, role] = standing
            self.score_history[escrow, account, role, day_of(standing.at)] = standing, origin.block_number
