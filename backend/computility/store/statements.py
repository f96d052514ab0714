"""The journal of signed statements: one table, and every query of it.

A row is a statement and what of it is searched for; nothing in it is not signed, but for the second of its arrival.
Where only one statement can stand (one answer to a request, one result of an attempt), rows share a ``slot``, and its
uniqueness lets the first win however many processes write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Column, Index, UniqueConstraint
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, Session, SQLModel, and_, col, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.metered_lease import MeterReading
from computility.domain.rating import Rating
from computility.domain.resource import parse_resource
from computility.domain.statements import (
    Ask,
    AskWithdrawal,
    Quote,
    QuoteRequest,
    Refusal,
    SignedStatement,
    StatementKind,
    Submission,
    message_from_json,
    subject_of,
)

_PRICE_DIGITS: Final = 39
_NEWEST: Final = 200
_ANSWERS: Final = (StatementKind.QUOTE, StatementKind.REFUSAL)


class StatementRow(SQLModel, table=True):
    """One statement. ``subject`` is what it is about, ``provider`` whose ask, answer or job it concerns."""

    __tablename__ = "statements"
    __table_args__ = (
        UniqueConstraint("chain_id", "id", "signer", name="uq_statements_signed"),
        UniqueConstraint("chain_id", "slot", name="uq_statements_slot"),
        # Each answers a question below as a whole, and in its order.
        Index("ix_statements_open", "chain_id", "kind", "valid_until"),
        Index("ix_statements_of_kind", "chain_id", "kind", "sequence"),
        *(
            Index(f"ix_statements_of_{of}", "chain_id", of, "kind", "sequence")
            for of in ("subject", "provider", "signer")
        ),
    )

    sequence: int | None = Field(default=None, primary_key=True)
    chain_id: str = Field(max_length=41)
    kind: str = Field(max_length=16)
    id: str = Field(max_length=66)
    signer: str = Field(max_length=42)
    subject: str = Field(max_length=66)
    provider: str | None = Field(default=None, max_length=42)
    slot: str | None = Field(default=None, max_length=96)
    valid_until: int | None = Field(default=None, sa_column=Column(BigInteger))
    resource_kind: str | None = Field(default=None, max_length=64)
    environment: str | None = Field(default=None, max_length=255)
    price: str | None = Field(default=None, max_length=_PRICE_DIGITS)
    """Unit price, zero-padded, so that text order is the order of amounts."""
    message: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    signature: str = Field(max_length=8_194)
    received_at: int = Field(sa_column=Column(BigInteger, nullable=False))

    def statement(self) -> SignedStatement:
        """The statement as it was signed."""
        kind = StatementKind(self.kind)
        message = message_from_json(kind, self.message)
        return SignedStatement(kind, Bytes32(self.id), Address(self.signer), message, self.signature)


def row_of(chain_id: ChainId, signed: SignedStatement, received_at: int, provider: Address | None) -> StatementRow:
    """The row of a statement. ``provider`` where the message alone does not name it."""
    message = signed.message
    row = StatementRow(
        chain_id=chain_id,
        kind=signed.kind.value,
        id=signed.id,
        signer=signed.signer,
        subject=subject_of(message),
        provider=provider or signed.signer,
        slot=_slot(message),
        message=message.to_json(),
        signature=signed.signature,
        received_at=received_at,
    )
    if isinstance(message, Ask | QuoteRequest | Rating):
        row.valid_until = message.valid_until
    if isinstance(message, Ask):
        row.resource_kind = parse_resource(message.resource).kind
        row.environment = message.environment
        row.price = str(message.unit_price).zfill(_PRICE_DIGITS)
    return row


def _slot(message: object) -> str | None:
    match message:
        case AskWithdrawal():
            return f"withdrawal:{message.ask}"
        case Quote() | Refusal():
            return f"answer:{message.request}"
        case Submission():
            return f"submission:{message.job}"
        case MeterReading():
            return f"reading:{message.job}:{message.sequence}"
        case _:
            return None


def find(
    session: Session, chain_id: ChainId, identifier: Bytes32, signer: Address | None = None
) -> StatementRow | None:
    """A statement by its digest; of an attestation, that of one signer."""
    query = _of(chain_id).where(col(StatementRow.id) == identifier)
    if signer is not None:
        query = query.where(col(StatementRow.signer) == signer)
    return session.exec(query).first()


def withdrawals_among(session: Session, chain_id: ChainId, asks: Iterable[Bytes32]) -> Sequence[StatementRow]:
    """The withdrawals of some asks."""
    slots = [f"withdrawal:{ask}" for ask in asks]
    return session.exec(_of(chain_id).where(col(StatementRow.slot).in_(slots))).all()


def answer_to(session: Session, chain_id: ChainId, request: Bytes32) -> StatementRow | None:
    """The quote or the refusal that answers a request."""
    return session.exec(_of(chain_id).where(col(StatementRow.slot) == f"answer:{request}")).first()


def about(session: Session, chain_id: ChainId, kind: StatementKind, subject: Bytes32) -> Sequence[StatementRow]:
    """All statements of a kind about one thing, in the order of arrival."""
    query = _of(chain_id, kind).where(col(StatementRow.subject) == subject)
    return session.exec(query.order_by(col(StatementRow.sequence))).all()


def page_of_provider(
    session: Session, chain_id: ChainId, kind: StatementKind, provider: Address, before: int | None, limit: int
) -> Sequence[StatementRow]:
    """Statements of a kind that concern one provider, the newest first."""
    query = _of(chain_id, kind).where(col(StatementRow.provider) == provider)
    if before is not None:
        query = query.where(col(StatementRow.sequence) < before)
    return session.exec(query.order_by(col(StatementRow.sequence).desc()).limit(limit)).all()


def ratings_at(session: Session, chain_id: ChainId, providers: Collection[Address], now: int) -> Sequence[StatementRow]:
    """Ratings of some providers that have not expired, the newest first; at most 200 for each that is asked for."""
    query = _of(chain_id, StatementKind.RATING).where(
        col(StatementRow.provider).in_(providers), col(StatementRow.valid_until) >= now
    )
    return session.exec(query.order_by(col(StatementRow.sequence).desc()).limit(_NEWEST * len(providers))).all()


def last_about(session: Session, chain_id: ChainId, kind: StatementKind, subject: Bytes32) -> StatementRow | None:
    """The newest of ``about``."""
    query = _of(chain_id, kind).where(col(StatementRow.subject) == subject)
    return session.exec(query.order_by(col(StatementRow.sequence).desc())).first()


def reading(session: Session, chain_id: ChainId, job: Bytes32, sequence: int) -> StatementRow | None:
    """A reading of a lease's meter by its own number."""
    return session.exec(_of(chain_id).where(col(StatementRow.slot) == f"reading:{job}:{sequence}")).first()


