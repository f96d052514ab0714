"""An error, as RFC 9457 has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class InvalidParameter(BaseModel):
    """One part of a request that does not fit its schema."""

    location: Annotated[str, Field(examples=["body.message.unitPrice"])]
    message: Annotated[str, Field(examples=["String should match pattern '^(0|[1-9][0-9]{0,31})$'"])]


class Problem(BaseModel):
    """Why the operation was refused, and what to do about it. ``code`` is stable; ``detail`` is for people."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:computility:problem:invalid-signature",
                    "title": "Invalid signature",
                    "status": 422,
                    "detail": "The signature is not by 0x7099…79C8: sign with the key of the account that it names.",
                    "code": "invalid-signature",
                    "instance": "/v1/asks",
                }
            ]
        },
    )

    type: Annotated[str, Field(description="A URN that ends in ``code``.")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    instance: Annotated[str | None, Field(description="The path that was asked for.")] = None
    errors: Annotated[
        list[InvalidParameter] | None, Field(description="Where the request does not fit its schema.")
    ] = None
