"""A trade on a real chain is proven by one document; whatever is changed in it, it proves no more."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.ledger_on_chain import (
    BUYER,
    OTHER_PROVIDER,
    PROVIDER,
    RESULT,
    VERIFIER,
    LedgerOnChain,
    deploy_ledger,
)

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain
from computility.domain.attestation import Attestation, Verdict
from computility.domain.canonical_json import canonical_json, sha256_bytes32
from computility.domain.errors import ComputilityError, InvalidMessage, InvalidProof, UnknownJob
from computility.domain.events import BondStaked
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.job import JobState
from computility.domain.signature import sign_digest
from computility.domain.terms import Terms
from computility.services.proof_builder import ProofBuilder
from computility.services.trade_logs import left_out
from computility.services.trade_proof import VerifiedTrade, signers_of, verify_bundle

CHECKOUT = Path(__file__).resolve().parents[3]
SPECIFICATION = canonical_json({"what": "to run"})


@pytest.fixture(scope="module")
def ledger(chain: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    return deploy_ledger(chain, tmp_path_factory.mktemp("deployments"))


def fetch(digest: Bytes32) -> bytes | None:
    return SPECIFICATION if digest == sha256_bytes32(SPECIFICATION) else None


@pytest.fixture(scope="module")
def passed(ledger: LedgerOnChain) -> tuple[bytes, VerifiedTrade]:
    """The proof of a trade that a verifier passed."""
    terms = ledger.open(spec=sha256_bytes32(SPECIFICATION))
    ledger.attest(terms)
    return build(ledger, terms.job_id(ledger.deployments.domain))


def build(ledger: LedgerOnChain, job: Bytes32) -> tuple[bytes, VerifiedTrade]:
    return ProofBuilder(ChainConnection(ledger.rpc), ledger.deployments).build(job, fetch)


def test_a_trade__is_proven_by_its_bundle_alone(ledger: LedgerOnChain, passed: tuple[bytes, VerifiedTrade]) -> None:
    bundle, _ = passed
    trade = verify_bundle(bundle)
    assert trade.record.state is JobState.CLOSED
    assert trade.record.units == 60
    assert trade.terms.buyer == ledger.accounts[BUYER].address
    assert trade.terms.provider == ledger.accounts[PROVIDER].address
    assert trade.has_specification
    assert [(signed.signers, signed.by_verifier) for signed in trade.attestations] == [
        ((ledger.accounts[VERIFIER].address,), True)
    ]
    assert trade.attestations[0].attestation.result == RESULT
    for number, block_hash in trade.blocks:
        header = ledger.rpc.header(number)
        assert header is not None
        assert header.hash == block_hash
    assert len(bundle) <= 64 * 1024


def test_a_trade_that_was_disputed__is_proven_with_every_event(ledger: LedgerOnChain) -> None:
    terms = ledger.open()
    ledger.accounts[PROVIDER].propose(terms, 70, RESULT)
    job = terms.job_id(ledger.deployments.domain)
    assert build(ledger, job)[1].record.state is JobState.PENDING
    ledger.accounts[BUYER].dispute(terms)
    names = [proven.event.EVENT.name for proven in build(ledger, job)[1].events]
    assert names[:2] == ["JobOpened", "JobProposed"]
    assert names[-1] == "JobClosed"


def open_on_stake(ledger: LedgerOnChain) -> Terms:
    """A job whose bond is all that its provider has, and some of its stake."""
    provider = ledger.accounts[OTHER_PROVIDER]
    return ledger.open(
        OTHER_PROVIDER,
        spec=sha256_bytes32(SPECIFICATION),
        bond=provider.balance().free + provider.free_stake() // 4,
    )


def test_a_bond_on_stake__is_part_of_the_proof(ledger: LedgerOnChain) -> None:
    terms = open_on_stake(ledger)
    job = terms.job_id(ledger.deployments.domain)
    ledger.attest(terms)
    bundle, trade = build(ledger, job)
    on_chain = ledger.rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": trade.escrow, "topics": [None, job]})
    by_escrow = [proven for proven in trade.events if proven.address == trade.escrow]
    assert [proven.event.EVENT.topic for proven in by_escrow] == [log["topics"][0] for log in on_chain]
    staked = [proven.event for proven in trade.events if isinstance(proven.event, BondStaked)]
    assert [(event.provider, event.amount > 0) for event in staked] == [(terms.provider, True)]
    assert trade.has_specification
    assert len(bundle) <= 64 * 1024


def test_a_job_that_no_chain_knows__has_no_proof(ledger: LedgerOnChain) -> None:
    with pytest.raises(UnknownJob, match="is the id right"):
        build(ledger, Bytes32("0x" + "77" * 32))


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_byte_that_is_changed__is_found_out(passed: tuple[bytes, VerifiedTrade], data: st.DataObject) -> None:
    bundle, _ = passed
    at = data.draw(st.integers(0, len(bundle) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != bundle[at]))
    with pytest.raises((InvalidProof, InvalidMessage)):
        verify_bundle(bundle[:at] + bytes([other]) + bundle[at + 1 :])


def leave_out_the_opening(document: dict[str, Any]) -> None:
    del document["blocks"][0]


def leave_out_a_receipt(document: dict[str, Any]) -> None:
    document["blocks"][0]["receipts"].clear()


def double_a_block(document: dict[str, Any]) -> None:
    document["blocks"].append(document["blocks"][-1])


def name_another_job(document: dict[str, Any]) -> None:
    document["job"] = "0x" + "11" * 32


def name_another_chain(document: dict[str, Any]) -> None:
    document["chain"] = "eip155:1"


def name_another_signer(document: dict[str, Any]) -> None:
    document["attestations"][0]["signers"] = [document["escrow"]]


def change_the_specification(document: dict[str, Any]) -> None:
    document["specification"]["what"] = "to steal"


def bring_evidence_that_nobody_named(document: dict[str, Any]) -> None:
    document["evidence"].append({"reason": "none"})


CHANGES: Final = (
    leave_out_the_opening,
    leave_out_a_receipt,
    double_a_block,
    name_another_job,
    name_another_chain,
    name_another_signer,
    change_the_specification,
    bring_evidence_that_nobody_named,
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_bundle_that_was_put_together_otherwise__proves_nothing(
    passed: tuple[bytes, VerifiedTrade], change: Any
) -> None:
    document = json.loads(passed[0])
    change(document)
    with pytest.raises(InvalidProof):
        verify_bundle(canonical_json(document))


def told_by_the_page(bundles: list[bytes]) -> list[Any]:
    """What the web app's verifier says of each bundle, in Node: it shares no code with ours, and has its own trie, RLP and EIP-712 (viem)."""
    answer = subprocess.run(
        ["node", "tests/integration/audit/verify_in_page.mjs"],
        cwd=CHECKOUT,
        input=json.dumps([base64.b64encode(bundle).decode() for bundle in bundles]),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    told: list[Any] = json.loads(answer.stdout)
    return told


def told_here(bundle: bytes) -> Any:
    try:
        trade = verify_bundle(bundle)
    except (InvalidProof, InvalidMessage):
        return None
    return {
        "job": trade.job,
        "state": trade.record.state.name.lower(),
        "events": [proven.event.EVENT.name for proven in trade.events],
        "blocks": [[number, block] for number, block in trade.blocks],
        "signers": [list(signed.signers) for signed in trade.attestations],
        "specification": trade.has_specification,
        "evidence": trade.evidence,
    }


def test_the_page__verifies_what_this_verifies_and_nothing_else(
    ledger: LedgerOnChain, passed: tuple[bytes, VerifiedTrade]
) -> None:
    pending = ledger.open()
    ledger.accounts[PROVIDER].propose(pending, 70, RESULT)
    least = ledger.open(min_units=65)
    ledger.attest(least)
    staked = open_on_stake(ledger)
    kinds = (pending, least, staked)
    sound = [passed[0], *(build(ledger, terms.job_id(ledger.deployments.domain))[0] for terms in kinds)]
    changed = []
    for change in CHANGES:
        document = json.loads(passed[0])
        change(document)
        changed.append(canonical_json(document))
    chance = random.Random(4)  # reproducible on purpose
    for _ in range(200):
        bundle = bytearray(chance.choice(sound))
        bundle[chance.randrange(len(bundle))] = chance.choice(b'0123456789abcdef"{}[],:x')
        changed.append(bytes(bundle))
    bundles = [*sound, *changed, b"", b"{}", b"\xff"]
    assert told_by_the_page(bundles) == [told_here(bundle) for bundle in bundles]
    assert [told_here(bundle) is not None for bundle in bundles].count(True) >= len(sound)


def without(bundle: bytes, *numbers: int) -> bytes:
    """A bundle as somebody would hand it out who leaves blocks out, and what hangs on them."""
    document = json.loads(bundle)
    document["blocks"] = [block for at, block in enumerate(document["blocks"]) if at not in numbers]
    document["attestations"] = []
    return canonical_json(document)


def test_what_an_end_rests_on__cannot_be_left_out(ledger: LedgerOnChain) -> None:
    failed, claimed = ledger.open(), ledger.open(OTHER_PROVIDER)
    ledger.attest(failed, Verdict.FAIL)
    ledger.accounts[OTHER_PROVIDER].propose(claimed, 70, RESULT)
    bundles = []
    for terms in (failed, claimed):
        ledger.accounts[BUYER].dispute(terms)
        bundle, whole = build(ledger, terms.job_id(ledger.deployments.domain))
        assert "JobClosed" in [proven.event.EVENT.name for proven in whole.events]
        bundles.append(without(bundle, 1))
    for bundle in bundles:
        with pytest.raises(InvalidProof, match="cannot follow on a job that is open"):
            verify_bundle(bundle)
    assert told_by_the_page(bundles) == [None, None]


def test_a_reading_that_was_left_out__is_missed_by_any_endpoint(ledger: LedgerOnChain) -> None:
    terms = ledger.open()
    job = terms.job_id(ledger.deployments.domain)
    reading = Attestation(job, Verdict.PASS, ZERO_BYTES32, 30, False, 10_000, ZERO_BYTES32, ZERO_BYTES32)
    ledger.accounts[PROVIDER].attest(terms, reading, ledger.accounts[VERIFIER].sign(reading).signature)
    ledger.attest(terms)
    bundle, whole = build(ledger, job)
    assert [proven.event.EVENT.name for proven in whole.events] == ["JobOpened", "JobAttested", "JobPaid"]
    assert left_out(whole, ledger.rpc) == ()
    # By itself it looks like a trade.
    silenced = verify_bundle(without(bundle, 1))
    with pytest.raises(InvalidProof, match="leaves out JobAttested of block"):
        left_out(silenced, ledger.rpc)


def test_what_became_of_a_trade_after_its_proof__is_told_and_is_no_lie(ledger: LedgerOnChain) -> None:
    terms = ledger.open()
    job = terms.job_id(ledger.deployments.domain)
    early, _ = build(ledger, job)
    assert left_out(verify_bundle(early), ledger.rpc) == ()
    ledger.attest(terms)
    (paid,) = left_out(verify_bundle(early), ledger.rpc)
    assert (paid.name, paid.block) == ("JobPaid", build(ledger, job)[1].blocks[-1][0])


def test_a_committees_signature__names_the_members_behind_the_words_that_it_repeats(ledger: LedgerOnChain) -> None:
    terms = ledger.open()
    domain = ledger.deployments.domain
    attestation = Attestation(terms.job_id(domain), Verdict.PASS, RESULT, 60, True, 10_000, ZERO_BYTES32, RESULT)
    digest = attestation.digest(domain)
    keys = [bytes([9]) * 32, bytes([7]) * 32]
    words = attestation.STRUCT.encode(attestation.values()).hex()
    signatures = "".join(sign_digest(digest, key)[2:] for key in keys)
    assert signers_of(attestation, domain, f"0x{words}{signatures}") == tuple(
        Account.from_key(key).address for key in keys
    )
    assert signers_of(attestation, domain, f"0x{words[:-2]}ff{signatures}") == ()


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"version":1}'])
def test_what_is_no_bundle__is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(ComputilityError):
        verify_bundle(data)


