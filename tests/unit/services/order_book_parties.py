"""Parties with real keys, and an order book on a real journal, for the tests of what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_keys.datatypes import PrivateKey
from sqlmodel import Session
from tests.empty_database import open_empty

from computility.chain.deployments import Deployments, Generation
from computility.domain.attestation import Attestation, Verdict
from computility.domain.eip712 import Eip712Domain
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, chain_id_of
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.domain.provider import ProviderRecord
from computility.domain.resource import parse_resource
from computility.domain.statements import Ask, Quote, QuoteRequest, Statement, Submission, sign_statement
from computility.domain.statistics import TOTAL, Scope, Tally
from computility.domain.terms import Terms
from computility.services.change_feed import ChangeFeed
from computility.services.exclusions import Exclusions
from computility.services.journal import Journal
from computility.services.order_book import OrderBook
from computility.services.stored_ledger import StoredLedger
from computility.settings import NodeSettings
from computility.store import ledgers
from computility.store.engine import Database
from computility.store.job_at_rest import job_row, packed_row
from computility.store.ledgers import LIVE
from computility.store.projected import JOBS, PROVIDERS
from computility.store.statistics import StatisticsRow
from computility.verification.quorum import QuorumRule

CHAIN_ID = chain_id_of(31337)
REGISTRY = Address("0x00000000000000000000000000000000000000A1")
SCORES = Address("0x00000000000000000000000000000000000000A2")
DOMAIN = Eip712Domain(31337, Address("0x5FbDB2315678afecb367f032d93F642f64180aa3"))
NOW = 1_790_000_000
HEAD = 40
"""The chain's newest block."""
URN = "urn:computility:wasm:wasmtime:2x:1g:eu-west:aurora:0001:mfuel"
COMMITTEE = Address("0x00000000000000000000000000000000000000C0")


@dataclass(frozen=True)
class Party:
    """Somebody with a key."""

    key: bytes

    @property
    def address(self) -> Address:
        """Whom the key belongs to."""
        return Address(PrivateKey(self.key).public_key.to_checksum_address())

    def sign(self, message: Statement, domain: Eip712Domain = DOMAIN) -> dict[str, Any]:
        """The envelope of a message under this key."""
        return sign_statement(message, domain, self.key, self.address).to_json()


BUYER, PROVIDER, VERIFIER, MEMBER, STRANGER, OTHER_PROVIDER = (Party(bytes([n]) * 32) for n in range(1, 7))


