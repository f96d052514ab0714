"""Keeps a provider's asks on the market as its settings say: posts what is missing, renews what runs out, takes back what is no longer meant.

It keeps nothing of its own: what stands on the market is what the node's journal says.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from computility.domain.identifiers import Bytes32
from computility.domain.statements import Ask, AskWithdrawal, read_statement
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)

_RENEW_AT: Final = 0.25
"""Share of its life that is left when an ask is renewed."""


@dataclass(frozen=True)
class KeptAsk:
    """An ask as it is meant; ``ask.valid_until`` and ``ask.nonce`` do not matter. ``valid_for_s``: for how long each is posted."""

    ask: Ask
    valid_for_s: int

    def is_meant_by(self, posted: Ask) -> bool:
        """Whether a posted ask says the same."""
        return replace(posted, valid_until=0, nonce=0) == replace(self.ask, valid_until=0, nonce=0)


class AskKeeper:
    """One provider's asks."""

    def __init__(self, account: TradingAccount, node: NodeClient, wanted: Sequence[KeptAsk]) -> None:
        self._account = account
        self._node = node
        self._wanted = tuple(wanted)

    def tend(self) -> int:
        """Bring the market to what is wanted. How many statements that took; none where all is well."""
        now = self._account.chain_time()
        posted = self._posted()
        published = 0
        meant: set[Bytes32] = set()
        for kept in self._wanted:
            alive = {ask_id: ask for ask_id, ask in posted.items() if kept.is_meant_by(ask)}
            meant |= alive.keys()
            if any(ask.valid_until - now > kept.valid_for_s * _RENEW_AT for ask in alive.values()):
                continue
            # The old one is left to run out: whoever is about to take it still can.
            fresh = self._account.sign(replace(kept.ask, valid_until=now + kept.valid_for_s, nonce=now))
            self._node.publish(fresh)
            published += 1
            _log.info("posted ask %s", fresh.id)
        for ask_id in posted.keys() - meant:
            self._node.publish(self._account.sign(AskWithdrawal(self._account.address, ask_id, now)))
            published += 1
            _log.info("withdrew ask %s", ask_id)
        return published

    def withdraw_all(self) -> int:
        """Take every ask back. How many there were."""
        now = self._account.chain_time()
        posted = self._posted()
        for ask_id in posted:
            self._node.publish(self._account.sign(AskWithdrawal(self._account.address, ask_id, now)))
        return len(posted)

    def _posted(self) -> dict[Bytes32, Ask]:
        asks: dict[Bytes32, Ask] = {}
        for row in self._node.asks(provider=self._account.address):
            signed = read_statement(row["ask"], self._account.ledger.domain)
            if isinstance(signed.message, Ask) and signed.signer == self._account.address:
                asks[signed.id] = signed.message
        return asks
