"""What surveillance looks at: closed trades, who put credits into whose account, and asks; and what it says: alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from computility.domain.events import Deposited, Withdrawn
from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import ClosedBy, JobRecord, Outcome
from computility.services.ledger_history import LedgerHistory

_MOST_OF_ONE_HAND: Final = 10
"""Accounts that one hand funds. Who funds more in order to look like an exchange has more puppets than most, which other rules look at."""


@dataclass(frozen=True)
class TradeFact:
    """A trade that closed. Amounts are atoms of credit, times UTC seconds.

    ``passed`` is False for a fail that stood, None where no verifier spoke; ``overruled`` says that an arbiter decided otherwise than the verifier.
    """

    job: Bytes32
    buyer: Address
    payer: Address
    provider: Address
    verifier: Address
    resource: Bytes32
    order: Bytes32
    unit_price: int
    value: int
    passed: bool | None
    overruled: bool
    opened_at: int
    closed_at: int


@dataclass(frozen=True)
class FundingFact:
    """``source`` put credits into ``account``'s balance, or ``account`` paid out to it: hands that belong together."""

    account: Address
    source: Address
    amount: int


@dataclass(frozen=True)
class AskFact:
    """An ask of the journal; ``requests`` for quotes came for it."""

    ask: Bytes32
    provider: Address
    resource: Bytes32
    unit_price: int
    requests: int


@dataclass(frozen=True)
class Alert:
    """A suspicion, never a verdict. ``jobs`` are its evidence: each is proven by ``computility audit proof``."""

    rule: str
    accounts: tuple[Address, ...]
    jobs: tuple[Bytes32, ...]
    what: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """Everything that the rules look at. ``asks`` is None where there is no journal to read them from."""

    trades: Sequence[TradeFact]
    funding: Sequence[FundingFact] = ()
    asks: Sequence[AskFact] | None = None

    @cached_property
    def by_pair(self) -> dict[tuple[Address, Address], list[TradeFact]]:
        """Trades by buyer and provider."""
        return _grouped((trade.buyer, trade.provider, trade) for trade in self.trades)

    @cached_property
    def by_provider(self) -> dict[Address, list[TradeFact]]:
        """Trades by provider."""
        return _by(self.trades, "provider")

    @cached_property
    def by_buyer(self) -> dict[Address, list[TradeFact]]:
        """Trades by buyer."""
        return _by(self.trades, "buyer")

    @cached_property
    def by_verifier(self) -> dict[Address, list[TradeFact]]:
        """Trades by verifier."""
        return _by(self.trades, "verifier")

    @cached_property
    def funders(self) -> dict[Address, set[Address]]:
        """Accounts that funding ties to an account, either way."""
        tied: dict[Address, set[Address]] = defaultdict(set)
        for fact in self.funding:
            if fact.account != fact.source:
                tied[fact.account].add(fact.source)
                tied[fact.source].add(fact.account)
        return tied

    def tied(self, one: Address, other: Address) -> bool:
        """Whether one funded the other, or somebody funded both."""
        return bool(self.hands(one, other))

    def hands(self, one: Address, other: Address) -> list[Address]:
        """Whose funding ties two accounts: their own, or that of those who funded both. Each deposit and withdrawal is an event of the ledger.

        Who funds many accounts is an exchange, a bridge or a wallet's service, and says nothing of any two of them.
        """
        funders = self.funders
        mine, theirs = funders.get(one, set()), funders.get(other, set())
        shared = {hand for hand in mine & theirs if len(funders[hand]) <= _MOST_OF_ONE_HAND}
        return sorted(shared | ({one, other} if other in mine else set()))


def facts_of(history: LedgerHistory, asks: Sequence[AskFact] | None = None) -> Facts:
    """The facts of a ledger."""
    trades = [trade for _, record in history.ledger.jobs.values() if (trade := trade_fact(record))]
    funding = []
    for entry in history.events:
        match entry.event:
            case Deposited():
                funding.append(FundingFact(entry.event.account, entry.event.from_, entry.event.amount))
            case Withdrawn():
                funding.append(FundingFact(entry.event.account, entry.event.to, entry.event.amount))
    return Facts(sorted(trades, key=lambda trade: (trade.opened_at, trade.job)), funding, asks)


def trade_fact(record: JobRecord) -> TradeFact | None:
    """The fact of a job; None while it is open, and for one that never opened."""
    if record.terms is None or record.closed_at is None:
        return None
    terms = record.terms
    spoke = record.outcome in (Outcome.PASS, Outcome.FAIL)
    units = record.units or 0
    return TradeFact(
        job=record.id,
        buyer=terms.buyer,
        payer=terms.payer,
        provider=terms.provider,
        verifier=terms.verifier,
        resource=terms.resource,
        order=terms.order,
        unit_price=terms.unit_price,
        value=terms.unit_price * units,
        passed=record.outcome is Outcome.PASS if spoke else None,
        overruled=record.closed_by is ClosedBy.RULED and spoke and (record.outcome is Outcome.PASS) == (units == 0),
        opened_at=record.opened_at or 0,
        closed_at=record.closed_at,
    )


def _by(trades: Iterable[TradeFact], name: str) -> dict[Address, list[TradeFact]]:
    found: dict[Address, list[TradeFact]] = defaultdict(list)
    for trade in trades:
        found[getattr(trade, name)].append(trade)
    return dict(found)


def _grouped(entries: Iterable[tuple[Address, Address, TradeFact]]) -> dict[tuple[Address, Address], list[TradeFact]]:
    found: dict[tuple[Address, Address], list[TradeFact]] = defaultdict(list)
    for buyer, provider, trade in entries:
        found[buyer, provider].append(trade)
    return dict(found)