class Clock:
    """The chain's time, as the test sets it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Book:
    """An order book and what it stands on. ``made`` is when blocks were."""

    door: OrderBook
    journal: Journal
    ledger: StoredLedger
    database: Database
    clock: Clock
    feed: ChangeFeed
    made: dict[int, int]
    exclusions: Exclusions

    def open_job(self, terms: Terms, *, closed: bool = False, **fields: Any) -> Bytes32:
        """Put a job on the ledger, with these fields of its record."""
        job = terms.job_id(DOMAIN)
        state = JobState.CLOSED if closed else JobState.OPEN
        with self.database.bulk_work() as (session, writer):
            record = JobRecord(job, state, terms, **fields)
            writer.upsert(JOBS.table, [packed_row(job_row(_live(session), 1, record))])
            if closed:
                sums = Tally(failed=record.outcome is Outcome.FAIL, ruled=record.closed_by is ClosedBy.RULED)
                subject = bytes.fromhex(terms.provider[2:]).rjust(32, b"\0")
                place = {"ledger": _live(session), "scope": int(Scope.PROVIDER), "day": TOTAL, "subject": subject}
                session.merge(StatisticsRow(**place, **sums._asdict()))
        return job

    def register(self, provider: Party, **changes: Any) -> None:
        """Let a provider enter, or change it."""
        record = ProviderRecord(provider.address, **{"stake": 10**18, "registered_at": NOW, **changes})
        key = bytes.fromhex(REGISTRY[2:]), bytes.fromhex(provider.address[2:])
        with self.database.bulk_work() as (session, writer):
            writer.upsert(PROVIDERS.table, [PROVIDERS.to_row(_live(session), key, record)])


def _live(session: Session) -> int:
    row = ledgers.ledger_in_state(session, CHAIN_ID, LIVE) or ledgers.add_ledger(session, CHAIN_ID, 1, LIVE)
    assert row.id is not None
    return row.id


def open_book(folder: Any, **limits: int) -> Book:
    """An order book with nothing in it but two active providers."""
    database = open_empty(folder / "node.sqlite")
    contracts = {"JobEscrow": DOMAIN.escrow, "ProviderRegistry": REGISTRY, "CreditScores": SCORES}
    deployments = Deployments(DOMAIN.chain_number, (Generation(1, 0, ZERO_BYTES32, NOW, contracts),))
    ledger = StoredLedger(database, deployments)
    journal, clock = Journal(CHAIN_ID, database.unit_of_work), Clock()
    made: dict[int, int] = {}
    settings = NodeSettings.model_validate(limits)
    feed = ChangeFeed(settings.max_waiters, settings.max_streams)
    exclusions = Exclusions(ledger, lambda: [COMMITTEE], QuorumRule())
    book = Book(
        OrderBook(
            DOMAIN,
            journal,
            ledger,
            _members_of,
            feed,
            settings,
            clock,
            lambda: HEAD,
            exclusions,
            made.get,
        ),
        journal,
        ledger,
        database,
        clock,
        feed,
        made,
        exclusions,
    )
    for provider in (PROVIDER, OTHER_PROVIDER):
        book.register(provider)
    return book


def _members_of(verifier: Address) -> tuple[Address, ...]:
    return (MEMBER.address,) if verifier == COMMITTEE else ()


def ask(provider: Party = PROVIDER, **changes: Any) -> Ask:
    """A sound ask."""
    fields: dict[str, Any] = {
        "provider": provider.address,
        "resource": URN,
        "environment": "wasi-p1/wasmtime-50.0.1/0123456789abcdef",
        "unit_price": 10**15,
        "min_units": 1,
        "max_units": 10_000,
        "bond_bps": 2_000,
        "max_concurrent": 2,
        "verifiers": (),
        "arbiters": (),
        "dispute_window": 60,
        "sla": ZERO_BYTES32,
        "valid_until": NOW + 3_600,
        "nonce": 1,
    }
    return Ask(**{**fields, **changes})


def request(of: Ask, **changes: Any) -> QuoteRequest:
    """A sound request for ``of``."""
    fields: dict[str, Any] = {
        "buyer": BUYER.address,
        "payer": BUYER.address,
        "ask": of.digest(DOMAIN),
        "spec": Bytes32("0x" + "5e" * 32),
        "max_units": 2_000,
        "verifier": VERIFIER.address,
        "arbiter": ZERO_ADDRESS,
        "verifier_fee": 10**16,
        "arbiter_fee": 0,
        "end": 0,
        "valid_until": NOW + 300,
        "nonce": 1,
    }
    return QuoteRequest(**{**fields, **changes})


def terms(of: QuoteRequest, behind: Ask, **changes: Any) -> Terms:
    """Terms that are what ``of`` asks for."""
    fields: dict[str, Any] = {
        "buyer": of.buyer,
        "payer": of.payer,
        "provider": behind.provider,
        "verifier": of.verifier,
        "arbiter": of.arbiter,
        "guard": ZERO_ADDRESS,
        "order": of.digest(DOMAIN),
        "resource": parse_resource(behind.resource).id,
        "spec": of.spec,
        "sla": behind.sla,
        "unit_price": behind.unit_price,
        "min_units": behind.min_units,
        "max_units": of.max_units,
        "bond": behind.unit_price * of.max_units * behind.bond_bps // 10_000,
        "verifier_fee": of.verifier_fee,
        "arbiter_fee": of.arbiter_fee,
        "open_by": NOW + 120,
        "end": NOW + 3_000,
        "pass_window": 0,
        "dispute_window": behind.dispute_window,
        "ruling_window": 0,
        "max_fee_bps": 500,
        "nonce": 7,
    }
    return Terms(**{**fields, **changes})


def quote(of: QuoteRequest, behind: Ask, **changes: Any) -> Quote:
    """A quote that answers ``of``."""
    signed = terms(of, behind, **changes)
    return Quote(signed.order, signed)


def submission(job: Bytes32, **changes: Any) -> Submission:
    """A sound submission."""
    fields: dict[str, Any] = {
        "job": job,
        "attempt": 1,
        "result": Bytes32("0x" + "77" * 32),
        "units": 1_500,
        "environment": Bytes32("0x" + "99" * 32),
        "submitted_at": NOW,
    }
    return Submission(**{**fields, **changes})


def attestation(job: Bytes32, **changes: Any) -> Attestation:
    """A sound pass."""
    fields: dict[str, Any] = {
        "job": job,
        "verdict": Verdict.PASS,
        "result": Bytes32("0x" + "77" * 32),
        "units": 1_500,
        "is_final": True,
        "quality_bps": 10_000,
        "meter_root": ZERO_BYTES32,
        "evidence": Bytes32("0x" + "88" * 32),
    }
    return Attestation(**{**fields, **changes})


def with_message(envelope: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The envelope with fields of its message changed after signing."""
    unsigned = {name: value for name, value in envelope.items() if name != "id"}
    return {**unsigned, "message": {**envelope["message"], **changes}}
