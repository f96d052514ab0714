"""Reader keys in the journal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from computility.api.schemas.statements import Signed, Statement
from computility.api.schemas.wire import Address, Bytes32, Message, Page, Time

ReaderNoticeKind = Literal["reader-notice"]


class ReaderNoticeMessage(Message):
    """The key to which jobs are sealed for an account."""

    account: Address
    key: Annotated[Bytes32, Field(description="X25519 public key.")]
    at: Time


class SignedReaderNotice(Signed[ReaderNoticeKind, ReaderNoticeMessage]):
    """A notice on its way in."""


class ReaderNoticeStatement(Statement[ReaderNoticeKind, ReaderNoticeMessage]):
    """A notice in the journal."""


class ReaderNoticePage(Page[ReaderNoticeStatement]):
    """Notices of an account, the newest first: that one stands."""
