"""The ledger folded in memory, from nothing but logs: what an auditor holds the store against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from computility.chain.event_decoders import ADDRESSES, Decoder
from computility.chain.log_decoding import RawLog, decode_log, event_classes
from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.errors import ChainMisbehaved
from computility.domain.event import event_origin
from computility.domain.events import Event, EventOrigin, JobDisputed
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, ChainId
from computility.domain.institutions import dispute_of
from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.packed_logs import ADDRESS_AT, FORMAT, HEAD, TOPICS_AT, TX_AT
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord, reward_after
from computility.domain.score_slot import ScoreSlot
from computility.domain.scores import Role, standings_after
from computility.domain.standing import Standing
from computility.domain.statistics import TOTAL, Scope, Tally, close_of, day_of, dispute, opening, tallies_of
from computility.domain.terms import Terms
from computility.services.contract_directory import ContractDirectory
from computility.services.institution_books import InstitutionBooks
from computility.services.packed_blocks import PackedBlock

_CLOSED: Final = JobState.CLOSED
_NO_JOB: Final[tuple[int, None]] = 0, None
_FORGOTTEN: Final = 0, JobRecord(ZERO_BYTES32, _CLOSED)
"""In place of each job that was let go: nothing can follow on it, as on any that is closed."""
_NEWCOMER: Final = ScoreSlot()
_TALLIES_AT_ONCE: Final = 1_000
_WORD: Final = 32


class LogForm(NamedTuple):
    """One event of one contract at one address, and how its logs are read. ``topics`` is their length in bytes."""

    address: Address
    generation: int
    contract: str
    event: type[Event]
    topics: int
    decode: Decoder


@dataclass(frozen=True, slots=True)
class FoldedBlock:
    """``logs`` are those of events that the ledger knows, packed; ``events`` the same with their log indexes."""

    logs: bytes
    events: list[tuple[int, Event, LogForm]]


class LedgerReplay:
    """Everything that the events say, up to the last one that was folded."""

    def __init__(self, chain_id: ChainId, directory: ContractDirectory) -> None:
        self._chain_id = chain_id
        self._directory = directory
        self._forms = {
            bytes.fromhex(address[2:]) + topic: LogForm(
                address, *directory.owner_of(address), event, _WORD * (1 + len(event.EVENT.indexed)), decode
            )
            for address in directory.addresses
            for topic, (event, decode) in event_classes(directory.owner_of(address)[1]).items()
        }
        self.events = 0
        self.jobs: dict[Bytes32, tuple[int, JobRecord]] = {}
        """Generation and record by job; of those that ``let_go`` yielded a mark that they are closed."""
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
        self._just_closed: list[Bytes32] = []
        # By day, resource and provider, and many at a time: an addition for each job would be most of an audit's end.
        self._opened: dict[tuple[int, str, str], tuple[int, int]] = {}
        self._tallies: dict[tuple[int, str, str], list[Tally]] = defaultdict(list)

    def fold(self, log: RawLog, timestamp: int) -> None:
        """Apply one log.

        Raises:
            ChainMisbehaved: it does not follow what came before.
        """
        generation, contract = self._directory.owner_of(log.address)
        event = decode_log(contract, log.topics, log.data)
        if event is None:
            return
        origin = event_origin(
            self._chain_id, log.block_hash, log.block_number, log.log_index, log.tx_hash, log.address, timestamp
        )
        self._apply(event, contract, origin, generation)

    def fold_block(self, block: PackedBlock) -> FoldedBlock:
        """Apply all logs of a block, as ``fold`` does each of them.

        Raises:
            ChainMisbehaved: as there.
        """
        logs, header, forms, chain_id = block.logs, block.header, self._forms, self._chain_id
        number, block_hash, timestamp = header.number, header.hash, header.timestamp
        events: list[tuple[int, Event, LogForm]] = []
        unknown: list[slice] = []
        at, end = 1, len(logs)
        while at < end:
            index, topics, data = HEAD(logs, at)
            words = at + TOPICS_AT + _WORD
            after = words + topics + data - _WORD
            form = forms.get(logs[at + ADDRESS_AT : words]) if topics else None
            if form is None:
                # That of somebody else's contract is no log of an unknown event.
                self._directory.owner_of(ADDRESSES[logs[at + ADDRESS_AT : at + TOPICS_AT]])
                unknown.append(slice(at, after))
            else:
                address, generation, contract, kind, length, decode = form
                if topics != length:
                    raise ChainMisbehaved(f"a {kind.__name__} log has {topics // _WORD} topics, not {length // _WORD}")
                event = decode(logs[words:after])
                tx_hash = Bytes32("0x" + logs[at + TX_AT : at + ADDRESS_AT].hex())
                origin = event_origin(chain_id, block_hash, number, index, tx_hash, address, timestamp)
                self._apply(event, contract, origin, generation)
                events.append((index, event, form))
            at = after
        return FoldedBlock(_without(logs, unknown) if unknown else logs, events)

    def let_go(self) -> Iterator[tuple[int, JobRecord]]:
        """Generation and record of each job that closed since this was asked last.

        Each is in all sums, nothing can follow on it, and it is forgotten.
        """
        jobs = self.jobs
        for job in self._just_closed:
            yield jobs[job]
            jobs[job] = _FORGOTTEN
        self._just_closed.clear()

    def live_jobs(self) -> Iterator[tuple[int, JobRecord]]:
        """Generation and record of each job that was not let go."""
        return (known for known in self.jobs.values() if known is not _FORGOTTEN)

    def job_told(self, event: Event, contract: Address) -> Bytes32 | None:
        """The job among whose events one is listed, by what was folded up to now."""
        if event.told_job is not None:
            return event.told_job
        number = dispute_of(event)
        dispute = None if number is None else self.institutions.disputes.get((contract, number))
        return None if dispute is None else dispute.job

    def _apply(self, event: Event, contract: str, origin: EventOrigin, generation: int) -> None:
        self.events += 1
        if contract == "JobEscrow":
            self._fold_escrow(event, origin, generation)
        elif contract == "ProviderRegistry":
            if not isinstance(event, provider_fold.OF_NO_PROVIDER):
                key = origin.address, getattr(event, event.EVENT.fields[0].python_name)
                self.providers[key] = provider_fold.apply_event(self.providers.get(key), event, origin)
                reward = reward_after(self.rewards.get(key), event, origin)
                if reward is not None:
                    self.rewards[key] = reward
        elif contract in ("VerifierCommittee", "Arbitration", "Timelock"):
            self.institutions.fold(event, origin)

    def _fold_escrow(self, event: Event, origin: EventOrigin, generation: int) -> None:
        terms: Terms | None = None
        escrow = origin.address
        job_id = event.job_id
        if job_id is not None:
            _, before = self.jobs.get(job_id, _NO_JOB)
            job = job_fold.apply_event(before, event, origin)
            self.jobs[job_id] = generation, job
            if before is None:
                self._count_opening(job)
            else:
                terms = before.terms
            if job.state is _CLOSED:
                self._score(origin, job)
                self._count_close(job)
                self._just_closed.append(job_id)
            elif isinstance(event, JobDisputed) and terms is not None:
                self.disputes.append((event.job, origin.timestamp, origin.block_number))
                key = day_of(origin.timestamp), terms.resource, terms.provider
                self._tallies[key].append(dispute(origin.block_number))
        accounts, fees = movement_of(event, terms)
        balances = self.balances
        for account, delta in accounts.items():
            place = escrow, account
            known = balances.get(place)
            balances[place] = delta if known is None else known + delta
        if fees:
            self.fees[escrow] += fees

    def statistics(self) -> dict[tuple[Scope, int, str], Tally]:
        """Everything added up again from the jobs, by scope, day and subject (``0x`` hex; empty for the market): what kept sums are held against."""
        sums: dict[tuple[Scope, int, str], Tally] = {}
        gathered = [(key, [opening(block, count)]) for key, (count, block) in self._opened.items()]
        for (day, resource, provider), tallies in (*gathered, *self._tallies.items()):
            tally = Tally.sum_of(tallies)
            for subject in ((Scope.MARKET, ""), (Scope.RESOURCE, resource), (Scope.PROVIDER, provider)):
                for key in ((subject[0], day, subject[1]), (subject[0], TOTAL, subject[1])):
                    sums[key] = sums.get(key, Tally()).plus(tally)
        return sums

    def _count_opening(self, job: JobRecord) -> None:
        terms, block = job.terms, job.opened_block
        if terms is not None and job.opened_at is not None and block is not None:
            key = day_of(job.opened_at), terms.resource, terms.provider
            known = self._opened.get(key)
            self._opened[key] = (1, block) if known is None else (known[0] + 1, block)

    def _count_close(self, job: JobRecord) -> None:
        close, terms = close_of(job), job.terms
        if close is None or terms is None:
            return
        for day, tally in tallies_of(close):
            some = self._tallies[day, terms.resource, terms.provider]
            some.append(tally)
            if len(some) >= _TALLIES_AT_ONCE:
                some[:] = [Tally.sum_of(some)]

    def _score(self, origin: EventOrigin, job: JobRecord) -> None:
        escrow, scores = origin.address, self.scores

        def stored(account: Address, role: Role) -> ScoreSlot:
            found = scores.get((escrow, account, role))
            return _NEWCOMER if found is None else found.slot

        for (account, role), standing in standings_after(job, stored).items():
            scores[escrow, account, role] = standing
            self.score_history[escrow, account, role, day_of(standing.at)] = standing, origin.block_number


def _without(logs: bytes, places: Sequence[slice]) -> bytes:
    """Packed logs without those at some places, in order; none at all where none is left."""
    kept, at = [], 0
    for place in places:
        kept.append(logs[at : place.start])
        at = place.stop
    left = b"".join((*kept, logs[at:]))
    return b"" if left == FORMAT else left
