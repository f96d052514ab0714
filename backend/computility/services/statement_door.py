"""What the doors of the journal share: who may come in at all, and one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import InvalidMessage, ProviderNotActive
from computility.domain.identifiers import Address
from computility.domain.statements import SignedStatement, StatementKind, read_statement
from computility.services.change_feed import ChangeFeed
from computility.services.journal import Journal
from computility.services.ledger import Ledger


class StatementDoor:
    """A way for signed statements into the journal.

    ``members_of`` is who serves in a committee, ``clock`` the chain's time in seconds.
    """

    def __init__(
        self,
        domain: Eip712Domain,
        journal: Journal,
        ledger: Ledger,
        members_of: Callable[[Address], tuple[Address, ...]],
        feed: ChangeFeed,
        clock: Callable[[], int],
    ) -> None:
        self._domain = domain
        self._journal = journal
        self._ledger = ledger
        self._members_of = members_of
        self._feed = feed
        self._clock = clock
        # Counting and adding are one step, so that parallel requests cannot pass a limit together.
        self._door = threading.Lock()

    def _read(
        self, kind: StatementKind, message_type: type[Any], envelope: Mapping[str, Any]
    ) -> tuple[SignedStatement, Any]:
        """The statement in an envelope, and its message.

        Raises:
            InvalidMessage: it does not fit, or is of another kind.
            InvalidSignature: the signature is none.
        """
        given = envelope.get("kind") or kind.value
        if given != kind.value:
            raise InvalidMessage(f"this operation takes a statement of kind {kind.value}, not {given}")
        signed = read_statement({**envelope, "kind": kind.value}, self._domain)
        assert isinstance(signed.message, message_type)
        return signed, signed.message

    def _demand_active(self, provider: Address) -> None:
        record = self._ledger.provider(provider)
        if record is None or not record.active:
            raise ProviderNotActive(f"{provider} is not an active provider: register with a stake first")
