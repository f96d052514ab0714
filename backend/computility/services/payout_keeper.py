"""Brings what a provider earned from the escrow to its wallet: one transfer for many jobs, once it is worth a transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from computility.chain.transaction_sender import Receipt
from computility.domain.units import format_credits
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PayoutPolicy:
    """Amounts in atoms of credit. Above ``keep`` and ``withdraw_above`` together, all but ``keep`` is withdrawn; None never withdraws."""

    withdraw_above: int | None = None
    keep: int = 0


class PayoutKeeper:
    """One provider's free balance."""

    def __init__(self, account: TradingAccount, policy: PayoutPolicy) -> None:
        self._account = account
        self._policy = policy

    def tend(self, promised: int = 0) -> Receipt | None:
        """Withdraw if it pays. ``promised``: atoms that quotes already count on as bonds."""
        if self._policy.withdraw_above is None:
            return None
        amount = due(self._policy, self._account.balance().free - promised)
        if amount == 0:
            return None
        receipt = self._account.withdraw(amount)
        _log.info("withdrew %s credits: %s", format_credits(amount), receipt.tx_hash)
        return receipt


def due(policy: PayoutPolicy, free: int) -> int:
    """What is to be withdrawn of a free balance."""
    if policy.withdraw_above is None or free < policy.keep + policy.withdraw_above:
        return 0
    return free - policy.keep