def test_the_command_line__proves_and_verifies(ledger: LedgerOnChain, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from computility.chain.deployments import write_deployments
    from computility.cli.application import build_application

    terms = ledger.open()
    ledger.attest(terms)
    job = terms.job_id(ledger.deployments.domain)
    write_deployments(tmp_path, ledger.deployments)
    file = tmp_path / "trade.proof.json"
    run, application = CliRunner(), build_application("audit")
    chain = ["--rpc", ledger.rpc.url]
    proven = run.invoke(
        application, ["audit", "proof", job, "--out", str(file), "--deployments", str(tmp_path), *chain, "--json"]
    )
    assert proven.exit_code == 0, proven.output
    assert json.loads(proven.stdout)["state"] == "closed"
    verified = run.invoke(application, ["audit", "verify", str(file), *chain, "--json"])
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["job"] == job
    assert "verified" in run.invoke(application, ["audit", "verify", str(file)]).stdout


@pytest.mark.parametrize("command", ["proof", "save", "export", "report"])
def test_what_cannot_be_written__is_a_reason_and_no_traceback(
    ledger: LedgerOnChain, passed: tuple[bytes, VerifiedTrade], tmp_path: Path, command: str
) -> None:
    from typer.testing import CliRunner

    from computility.chain.deployments import write_deployments
    from computility.cli.application import build_application
    from computility.cli.written_files import CannotWrite

    write_deployments(tmp_path, ledger.deployments)
    (tmp_path / "a file").touch()
    nowhere = tmp_path / "a file" / "in it"
    words = [command, passed[1].job, "--out", str(nowhere)] if command == "proof" else [command, str(nowhere)]
    chain = ["--rpc", ledger.rpc.url, "--deployments", str(tmp_path)]
    ran = CliRunner().invoke(build_application("audit"), ["audit", *words, *chain])
    assert isinstance(ran.exception, CannotWrite)
    assert "a file" in str(ran.exception)
    assert "Not a directory" in str(ran.exception)
