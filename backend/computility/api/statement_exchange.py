"""Signed statements between HTTP and the services: the same way in and out for every kind."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Response, status

from computility.api.problems import problems
from computility.api.schemas.statements import Signed, Statement
from computility.services.journal import Accepted, JournalEntry

StatementT = TypeVar("StatementT", bound=Statement[Any, Any])


def incoming(signed: Signed[Any, Any]) -> dict[str, Any]:
    """What a client sent, as the envelope that the domain reads."""
    return {
        "kind": signed.kind,
        "id": signed.id.lower() if signed.id else None,
        "signer": signed.signer,
        "message": signed.message.model_dump(mode="json", by_alias=True),
        "signature": signed.signature,
    }


def outgoing(entry: JournalEntry, model: type[StatementT]) -> StatementT:
    """A journal entry as clients read it."""
    return model.model_validate({**entry.statement.to_json(), "received_at": entry.received_at})


def answers(model: type[StatementT], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of an operation that takes a statement in, beside its 201: the entry of before, and problems."""
    return {200: {"model": model, "description": "The node had it already"}, **problems(*statuses)}


def answer_with(accepted: Accepted, model: type[StatementT], response: Response) -> StatementT:
    """The entry; 201 when it is new, 200 when the node had it already."""
    response.status_code = status.HTTP_201_CREATED if accepted.created else status.HTTP_200_OK
    return outgoing(accepted.entry, model)
