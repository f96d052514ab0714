"""The proof of a trade that a jury ruled on holds all that the institutions around it wrote of it, tied to the job by what the escrow says.

Invariant: of the logs of all the chain, a bundle holds every one that tells of its trade, and a log of another trade in none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.audit.test_trade_proof import told_by_the_page, told_here
from tests.integration.ledger_on_chain import (
    BUYER,
    OTHER_PROVIDER,
    RESULT,
    LedgerOnChain,
    deploy_ledger,
)

from computility.chain.connection import ChainConnection
from computility.chain.keystore import development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain
from computility.chain.log_decoding import decode_log, parse_raw_log
from computility.domain.attestation import Attestation, Verdict
from computility.domain.canonical_json import canonical_json
from computility.domain.errors import InvalidProof
from computility.domain.events import StakeReleased, StakeReserved, StakeSlashed
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.institution_events import (
    ArbiterPenalised,
    BlockRecorded,
    FeeClaimed,
    MemberSlashed,
    Ruling,
    VoteRevealed,
)
from computility.domain.job import JobState
from computility.domain.statements import SignedStatement
from computility.domain.terms import Terms
from computility.services.arbiter_seat import ArbiterSeat
from computility.services.attestation_aggregate import packed_signatures
from computility.services.committee_seat import CommitteeSeat
from computility.services.proof_builder import ProofBuilder
from computility.services.trade_logs import left_out
from computility.services.trade_proof import VerifiedTrade, verify_bundle

MEMBERS: Final = (5, 6, 7)
"""They verify, and sit as arbiters too: the panel shuts out the parties of a job only."""
OF_THE_FIRST_VERSION: Final = Path(__file__).resolve().parents[2] / "vectors" / "trade-proof-version-1.json"


@dataclass(frozen=True)
class Disputed:
    """A trade that its committee passed, its buyer disputed and a jury ruled against, and another one of the same provider."""

    ledger: LedgerOnChain
    job: Bytes32
    other: Bytes32


@pytest.fixture(scope="module")
def disputed(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> Disputed:
    arbiters = [Address(development_account(DEVELOPMENT_MNEMONIC, index).address) for index in MEMBERS]
    ledger = deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"), MEMBERS, arbiters=arbiters)
    for index in MEMBERS:
        ArbiterSeat(ledger.accounts[index]).join()
    other = open_with_jury(ledger)  # before the ruling, which takes its provider off the list
    job = ruled_on(ledger)
    return Disputed(ledger, job, other.job_id(ledger.deployments.domain))


def open_with_jury(ledger: LedgerOnChain) -> Terms:
    """A job of the committee's and the arbitration's, whose bond is all that its provider has and some of its stake."""
    provider = ledger.accounts[OTHER_PROVIDER]
    jury = ArbiterSeat(provider)
    return ledger.open(
        OTHER_PROVIDER,
        verifier=CommitteeSeat(provider).address,
        arbiter=jury.address,
        arbiter_fee=jury.cost(),
        bond=provider.balance().free + provider.free_stake() // 4,
        pass_window=100,
        ruling_window=2 * jury.time_needed(),
    )


def pass_by_committee(ledger: LedgerOnChain, terms: Terms) -> tuple[Attestation, list[SignedStatement]]:
    attestation = Attestation(
        terms.job_id(ledger.deployments.domain), Verdict.PASS, RESULT, 60, True, 10_000, ZERO_BYTES32, RESULT
    )
    signed = [ledger.accounts[index].sign(attestation) for index in MEMBERS[:2]]
    packed = attestation.STRUCT.encode(attestation.values()) + packed_signatures(signed)
    ledger.accounts[OTHER_PROVIDER].attest(terms, attestation, "0x" + packed.hex())
    return attestation, signed


def ruled_on(ledger: LedgerOnChain) -> Bytes32:
    """Passed, disputed, ruled on: most of the bond is slashed, and so are the members who passed it."""
    terms = open_with_jury(ledger)
    job, buyer = terms.job_id(ledger.deployments.domain), ledger.accounts[BUYER]
    attestation, signed = pass_by_committee(ledger, terms)
    buyer.send(buyer.contract("VerifierCommittee"), "recordBlock", opened_in(ledger, job))
    buyer.dispute(terms)
    jury = ArbiterSeat(buyer)
    jury.bring(terms)
    buyer.send(buyer.contract("Arbitration"), "submitEvidence", jury.required(job).id, "ipfs://log")
    jury.draw(jury.required(job))
    votes = dict(zip(MEMBERS, ((10, 9_000), (20, 9_000), (60, 0)), strict=True))
    for index, vote in votes.items():
        ArbiterSeat(ledger.accounts[index]).vote(jury.required(job), *vote)
    ledger.pass_time(601)
    for index in MEMBERS[:2]:
        ArbiterSeat(ledger.accounts[index]).reveal(jury.required(job), *votes[index])
    ledger.pass_time(901)
    jury.execute(jury.required(job), terms)
    CommitteeSeat(buyer).slash(terms, attestation, signed)
    return job


def opened_in(ledger: LedgerOnChain, job: Bytes32) -> int:
    escrow = ledger.deployments.newest.address_of("JobEscrow")
    logs = ledger.rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": escrow, "topics": [None, job]})
    return parse_raw_log(logs[0]).block_number


def build(disputed: Disputed, job: Bytes32) -> tuple[bytes, VerifiedTrade]:
    return ProofBuilder(ChainConnection(disputed.ledger.rpc), disputed.ledger.deployments).build(job)


@pytest.fixture(scope="module")
def proven(disputed: Disputed) -> tuple[bytes, VerifiedTrade]:
    return build(disputed, disputed.job)


def told(trade: VerifiedTrade) -> list[tuple[str, str]]:
    return [(event.contract, event.event.EVENT.name) for event in trade.events]


def test_a_trade_that_a_jury_ruled_on__is_proven_with_what_every_institution_wrote_of_it(
    disputed: Disputed, proven: tuple[bytes, VerifiedTrade]
) -> None:
    bundle, trade = proven
    assert verify_bundle(bundle) == trade
    assert trade.record.state is JobState.CLOSED
    assert told(trade) == [
        ("ProviderRegistry", "StakeReserved"),
        ("JobEscrow", "BondStaked"),
        ("JobEscrow", "JobOpened"),
        ("JobEscrow", "JobAttested"),
        ("VerifierCommittee", "BlockRecorded"),
        ("JobEscrow", "JobDisputed"),
        ("Arbitration", "DisputeCreation"),
        ("Arbitration", "Dispute"),
        ("Arbitration", "DisputeOpened"),
        ("Arbitration", "RoundBegun"),
        ("Arbitration", "Evidence"),
        ("Arbitration", "PanelDrawn"),
        *[("Arbitration", "VoteCommitted")] * 3,
        *[("Arbitration", "VoteRevealed")] * 2,
        ("Arbitration", "Ruling"),
        ("Arbitration", "ArbiterPenalised"),
        ("JobEscrow", "JobRuled"),
        ("JobEscrow", "JobClosed"),
        ("JobEscrow", "BondUnstaked"),
        ("ProviderRegistry", "StakeReleased"),
        ("ProviderRegistry", "StakeSlashed"),
        *[("VerifierCommittee", "MemberSlashed")] * 2,
    ]
    generation = disputed.ledger.deployments.newest
    assert all(event.address == generation.address_of(event.contract) for event in trade.events)
    events = [event.event for event in trade.events]
    reserved = next(event for event in events if isinstance(event, StakeReserved))
    released = next(event for event in events if isinstance(event, StakeReleased))
    slashed = next(event for event in events if isinstance(event, StakeSlashed))
    assert reserved.amount == released.amount + slashed.amount
    assert {(event.units, event.slash_bps) for event in events if isinstance(event, VoteRevealed)} == {
        (10, 9_000),
        (20, 9_000),
    }
    assert [event.ruling for event in events if isinstance(event, Ruling)] == [1 + (10 << 16) + 9_000]
    assert [event.arbiter for event in events if isinstance(event, ArbiterPenalised)] == [
        disputed.ledger.accounts[MEMBERS[2]].address
    ]
    assert {event.member for event in events if isinstance(event, MemberSlashed)} == {
        disputed.ledger.accounts[index].address for index in MEMBERS[:2]
    }
    opened = next(event.block_number for event in trade.events if event.event.EVENT.name == "JobOpened")
    assert [event.number for event in events if isinstance(event, BlockRecorded)] == [opened]


def test_a_fee_that_the_committee_shares__is_part_of_the_proof(anvil: LocalChain, tmp_path: Path) -> None:
    ledger = deploy_ledger(anvil, tmp_path, MEMBERS)
    provider = ledger.accounts[OTHER_PROVIDER]
    terms = ledger.open(OTHER_PROVIDER, verifier=CommitteeSeat(provider).address, bond=provider.balance().free)
    attestation, signed = pass_by_committee(ledger, terms)
    CommitteeSeat(provider).claim(terms, attestation, signed)
    job = terms.job_id(ledger.deployments.domain)
    _, trade = build(Disputed(ledger, job, job), job)
    assert told(trade) == [("JobEscrow", "JobOpened"), ("JobEscrow", "JobPaid"), ("VerifierCommittee", "FeeClaimed")]
    (claimed,) = [event.event for event in trade.events if isinstance(event.event, FeeClaimed)]
    assert (claimed.fee, claimed.sharers) == (terms.verifier_fee, 2)


def test_what_is_of_another_job__is_in_no_proof_of_this_one(disputed: Disputed) -> None:
    names = told(build(disputed, disputed.other)[1])
    assert names == [
        ("ProviderRegistry", "StakeReserved"),
        ("JobEscrow", "BondStaked"),
        ("JobEscrow", "JobOpened"),
    ]


def test_every_log_of_the_chain_that_names_the_job_or_its_dispute__is_in_the_proof(
    disputed: Disputed, proven: tuple[bytes, VerifiedTrade]
) -> None:
    contracts = {
        address: name
        for name, address in disputed.ledger.deployments.newest.contracts.items()
        if name in ("JobEscrow", "Arbitration", "VerifierCommittee")
    }
    named = {bytes.fromhex(disputed.job[2:]), (1).to_bytes(32, "big")}
    logs = [parse_raw_log(log) for log in all_logs(disputed.ledger, contracts)]
    assert [
        (contracts[log.address], event.EVENT.name)
        for log in logs
        if named.intersection(log.topics[1:])
        and (event := decode_log(contracts[log.address], log.topics, log.data)) is not None
        and event.EVENT.name != "MetaEvidence"
    ] == [pair for pair in told(proven[1]) if pair[0] != "ProviderRegistry" and pair[1] != "BlockRecorded"]


def all_logs(ledger: LedgerOnChain, addresses: Iterable[str]) -> Any:
    first = ledger.deployments.newest.block
    return ledger.rpc.call("eth_getLogs", {"fromBlock": hex(first), "address": list(addresses)})


def test_the_page__tells_the_same_events__and_refuses_what_this_refuses(
    disputed: Disputed, proven: tuple[bytes, VerifiedTrade]
) -> None:
    bundles = [
        proven[0],
        build(disputed, disputed.other)[0],
        with_a_foreign_receipt(disputed, proven[0]),
        without_the_opening_of_the_dispute(proven[0]),
        as_of_the_first_version(proven[0], escrow_only=False),
        as_of_the_first_version(proven[0], escrow_only=True),
        OF_THE_FIRST_VERSION.read_bytes(),
    ]
    here = [told_here(bundle) for bundle in bundles]
    assert told_by_the_page(bundles) == here
    assert [answer is not None for answer in here] == [True, True, False, False, False, True, True]


def with_a_foreign_receipt(disputed: Disputed, bundle: bytes) -> bytes:
    """The bundle, and a receipt of another job that is proven as well."""
    document, other = json.loads(bundle), json.loads(build(disputed, disputed.other)[0])
    document["blocks"] = other["blocks"] + document["blocks"]  # it was opened earlier
    return canonical_json(document)


def without_the_opening_of_the_dispute(bundle: bytes) -> bytes:
    """Votes of a dispute that nothing ties to the job."""
    document = json.loads(bundle)
    trade = verify_bundle(bundle)
    block = next(event.block_hash for event in trade.events if event.event.EVENT.name == "DisputeOpened")
    document["blocks"] = [entry for entry in document["blocks"] if entry["hash"] != block]
    return canonical_json(document)


def as_of_the_first_version(bundle: bytes, *, escrow_only: bool) -> bytes:
    """The bundle as the first version has it, with the escrow's receipts only, or wrongly with all."""
    document = json.loads(bundle)
    document["version"] = 1
    trade = verify_bundle(bundle)
    escrows = {event.block_hash for event in trade.events if event.contract == "JobEscrow"}
    if escrow_only:
        document["blocks"] = [entry for entry in document["blocks"] if entry["hash"] in escrows]
    return canonical_json(document)