def all_of(session: Session, chain_id: ChainId, kind: StatementKind) -> Sequence[StatementRow]:
    """All statements of a kind, in the order of arrival."""
    return session.exec(_of(chain_id, kind).order_by(col(StatementRow.sequence))).all()


def page_of(
    session: Session, chain_id: ChainId, kind: StatementKind, after: int | None, limit: int
) -> Sequence[StatementRow]:
    """One page of ``all_of``."""
    query = _of(chain_id, kind)
    if after is not None:
        query = query.where(col(StatementRow.sequence) > after)
    return session.exec(query.order_by(col(StatementRow.sequence)).limit(limit)).all()


def page_about(
    session: Session, chain_id: ChainId, kind: StatementKind, subject: Bytes32, after: int | None, limit: int
) -> Sequence[StatementRow]:
    """One page of ``about``."""
    query = _of(chain_id, kind).where(col(StatementRow.subject) == subject)
    if after is not None:
        query = query.where(col(StatementRow.sequence) > after)
    return session.exec(query.order_by(col(StatementRow.sequence)).limit(limit)).all()


def urns_of(session: Session, chain_id: ChainId, provider: Address) -> Sequence[str]:
    """Resources that a provider ever offered in an ask."""
    query = _of(chain_id, StatementKind.ASK).where(col(StatementRow.provider) == provider)
    rows = session.exec(query.order_by(col(StatementRow.sequence).desc()).limit(_NEWEST)).all()
    return sorted({str(row.message["resource"]) for row in rows})


def newest_urns(session: Session, chain_id: ChainId, limit: int) -> Sequence[str]:
    """Resources of the newest asks."""
    rows = session.exec(_of(chain_id, StatementKind.ASK).order_by(col(StatementRow.sequence).desc()).limit(limit)).all()
    return sorted({str(row.message["resource"]) for row in rows})


def count_open_asks(session: Session, chain_id: ChainId, provider: Address, now: int) -> int:
    """Open asks of one provider."""
    conditions = (col(StatementRow.provider) == provider, *_open_ask(chain_id, now))
    return session.exec(select(func.count()).select_from(StatementRow).where(*conditions)).one()


