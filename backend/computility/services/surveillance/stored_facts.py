"""The facts as a node's database has them: folded jobs, funding events, and the journal's asks. An auditor who trusts no database reads the chain."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from sqlmodel import Session

from computility.domain.events import Deposited, Withdrawn
from computility.domain.identifiers import Address, Bytes32, ChainId, keccak_bytes32
from computility.domain.statements import Ask, QuoteRequest, StatementKind
from computility.services.surveillance.facts import AskFact, Facts, FundingFact, trade_fact
from computility.store import jobs, raw_logs, statements
from computility.store.engine import Database

_AT_ONCE: Final = 5_000
"""Deposits and withdrawals that are read in one go."""


def stored_facts(database: Database, chain_id: ChainId, *, at_once: int = _AT_ONCE) -> Facts:
    """Closed trades, all deposits and withdrawals (``at_once`` of them are read in one go), and every ask."""
    with database.unit_of_work() as session:
        trades = [trade_fact(row.record()) for row in jobs.all_jobs(session, chain_id)]
        return Facts(
            sorted((trade for trade in trades if trade), key=lambda trade: (trade.opened_at, trade.job)),
            _funding(session, chain_id, at_once),
            stored_asks(session, chain_id),
        )


def stored_asks(session: Session, chain_id: ChainId) -> list[AskFact]:
    """Every ask of the journal, with how many requests came for it."""
    requested = Counter(
        message.ask
        for row in statements.all_of(session, chain_id, StatementKind.QUOTE_REQUEST)
        if isinstance(message := row.statement().message, QuoteRequest)
    )
    return [
        AskFact(
            Bytes32(row.id),
            message.provider,
            keccak_bytes32(message.resource.encode()),
            message.unit_price,
            requested[Bytes32(row.id)],
        )
        for row in statements.all_of(session, chain_id, StatementKind.ASK)
        if isinstance(message := row.statement().message, Ask)
    ]


def _funding(session: Session, chain_id: ChainId, at_once: int) -> list[FundingFact]:
    """What each account got from each other and paid to it, all its life: one fact a pair, however many events there are."""
    sums: dict[tuple[Address, Address], int] = defaultdict(int)
    for name in ("Deposited", "Withdrawn"):
        before: tuple[int, int] | None = None
        while page := raw_logs.page_of_logs(session, chain_id, name=name, before=before, limit=at_once):
            for row in page:
                match event := row.event():
                    case Deposited():
                        sums[event.account, event.from_] += event.amount
                    case Withdrawn():
                        sums[event.account, event.to] += event.amount
            before = page[-1].block_number, page[-1].log_index
    return [FundingFact(account, source, amount) for (account, source), amount in sums.items()]