def test_votes_that_were_left_out__are_missed_by_any_endpoint(
    disputed: Disputed, proven: tuple[bytes, VerifiedTrade]
) -> None:
    bundle, whole = proven
    assert left_out(whole, disputed.ledger.rpc) == ()
    votes = {event.block_number for event in whole.events if event.event.EVENT.name == "VoteRevealed"}
    document = json.loads(bundle)
    numbers = [number for number, _ in whole.blocks]
    document["blocks"] = [
        block for number, block in zip(numbers, document["blocks"], strict=True) if number not in votes
    ]
    with pytest.raises(InvalidProof, match="leaves out VoteRevealed"):
        left_out(verify_bundle(canonical_json(document)), disputed.ledger.rpc)
    assert left_out(verify_bundle(OF_THE_FIRST_VERSION.read_bytes()), disputed.ledger.rpc) == ()


def test_a_receipt_of_another_job__is_refused(disputed: Disputed, proven: tuple[bytes, VerifiedTrade]) -> None:
    with pytest.raises(InvalidProof, match="has no event of the job"):
        verify_bundle(with_a_foreign_receipt(disputed, proven[0]))


def test_votes_that_nothing_ties_to_the_job__are_refused(proven: tuple[bytes, VerifiedTrade]) -> None:
    with pytest.raises(InvalidProof, match="has no event of the job"):
        verify_bundle(without_the_opening_of_the_dispute(proven[0]))


def test_a_bundle_that_an_earlier_version_wrote__proves_what_it_proved() -> None:
    trade = verify_bundle(OF_THE_FIRST_VERSION.read_bytes())
    assert told(trade) == [
        ("JobEscrow", "BondStaked"),
        ("JobEscrow", "JobOpened"),
        ("JobEscrow", "JobPaid"),
        ("JobEscrow", "BondUnstaked"),
    ]
    assert trade.record.state is JobState.CLOSED