def open_asks(
    session: Session,
    chain_id: ChainId,
    now: int,
    *,
    resource_kind: str | None,
    environment: str | None,
    provider: Address | None,
    after: tuple[str, int] | None,
    limit: int,
) -> Sequence[StatementRow]:
    """Open asks by price, then by age. ``after`` is the price and sequence of the last one seen."""
    query = select(StatementRow).where(*_open_ask(chain_id, now))
    for column, wanted in (
        (StatementRow.resource_kind, resource_kind),
        (StatementRow.environment, environment),
        (StatementRow.provider, provider),
    ):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if after is not None:
        price, sequence = after
        query = query.where(
            or_(
                col(StatementRow.price) > price,
                and_(col(StatementRow.price) == price, col(StatementRow.sequence) > sequence),
            )
        )
    return session.exec(query.order_by(col(StatementRow.price), col(StatementRow.sequence)).limit(limit)).all()


def count_pending_requests(
    session: Session, chain_id: ChainId, now: int, *, buyer: Address | None = None, provider: Address | None = None
) -> int:
    """Requests that are neither answered nor over."""
    conditions = _requests(chain_id, now, buyer=buyer, provider=provider, status="pending")
    return session.exec(select(func.count()).select_from(StatementRow).where(*conditions)).one()


def quote_requests(
    session: Session,
    chain_id: ChainId,
    now: int,
    *,
    buyer: Address | None,
    provider: Address | None,
    status: str | None,
    after: int | None,
    limit: int,
) -> Sequence[StatementRow]:
    """Requests by age, the oldest first."""
    query = select(StatementRow).where(*_requests(chain_id, now, buyer=buyer, provider=provider, status=status))
    if after is not None:
        query = query.where(col(StatementRow.sequence) > after)
    return session.exec(query.order_by(col(StatementRow.sequence)).limit(limit)).all()


def count_by(session: Session, chain_id: ChainId, kind: StatementKind, subject: Bytes32, signer: Address) -> int:
    """Statements of a kind about one thing by one signer."""
    conditions = (
        col(StatementRow.chain_id) == chain_id,
        col(StatementRow.kind) == kind.value,
        col(StatementRow.subject) == subject,
        col(StatementRow.signer) == signer,
    )
    return session.exec(select(func.count()).select_from(StatementRow).where(*conditions)).one()


def _of(chain_id: ChainId, kind: StatementKind | None = None) -> SelectOfScalar[StatementRow]:
    query = select(StatementRow).where(col(StatementRow.chain_id) == chain_id)
    return query if kind is None else query.where(col(StatementRow.kind) == kind.value)


def _open_ask(chain_id: ChainId, now: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(StatementRow.chain_id) == chain_id,
        col(StatementRow.kind) == StatementKind.ASK.value,
        col(StatementRow.valid_until) > now,
        ~_followed_by(StatementKind.ASK_WITHDRAWAL),
    )


def _requests(
    chain_id: ChainId, now: int, *, buyer: Address | None, provider: Address | None, status: str | None
) -> tuple[ColumnElement[bool], ...]:
    conditions = [
        col(StatementRow.chain_id) == chain_id,
        col(StatementRow.kind) == StatementKind.QUOTE_REQUEST.value,
    ]
    if buyer is not None:
        conditions.append(col(StatementRow.signer) == buyer)
    if provider is not None:
        conditions.append(col(StatementRow.provider) == provider)
    match status:
        case "pending":
            conditions += [~_followed_by(*_ANSWERS), col(StatementRow.valid_until) > now]
        case "expired":
            conditions += [~_followed_by(*_ANSWERS), col(StatementRow.valid_until) <= now]
        case "quoted":
            conditions.append(_followed_by(StatementKind.QUOTE))
        case "refused":
            conditions.append(_followed_by(StatementKind.REFUSAL))
    return tuple(conditions)


def _followed_by(*kinds: StatementKind) -> ColumnElement[bool]:
    """Whether a statement of one of ``kinds`` is about the row at hand."""
    later = aliased(StatementRow)
    return (
        select(later.sequence)
        .where(
            col(later.chain_id) == col(StatementRow.chain_id),
            col(later.kind).in_([kind.value for kind in kinds]),
            col(later.subject) == col(StatementRow.id),
        )
        .exists()
    )
