"""Words that become ready while a transaction is being mined go together in the next.

the desk
├── several words wait: one transaction brings them, and one that the escrow refuses keeps no other from being heard
└── a word that is overtaken inside a batch: skipped, and its bringer told why
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.integration.ledger_on_chain import PROVIDER, RESULT, VERIFIER, LedgerOnChain
from tests.integration.waiting import wait

from computility.chain.transaction_sender import Receipt
from computility.domain.attestation import Attestation, Verdict
from computility.domain.errors import ContractReverted
from computility.domain.identifiers import ZERO_BYTES32
from computility.domain.job import JobState
from computility.domain.terms import Terms
from computility.services.attestation_desk import AttestationDesk

PATIENCE_S = 60.0


def word_on(ledger: LedgerOnChain, terms: Terms) -> tuple[Terms, Attestation, str]:
    job = terms.job_id(ledger.deployments.domain)
    said = Attestation(job, Verdict.PASS, RESULT, 60, True, 10_000, ZERO_BYTES32, RESULT)
    return terms, said, ledger.accounts[VERIFIER].sign(said).signature


def state(ledger: LedgerOnChain, terms: Terms) -> JobState:
    return ledger.accounts[PROVIDER].job(terms.job_id(ledger.deployments.domain)).state


def test_words_that_wait__go_in_one_transaction__and_a_refused_one_alone_fails(ledger: LedgerOnChain) -> None:
    first, *others, closed = [ledger.open() for _ in range(5)]
    ledger.attest(closed)
    desk = AttestationDesk(ledger.accounts[PROVIDER])
    with ThreadPoolExecutor(5) as pool:

        def bring(terms: Terms) -> Future[Receipt]:
            return pool.submit(desk.bring, *word_on(ledger, terms))

        ledger.control.call("evm_setAutomine", False)
        alone = bring(first)
        wait(lambda: int(ledger.control.call("txpool_status")["pending"], 16) == 1)
        together = [bring(terms) for terms in (*others, closed)]
        wait(lambda: desk.waiting == 4)
        ledger.control.call("evm_setAutomine", True)
        ledger.mine()

        receipts = {future.result(PATIENCE_S).tx_hash for future in together[:3]}
        assert len(receipts) == 1
        assert alone.result(PATIENCE_S).tx_hash not in receipts
        with pytest.raises(ContractReverted, match="not in a state"):
            together[3].result(PATIENCE_S)
    assert {state(ledger, terms) for terms in (first, *others)} == {JobState.CLOSED}


def test_a_word_that_is_overtaken_in_a_batch__is_skipped__and_the_others_stand(ledger: LedgerOnChain) -> None:
    overtaken, other = ledger.open(), ledger.open()
    ledger.attest(overtaken)
    provider = ledger.accounts[PROVIDER]

    _, skipped = provider.attest_many([word_on(ledger, overtaken), word_on(ledger, other)], 1_000_000)

    assert list(skipped) == [overtaken.job_id(ledger.deployments.domain)]
    assert "WrongState" in str(skipped[overtaken.job_id(ledger.deployments.domain)])
    assert state(ledger, other) is JobState.CLOSED
