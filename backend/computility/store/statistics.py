"""Sums of the trades by day, and scores as each day left them: the tables and their queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, Session, SQLModel, col, select, tuple_

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.score_slot import ScoreSlot
from computility.domain.standing import Standing
from computility.domain.statistics import TOTAL, Scope, Tally
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, HashColumn
from computility.store.ledgers import live


def _count() -> int:
    return Field(sa_column=Column(BigInteger, nullable=False))  # type: ignore[no-any-return]  # SQLModel's own idiom


def _amount() -> int:
    return Field(sa_column=Column(Amount, nullable=False))  # type: ignore[no-any-return]  # as above


class StatisticsRow(SQLModel, table=True):
    """One ``Tally``: of the market, of a resource or of a provider (``subject``, left-padded to 32 bytes), on a day or (-1) in all."""

    __tablename__ = "statistics"
    __table_args__ = (
        Index("ix_statistics_subject", "ledger", "scope", "subject", "day"),
        {"sqlite_with_rowid": False},
    )

    ledger: int = Field(primary_key=True)
    scope: int = Field(primary_key=True)
    day: int = Field(primary_key=True)
    subject: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    opened: int = _count()
    closed: int = _count()
    passed: int = _count()
    failed: int = _count()
    claimed: int = _count()
    excused: int = _count()
    disputed: int = _count()
    ruled: int = _count()
    agreed: int = _count()
    reclaimed: int = _count()
    units: int = _amount()
    ordered_units: int = _amount()
    volume: int = _amount()
    fees: int = _amount()
    refunds: int = _amount()
    slashed: int = _amount()
    live_s: int = _amount()
    price_low: int = _amount()
    price_high: int = _amount()
    block: int = _count()

    def tally(self) -> Tally:
        """The row as the domain knows it."""
        return Tally(*(int(getattr(self, name)) for name in Tally._fields))


class ScoreHistoryRow(SQLModel, table=True):
    """An account's standing in one role at the end of a day on which it changed."""

    __tablename__ = "score_history"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    role: int = Field(primary_key=True)
    escrow: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    day: int = Field(primary_key=True)
    word: str = Field(sa_column=Column(HashColumn, nullable=False))
    job: str = Field(sa_column=Column(HashColumn, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> Standing:
        """The row as the domain knows it."""
        return Standing(ScoreSlot.from_word(int(self.word, 16)), Bytes32(self.job), self.at)


MARKET_SUBJECT = bytes(32)


def page_of_days(
    session: Session, chain_id: ChainId, scope: Scope, subject: bytes, *, before: int | None, limit: int
) -> Sequence[StatisticsRow]:
    """The days of one subject, the newest first."""
    query = select(StatisticsRow).where(
        col(StatisticsRow.ledger) == live(chain_id),
        col(StatisticsRow.scope) == int(scope),
        col(StatisticsRow.subject) == subject,
        col(StatisticsRow.day) > TOTAL,
    )
    if before is not None:
        query = query.where(col(StatisticsRow.day) < before)
    return session.exec(query.order_by(col(StatisticsRow.day).desc()).limit(limit)).all()


def page_of_subjects(
    session: Session, chain_id: ChainId, scope: Scope, day: int, *, after: bytes | None, limit: int
) -> Sequence[StatisticsRow]:
    """Every resource or provider of a day, or (``TOTAL``) of all days, by the number that it is."""
    query = select(StatisticsRow).where(
        col(StatisticsRow.ledger) == live(chain_id),
        col(StatisticsRow.scope) == int(scope),
        col(StatisticsRow.day) == day,
    )
    if after is not None:
        query = query.where(col(StatisticsRow.subject) > after)
    return session.exec(query.order_by(col(StatisticsRow.subject)).limit(limit)).all()


def totals_of_providers(
    session: Session, chain_id: ChainId, providers: Iterable[Address]
) -> dict[Address, StatisticsRow]:
    """The sums in all of some providers, of those with a job."""
    asked = {bytes.fromhex(provider[2:]).rjust(32, b"\0"): provider for provider in providers}
    query = select(StatisticsRow).where(
        col(StatisticsRow.ledger) == live(chain_id),
        col(StatisticsRow.scope) == int(Scope.PROVIDER),
        col(StatisticsRow.day) == TOTAL,
        col(StatisticsRow.subject).in_(asked),
    )
    return {asked[row.subject]: row for row in session.exec(query)}


Place = tuple[int, bytes]
"""Day and subject: in their order many rows are read a page after another."""


def tallies_of_days(
    session: Session, chain_id: ChainId, scope: Scope, since: int, until: int, *, after: Place | None, limit: int
) -> list[tuple[int, bytes, Tally]]:
    """Every subject of the days from ``since`` to ``until``, both included, in their order: day, subject and sums."""
    columns = (getattr(StatisticsRow, name) for name in Tally._fields)
    rows = _of_days(session, chain_id, scope, since, until, after, limit, *columns)
    return [(day, subject, Tally(*values)) for day, subject, *values in rows]


def volumes_of_days(
    session: Session, chain_id: ChainId, scope: Scope, since: int, until: int, *, after: Place | None, limit: int
) -> list[tuple[int, bytes, int, int]]:
    """As ``tallies_of_days``, of the sums the volume only, and the last block that changed them."""
    volume, block = col(StatisticsRow.volume), col(StatisticsRow.block)
    return [tuple(row) for row in _of_days(session, chain_id, scope, since, until, after, limit, volume, block)]


def _of_days(
    session: Session,
    chain_id: ChainId,
    scope: Scope,
    since: int,
    until: int,
    after: Place | None,
    limit: int,
    *columns: Any,
) -> Sequence[Any]:
    listed = (col(StatisticsRow.day), col(StatisticsRow.subject))
    # Columns and no objects: there may be millions, a few thousand at a time.
    query = sqlalchemy.select(*listed, *columns).where(
        col(StatisticsRow.ledger) == live(chain_id),
        col(StatisticsRow.scope) == int(scope),
        listed[0] <= until,
        listed[0] >= since if after is None else tuple_(*listed) > tuple_(*after),
    )
    return session.connection().execute(query.order_by(*listed).limit(limit)).all()


def page_of_history(
    session: Session, chain_id: ChainId, escrow: Address, account: Address, role: int, *, before: int | None, limit: int
) -> Sequence[ScoreHistoryRow]:
    """An account's standings in one role, the newest day first."""
    query = select(ScoreHistoryRow).where(
        col(ScoreHistoryRow.ledger) == live(chain_id),
        col(ScoreHistoryRow.account) == account,
        col(ScoreHistoryRow.role) == role,
        col(ScoreHistoryRow.escrow) == escrow,
    )
    if before is not None:
        query = query.where(col(ScoreHistoryRow.day) < before)
    return session.exec(query.order_by(col(ScoreHistoryRow.day).desc()).limit(limit)).all()


def all_statistics(session: Session, chain_id: ChainId) -> Sequence[StatisticsRow]:
    """Every row."""
    return session.exec(select(StatisticsRow).where(col(StatisticsRow.ledger) == live(chain_id))).all()


def all_history(session: Session, chain_id: ChainId) -> Sequence[ScoreHistoryRow]:
    """Every row."""
    return session.exec(select(ScoreHistoryRow).where(col(ScoreHistoryRow.ledger) == live(chain_id))).all()
