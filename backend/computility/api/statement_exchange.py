"""Signed statements between HTTP and the services: the same way in and out for every kind."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Response, status

from computility.api.schemas.statements import Signed, Statement
from computility.services.incoming import Accepted, IncomingStatement, JournalEntry

StatementT = TypeVar("StatementT", bound=Statement[Any, Any])


def incoming(signed: Signed[Any, Any]) -> IncomingStatement:
    """What a client sent, as the services take it."""
    return IncomingStatement(
        message=signed.message.model_dump(mode="json", by_alias=True),
        signature=signed.signature,
        claimed_id=signed.id,
        claimed_signer=signed.signer,
    )


def outgoing(entry: JournalEntry, model: type[StatementT]) -> StatementT:
    """A journal entry as clients read it."""
    return model.model_validate(entry, from_attributes=True)


def answer_with(accepted: Accepted, model: type[StatementT], response: Response) -> StatementT:
    """The entry; 201 when it is new, 200 when the node had it already."""
    response.status_code = status.HTTP_201_CREATED if accepted.created else status.HTTP_200_OK
    return outgoing(accepted.entry, model)
