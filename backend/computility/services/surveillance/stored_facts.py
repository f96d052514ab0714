"""The facts as a node's database has them: folded jobs, funding events, and the journal's asks. An auditor who trusts no database reads the chain."""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlmodel import Session

from computility.domain.events import Deposited, Withdrawn
from computility.domain.identifiers import Bytes32, ChainId, keccak_bytes32
from computility.domain.statements import Ask, QuoteRequest, StatementKind
from computility.services.surveillance.facts import AskFact, Facts, FundingFact, trade_fact
from computility.store import jobs, raw_logs, statements
from computility.store.engine import Database

_MOST_FUNDING_EVENTS: Final = 200_000


def stored_facts(database: Database, chain_id: ChainId) -> Facts:
    """Closed trades, the newest 200,000 deposits and withdrawals, and every ask."""
    with database.unit_of_work() as session:
        trades = [trade_fact(row.record()) for row in jobs.all_jobs(session, chain_id)]
        return Facts(
            sorted((trade for trade in trades if trade), key=lambda trade: (trade.opened_at, trade.job)),
            _funding(session, chain_id),
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


def _funding(session: Session, chain_id: ChainId) -> list[FundingFact]:
    found = []
    for name in ("Deposited", "Withdrawn"):
        for row in raw_logs.page_of_logs(session, chain_id, name=name, limit=_MOST_FUNDING_EVENTS):
            match event := row.event():
                case Deposited():
                    found.append(FundingFact(event.account, event.from_, event.amount))
                case Withdrawn():
                    found.append(FundingFact(event.account, event.to, event.amount))
    return found
