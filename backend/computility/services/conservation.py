"""Does the money add up? Every event's legs, every account, every block, and the contract's own words.

For each event: what its accounts and the fees gain is what came in from wallets and stakes less what went out, and a close pays what its terms say
of its units. After each block: no account is below zero, what is locked is what live jobs hold, and what is reserved of stakes is what they hold of
them, and no more than the stakes. At the end, or after every block: ``accountOf``, ``fees`` and ``balanceOf`` answer what the events add up to
(credits beyond that are a donation).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from computility.chain.log_decoding import RawLog, event_of
from computility.domain.errors import ChainMisbehaved, ChainReplaced
from computility.domain.events import Event, EventOrigin, JobClosed, JobOpened, JobPaid
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.ledger import Balance, movement_of
from computility.domain.terms import Terms
from computility.domain.units import share_down
from computility.services.contract_directory import ContractDirectory
from computility.services.contract_state import state_of
from computility.services.escrow_books import BOOK, LEGS, OF_A_LOCK, OUTSIDE, Books, money_of
from computility.services.ledger_source import LedgerSource, SourcedBlock
from computility.services.ledger_walk import walk
from computility.services.stake_books import StakeBooks

if TYPE_CHECKING:
    # Where it is folded in a process of its own nobody asks the contracts.
    from computility.chain.connection import ChainConnection


@dataclass(frozen=True)
class Imbalance:
    """The first thing that does not add up. Amounts are atoms of credit."""

    block: int
    where: str
    what: str
    expected: int
    found: int


@dataclass(frozen=True)
class ConservationReport:
    """``imbalance`` is None when everything adds up. ``totals`` are sums over the whole history, of all escrows."""

    conserved: bool
    imbalance: Imbalance | None
    blocks: int
    events: int
    accounts: int
    last_block: int
    last_hash: Bytes32 | None
    totals: dict[str, int]
    donated: int
    contracts_asked: bool


class Conservation:
    """Folds the ledger's money, and stops at the first thing that does not add up."""

    def __init__(
        self, source: LedgerSource, chain: ChainConnection | None = None, *, every_block: bool = False
    ) -> None:
        """``chain`` answers for the contracts; without it (an offline file) only events are held against each other."""
        self._source = source
        self._chain_id = source.deployments.chain_id
        self._chain = chain
        self._every_block = every_block
        self._directory = ContractDirectory(source.deployments)
        self._credits = {
            generation.address_of("JobEscrow"): generation.address_of("ComputeCredit")
            for generation in source.deployments.generations
        }
        self.books: dict[Address, Books] = {escrow: Books() for escrow in self._credits}
        self._registries = {
            generation.address_of("JobEscrow"): generation.address_of("ProviderRegistry")
            for generation in source.deployments.generations
        }
        self.stakes: dict[Address, StakeBooks] = {registry: StakeBooks() for registry in self._registries.values()}
        self.events = 0
        self.blocks = 0
        self._imbalance: Imbalance | None = None
        self._last: SourcedBlock | None = None

    @property
    def can_be_sent(self) -> bool:
        """Whether another process may fold it: not while it asks the contracts on the way."""
        return not self._every_block

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which is given the blocks, and does not ask the contracts."""
        last = self._last and SourcedBlock(self._last.header, ())
        return {**self.__dict__, "_chain": None, "_source": None, "_last": last}

    def take_over(self, folded: Conservation) -> None:
        """What another process folded of it. The contracts are asked now."""
        self.__dict__.update(folded.__dict__, _chain=self._chain, _source=self._source)
        self._ask_at_the_end()

    def check(self, blocks: Iterator[SourcedBlock] | None = None) -> Iterator[SourcedBlock]:
        """Fold all blocks; ``report`` says what came of it. Yields each block after it is checked, and ends at the first imbalance.

        With ``blocks``, as somebody else walks them, it passes them all on: another fold can use the same pass.

        Raises:
            ChainReplaced: the chain reorganised while its contracts were asked.
        """
        self._imbalance, self._last, self.blocks = None, None, 0
        walked = walk(self._source) if blocks is None else blocks
        for block in walked:
            self._last = block
            self.blocks += 1
            touched: dict[Address, set[Address]] = defaultdict(set)
            self._imbalance = next(self._fold(block, touched), None)
            if self._imbalance is None and self._chain and self._every_block and block.logs:
                self._imbalance = next(self._ask(block.header.number, touched), None)
                if self._imbalance:
                    self._require_still_there(block)
            yield block
            if self._imbalance:
                yield from blocks or ()
                return
        self._ask_at_the_end()

    def _ask_at_the_end(self) -> None:
        if self._chain and self._last and not self._every_block and self._imbalance is None:
            everyone = {escrow: set(books.balances) for escrow, books in self.books.items()}
            self._imbalance = next(self._ask(self._last.header.number, everyone), None)
            if self._imbalance:
                self._require_still_there(self._last)
                self._imbalance = self._first_of(self._imbalance)

    def report(self) -> ConservationReport:
        """After ``check``."""
        totals: dict[str, int] = defaultdict(int)
        for books in self.books.values():
            for name, amount in books.totals.items():
                totals[name] += amount
        for stakes in self.stakes.values():
            for reward in stakes.rewards.values():
                totals["rewards_staked"] += reward.staked
                totals["rewards_taken"] += reward.taken
                totals["rewards_slashed"] += reward.lost
        donated = 0
        if self._chain and self._last and not self._imbalance:
            donated = sum(
                self._balance_of(escrow, self._last.header.number) - books.held for escrow, books in self.books.items()
            )
        return ConservationReport(
            conserved=self._imbalance is None,
            imbalance=self._imbalance,
            blocks=self.blocks,
            events=self.events,
            accounts=sum(len(books.balances) for books in self.books.values()),
            last_block=self._last.header.number if self._last else 0,
            last_hash=self._last.header.hash if self._last else None,
            totals=dict(sorted(totals.items())),
            donated=donated,
            contracts_asked=self._chain is not None,
        )

    # ---------------------------------------------------------------- what the events say

    def _fold(self, block: SourcedBlock, touched: dict[Address, set[Address]]) -> Iterator[Imbalance]:
        number, all_books = block.header.number, self.books
        for log in block.logs:
            books = all_books.get(log.address)
            if books is None:
                if log.address in self.stakes:
                    yield from self._fold_stake(block, log)
                continue
            event = money_of(log)
            if event is None:
                continue
            self.events += 1
            concerned = touched[log.address]
            kind = event.__class__
            outside_of = OUTSIDE.get(kind)
            if outside_of is None:
                continue
            if isinstance(event, JobOpened):
                terms: Terms | None = event.terms
            else:
                terms = books.live.get(event.job_id or ZERO_BYTES32)
            (accounts, fees), outside = movement_of(event, terms), outside_of(event)
            free, locked, balances = 0, 0, books.balances
            sunk: list[tuple[Address, int]] | None = None
            for account, delta in accounts.items():
                before = balances.get(account)
                balances[account] = balance = delta if before is None else before + delta
                free += delta[0]
                locked += delta[1]
                if balance[0] < 0 or balance[1] < 0:
                    sunk = [*(sunk or ()), (account, min(balance))]
            moved = free + locked + fees
            if moved != outside:
                where = _where(event, log)
                yield Imbalance(number, where, "legs against what came in or went out", outside, moved)
            if kind in OF_A_LOCK and (found := _unlike_the_terms(books, event, terms, log)) is not None:
                yield found
            for account, amount in sunk or ():
                yield Imbalance(number, f"{_where(event, log)}, account {account}", "below zero", 0, amount)
            if self._every_block:
                concerned.update(accounts)
            books.held += outside
            books.fees += fees
            books.free += free
            books.locked += locked
            BOOK[kind](books, event)
        for escrow in touched:
            books = self.books[escrow]
            if books.locked != books.in_jobs:
                yield Imbalance(number, f"escrow {escrow}", "locked against live jobs", books.in_jobs, books.locked)
            inside = books.free + books.locked + books.fees
            if books.held != inside:
                yield Imbalance(number, f"escrow {escrow}", "in less out", inside, books.held)
            staked, reserved = books.behind_jobs, self.stakes[self._registries[escrow]].reserved
            if staked != reserved:
                yield Imbalance(number, f"escrow {escrow}", "stake behind live jobs against reserved", staked, reserved)

    def _fold_stake(self, block: SourcedBlock, log: RawLog) -> Iterator[Imbalance]:
        event = event_of("ProviderRegistry", log)
        if event is None:
            return
        origin = EventOrigin(
            self._chain_id,
            log.block_hash,
            log.block_number,
            log.log_index,
            log.tx_hash,
            log.address,
            block.header.timestamp,
        )
        stakes = self.stakes[log.address]
        provider = stakes.fold(event, origin)
        if provider is None:
            return
        where = f"{type(event).__name__} at log {log.log_index}, provider {provider.address}"
        if not 0 <= provider.reserved <= provider.stake:
            yield Imbalance(log.block_number, where, "reserved against stake", provider.stake, provider.reserved)
        record = stakes.rewards.get(provider.address)
        if record is None:
            return
        reward = record.reward
        if reward.vested < 0 or reward.whole > provider.stake:
            yield Imbalance(log.block_number, where, "reward against stake", provider.stake, reward.whole)
        if reward.whole != record.staked - record.taken - record.lost:
            left = record.staked - record.taken - record.lost
            yield Imbalance(log.block_number, where, "reward against what came, left and was lost", left, reward.whole)

    # ---------------------------------------------------------------- what the contracts say

    def _ask(self, block: int, accounts: dict[Address, set[Address]]) -> Iterator[Imbalance]:
        with state_of(block):
            yield from self._against_contracts(block, accounts)

    def _against_contracts(self, block: int, accounts: dict[Address, set[Address]]) -> Iterator[Imbalance]:
        assert self._chain is not None
        for escrow, named in accounts.items():
            books, contract = self.books[escrow], self._chain.contract("JobEscrow", escrow)
            for account in sorted(named):
                free, locked, *_ = contract.read("accountOf", account, block=block)
                balance = books.balances.get(account, Balance())
                where = f"account {account} in escrow {escrow}"
                if free != balance.free:
                    yield Imbalance(block, where, "free, as accountOf says", balance.free, free)
                if locked != balance.locked:
                    yield Imbalance(block, where, "locked, as accountOf says", balance.locked, locked)
            fees = contract.read("fees", block=block)
            if fees != books.fees:
                yield Imbalance(block, f"escrow {escrow}", "fees, as the contract says", books.fees, fees)
            tokens = self._balance_of(escrow, block)
            if tokens < books.held:
                yield Imbalance(block, f"escrow {escrow}", "credits held, as balanceOf says", books.held, tokens)
            registry = self._registries[escrow]
            owed, tokens = self.stakes[registry].held, self._balance_of(escrow, block, of=registry)
            if tokens < owed:
                yield Imbalance(block, f"registry {registry}", "credits held, as balanceOf says", owed, tokens)

    def _require_still_there(self, block: SourcedBlock) -> None:
        """Contracts answer by a block's number, which is another block's once the chain has reorganised."""
        assert self._chain is not None
        header = self._chain.rpc.header(block.header.number)
        if header is None or header.hash != block.header.hash:
            raise ChainReplaced("the chain reorganised while its contracts were asked: ask again")

    def _balance_of(self, escrow: Address, block: int, *, of: Address | None = None) -> int:
        assert self._chain is not None
        credit = self._chain.contract("ComputeCredit", self._credits[escrow])
        return int(credit.read("balanceOf", of or escrow, block=block))

    def _first_of(self, last: Imbalance) -> Imbalance:
        """The first block at which a contract disagrees, by asking after every block: slow, but only once something is wrong."""
        again = Conservation(self._source, self._chain, every_block=True)
        for _ in again.check():
            pass
        return again._imbalance or last


def _where(event: Event, log: RawLog) -> str:
    return f"{type(event).__name__} {event.job_id or ''} at log {log.log_index}".replace("  ", " ")


def _unlike_the_terms(books: Books, event: Event, terms: Terms | None, log: RawLog) -> Imbalance | None:
    """What a lock says of its job, and a close of its lock: an atom that one party gets at another's cost leaves every sum as it was."""
    if isinstance(event, JobOpened):
        owed = event.terms.escrow
        if event.escrow != owed:
            return Imbalance(log.block_number, _where(event, log), "escrow against the terms", owed, event.escrow)
        return None
    if terms is None:
        raise ChainMisbehaved(f"{_where(event, log)} of block {log.block_number} closes a job that never opened")
    assert isinstance(event, JobClosed | JobPaid)
    for what, due, found in _owed_at_close(event, terms, books.fee_bps.get(event.job, 0)):
        if due != found:
            return Imbalance(log.block_number, _where(event, log), what, due, found)
    return None


def _owed_at_close(event: JobClosed | JobPaid, terms: Terms, fee_bps: int) -> Iterator[tuple[str, int, int]]:
    """What a close should pay and what it says, as ``domain.job.split`` has it: who earned what is not in the event, how much is."""
    gross = terms.unit_price * event.units
    yield "units at their price against payout and fee", gross, event.provider_paid + event.fee
    yield "the market's share against the fee", share_down(gross, fee_bps), event.fee
    if event.verifier_paid:
        yield "the verifier's fee", terms.verifier_fee, event.verifier_paid
    if isinstance(event, JobPaid):
        return
    from_bond = sum(getattr(event, name) for name in LEGS if "bond" in name)
    yield "legs of the bond", terms.bond, from_bond
    if ruled := event.arbiter_from_escrow + event.arbiter_from_bond:
        yield "the arbiter's fee", terms.arbiter_fee, ruled
    slashed = event.bond_to_buyer + event.bond_to_treasury
    not_delivered = terms.unit_price * (terms.max_units - event.units)
    yield "the buyer's part of a slash", min(slashed, not_delivered), event.bond_to_buyer
