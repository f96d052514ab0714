"""What a provider makes of a sealed order before it quotes: a verifier that could not read it would leave the work unpaid.

an order that is sealed to provider and verifier
├── as `buy --seal` or the web app seals it → quoted
├── with nonsense in the verifier's box, or another job's key → refused, and it says whose
└── with nonsense in the provider's own box → refused
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from nacl.public import PublicKey, SealedBox
from tests.unit.services.order_book_parties import BUYER, DOMAIN, PROVIDER, VERIFIER
from tests.unit.verification.scripted_executor import ENVIRONMENT, LIMITS

from computility.domain.errors import QuoteRefused
from computility.domain.identifiers import ZERO_BYTES32
from computility.domain.quoting import ProviderPolicy
from computility.domain.task_specification import TaskSpecification
from computility.execution.executor_set import ExecutorSet
from computility.execution.reader_key import ReaderKey, seal_specification
from computility.services import quote_desk
from computility.services.quote_desk import QuoteDesk

KEYS = {party: ReaderKey.of_account(party.key) for party in (BUYER, PROVIDER, VERIFIER)}


@dataclass(frozen=True)
class Account:
    """As much of the provider's account as the desk asks here."""

    address: str = PROVIDER.address

    @property
    def ledger(self) -> Any:
        return type("Ledger", (), {"domain": DOMAIN})

    def reader_key(self) -> ReaderKey:
        return KEYS[PROVIDER]


class Node:
    """A node without a committee."""

    def config(self) -> dict[str, Any]:
        return {"committee": None}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> QuoteDesk:
    told = {party.address: key.public for party, key in KEYS.items()}
    monkeypatch.setattr(
        quote_desk, "told_reader_keys", lambda _, accounts, __: {account: told[account] for account in accounts}
    )
    account: Any = Account()
    node: Any = Node()
    return QuoteDesk(account, node, ExecutorSet([]), ProviderPolicy(verifiers=(VERIFIER.address,)))


def order() -> TaskSpecification:
    plain = TaskSpecification("process", ENVIRONMENT, (), ("run",), (), LIMITS, 0, ZERO_BYTES32)
    return seal_specification(plain, {}, [key.public for key in KEYS.values()])[0]


def boxed(specification: TaskSpecification, whose: ReaderKey, box: bytes) -> TaskSpecification:
    """The same with something else in a reader's box."""
    assert specification.sealing is not None
    readers = tuple(
        replace(reader, box="0x" + box.hex()) if reader.key == whose.public else reader
        for reader in specification.sealing.readers
    )
    return replace(specification, sealing=replace(specification.sealing, readers=readers))


def test_an_order_as_our_clients_seal_it__is_quoted(desk: QuoteDesk) -> None:
    desk._refuse_what_verifiers_cannot_read(order(), VERIFIER.address)


def test_nonsense_in_the_verifiers_box__is_refused_before_any_work(desk: QuoteDesk) -> None:
    key = KEYS[VERIFIER]
    other = SealedBox(PublicKey(bytes.fromhex(key.public[2:]))).encrypt(bytes(64))
    for box in (bytes(112), bytes(other)):
        with pytest.raises(QuoteRefused, match=VERIFIER.address) as refused:
            desk._refuse_what_verifiers_cannot_read(boxed(order(), key, box), VERIFIER.address)
        assert refused.value.reason == "sealed-from-verifiers"
    # What is in a box that nobody is counted on for, is its reader's own matter.
    desk._refuse_what_verifiers_cannot_read(boxed(order(), KEYS[BUYER], bytes(112)), VERIFIER.address)


def test_nonsense_in_the_providers_own_box__is_refused(desk: QuoteDesk) -> None:
    with pytest.raises(QuoteRefused, match="cannot be opened") as refused:
        desk._refuse_what_verifiers_cannot_read(boxed(order(), KEYS[PROVIDER], bytes(112)), VERIFIER.address)
    assert refused.value.reason == "box-unfit"
