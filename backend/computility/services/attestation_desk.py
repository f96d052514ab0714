"""Brings verifiers' words to the escrow, together where several are ready."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from computility.chain.transaction_sender import Receipt
from computility.domain.attestation import Attestation
from computility.domain.errors import ComputilityError
from computility.domain.terms import Terms
from computility.services.trading_account import TradingAccount

MOST_AT_ONCE: Final = 50
"""Words in one transaction: about 8 million gas at most, which fits into a block of any chain that we know."""


@dataclass
class _Word:
    terms: Terms
    attestation: Attestation
    signatures: str
    gas: int = 0
    brought: Future[Receipt] = field(default_factory=Future)

    @property
    def item(self) -> tuple[Terms, Attestation, str]:
        return self.terms, self.attestation, self.signatures


class AttestationDesk:
    """One account's desk, safe to use from several threads. Nobody waits for company: words that become ready while a transaction is being mined
    go together in the next one, at less than half of the gas each. A word that the escrow refuses keeps no other from being heard."""

    def __init__(self, account: TradingAccount) -> None:
        self._account = account
        self._waiting: list[_Word] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()

    def bring(self, terms: Terms, attestation: Attestation, signatures: str) -> Receipt:
        """Bring one word, and return the transaction that did.

        Raises:
            ContractReverted: the escrow refuses this word.
            ChainError: the endpoint fails, or the transaction was not mined.
        """
        word = _Word(terms, attestation, signatures)
        with self._lock:
            self._waiting.append(word)
        # Whose turn it is sends for all who wait; the others find their words brought when theirs comes.
        while not word.brought.done():
            with self._sending:
                with self._lock:
                    batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                self._send(batch)
        return word.brought.result()

    @property
    def waiting(self) -> int:
        """Words that wait for their transaction to be sent."""
        with self._lock:
            return len(self._waiting)

    def _send(self, batch: list[_Word]) -> None:
        try:
            ready = [word for word in batch if self._is_welcome(word)]
            if len(ready) == 1:
                ready[0].brought.set_result(self._account.attest(*ready[0].item))
            elif ready:
                self._send_together(ready)
        except Exception as error:  # noqa: BLE001  # it is raised where each word was brought
            for word in batch:
                if not word.brought.done():
                    word.brought.set_exception(error)

    def _is_welcome(self, word: _Word) -> bool:
        """Whether the escrow would take it now; if not, its bringer learns why."""
        try:
            word.gas = self._account.gas_of_attest(*word.item)
        except ComputilityError as error:
            word.brought.set_exception(error)
            return False
        return True

    def _send_together(self, words: list[_Word]) -> None:
        receipt, skipped = self._account.attest_many([word.item for word in words], sum(word.gas for word in words))
        for word in words:
            why = skipped.get(word.attestation.job)
            if why is None:
                word.brought.set_result(receipt)
            else:
                word.brought.set_exception(why)
