"""The values that messages are made of, as they travel in JSON.

Amounts and units are decimal strings, because a JSON number loses digits beyond 2^53. Addresses and hashes are ``0x``
hex. Times are whole UTC seconds.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

_MAX_UINT32 = 2**32 - 1
_MAX_TIME = 2**40 - 1
_MAX_NONCE = 2**47 - 2

Address = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$"),
    Field(
        description="Account, checksummed (EIP-55) in answers.", examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]
    ),
]
Bytes32 = Annotated[
    str,
    StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$"),
    Field(description="32 bytes.", examples=["0x5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02"]),
]
Signature = Annotated[
    str,
    StringConstraints(pattern=r"^0x([0-9a-fA-F]{128}|[0-9a-fA-F]{130})$"),
    Field(description="65 bytes (r, s, v), or 64 as in EIP-2098.", examples=["0x" + "1b" * 65]),
]
Amount = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9][0-9]{0,31})$"),
    Field(description="Credits in units of 10^-18, at most 2^104 - 1.", examples=["1000000000000000"]),
]
Delta = Annotated[
    str,
    StringConstraints(pattern=r"^(0|-?[1-9][0-9]{0,38})$"),
    Field(description="A change of an amount, in units of 10^-18 credits.", examples=["-1000000000000000"]),
]
Units = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9][0-9]{0,19})$"),
    Field(description="Units of the resource's metric, uint64.", examples=["1500"]),
]
Time = Annotated[int, Field(ge=0, le=_MAX_TIME, description="UTC seconds.", examples=[1790000000])]
Window = Annotated[int, Field(ge=0, le=_MAX_UINT32, description="Seconds.", examples=[3600])]
Nonce = Annotated[int, Field(ge=0, le=_MAX_NONCE, examples=[1])]
Bps = Annotated[int, Field(ge=0, le=10_000, description="Basis points.", examples=[250])]
ContentIdText = Annotated[
    str,
    StringConstraints(pattern=r"^b[a-z2-7]{58}$"),
    Field(
        description="CIDv1, raw codec, SHA-256, base32.",
        examples=["bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"],
    ),
]
Confirmation = Annotated[
    Literal["latest", "safe", "finalized"], Field(description="How settled the newest block is that it rests on.")
]
BlockNumber = Annotated[int, Field(ge=0, examples=[42])]

ItemT = TypeVar("ItemT")


class Message(BaseModel):
    """The message of a signed statement: camelCase on the wire, exactly the fields of its EIP-712 type."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Answer(BaseModel):
    """What an operation answers with."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Page(Answer, Generic[ItemT]):
    """One page of a list. Pass ``next`` as ``cursor`` to get the following one; null means that this was the last."""

    items: list[ItemT]
    next: Annotated[str | None, Field(description="Cursor of the following page.", examples=[None])] = None
