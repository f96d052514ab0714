"""A trade that is disputed and ruled on by a drawn panel, with the commands that its arbiters type."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.command_line import computility
from tests.e2e.small_job import SmallTrade

from computility.cli.demo.cast import ARBITERS
from computility.cli.demo.stage import CREDIT, Stage
from computility.domain.identifiers import Address, parse_bytes32
from computility.domain.job import JobState, Outcome
from computility.services.arbiter_seat import ArbiterSeat
from computility.services.buyer import SignedTerms
from computility.services.job_watch import JobWatch

URN = "urn:computility:wasm:wasmtime:1x:1g:local:aurora:0003:mfuel"
CLAIM_WITHIN_S = 120.0


def ask_with_the_panel(stage: Stage, folder: Path) -> str:
    """An ask of the honest provider's with a long window, and the panel as arbiter."""
    panel = stage.deployments.newest.address_of("Arbitration")
    words = ("ask", "publish", URN, "--price", "0.01", "--arbiter", panel, "--dispute-window", "600")
    verifier = ("--verifier", stage.cast["verifier-asleep"].address)
    answer = computility(*words, *verifier, "--yes", "--json", folder=folder, stage=stage, as_who="provider-aurora")
    assert answer.code == 0, answer.out + answer.err
    ask: str = answer.document["ask"]
    return ask


def claimed_job(stage: Stage, trade: SmallTrade, ask: str) -> SignedTerms:
    """A job that no verifier answers for, so that its provider claims."""
    panel = ArbiterSeat(trade.account)
    offer = trade.buyer.offer(parse_bytes32(ask))
    quoted = trade.buyer.request_quote(
        offer,
        trade.upload(offer),
        verifier=Address(stage.cast["verifier-asleep"].address),
        arbiter=panel.address,
        arbiter_fee=panel.cost(),
        end=trade.account.chain_time() + 25,
    )
    trade.open(quoted)
    watch = JobWatch(trade.account, stage.node, 0)
    give_up = time.monotonic() + CLAIM_WITHIN_S
    while True:
        try:
            job = watch.one(quoted.job)
        except Exception:  # noqa: BLE001 - the node may not have read the opening yet
            job = None
        if job is not None and job.chain.state is JobState.PENDING:
            assert job.chain.outcome == Outcome.CLAIM
            return quoted
        assert time.monotonic() < give_up, "the provider did not claim"
        time.sleep(0.5)


def test_a_disputed_claim__is_ruled_on_by_a_panel_that_votes_in_secret(stage: Stage, tmp_path: Path) -> None:
    def run(who: str, *words: str) -> Any:
        answer = computility(*words, "--json", folder=tmp_path, stage=stage, as_who=who)
        assert answer.code == 0, answer.out + answer.err
        return answer.document

    def pass_time(seconds: int) -> None:
        rpc = trade.account.rpc
        rpc.call("evm_increaseTime", hex(seconds))
        rpc.call("evm_mine")

    trade = SmallTrade(stage)
    for name in ARBITERS:
        account = stage.accounts[name]
        account.send(account.reserve(), "mint", account.address, 100 * 10**6)
        account.swap_reserve(20 * CREDIT)
        assert run(name, "arbiter", "join", "--yes")["active"] is True

    quoted = claimed_job(stage, trade, ask_with_the_panel(stage, tmp_path))
    job, terms = quoted.job, quoted.terms
    run("buyer", "job", "dispute", job, "--yes")
    run("buyer", "arbiter", "bring", job)
    # The lots are a later block's: commands may be quicker than the chain.
    for _ in range(2):
        pass_time(1)
    assert sorted(run("arbiter-1", "arbiter", "draw", job)["panel"]) == sorted(
        stage.cast[name].address for name in ARBITERS
    )
    for name, units, slash in (("arbiter-1", 1, "50"), ("arbiter-2", 2, "25"), ("arbiter-3", 1000, "0")):
        run(name, "arbiter", "vote", job, "--units", str(min(units, terms.max_units)), "--slash", slash, "--yes")
    listed = run("arbiter-1", "arbiter", "disputes")
    assert [(row["job"], row["next"], row["seated"], row["units"]) for row in listed] == [(job, "commit", True, None)]

    pass_time(601)
    # Another vote than was committed is refused, and costs nothing.
    words = ("arbiter", "reveal", job, "--units", "7", "--json")
    assert computility(*words, folder=tmp_path, stage=stage, as_who="arbiter-1").code == 1
    run("arbiter-1", "arbiter", "reveal", job, "--units", "1", "--slash", "50")
    run("arbiter-2", "arbiter", "reveal", job, "--units", "2", "--slash", "25")
    pass_time(901)
    executed = run("verifier-1", "arbiter", "execute", job)
    assert executed["gas"] > 0

    row = trade.buyer.closed_row(job)
    # The lower median of two votes; the third did not reveal.
    assert (row["closed_by"], row["units"]) == ("ruled", "1")
    events = {event["name"]: event["args"] for event in stage.node.job_events(job)}
    # The story of the dispute is among the job's events, and the institutions' rows tell it too.
    assert {
        "DisputeCreation",
        "Dispute",
        "DisputeOpened",
        "RoundBegun",
        "PanelDrawn",
        "VoteCommitted",
        "VoteRevealed",
        "ArbiterPenalised",
        "Ruling",
    } <= events.keys()
    (listed_dispute,) = httpx.get(f"{stage.url}/v1/disputes", params={"job": job}).json()["items"]
    assert (listed_dispute["status"], listed_dispute["units"], listed_dispute["slash_bps"]) == ("ruled", "1", 2_500)
    dispute = httpx.get(f"{stage.url}/v1/disputes/{listed_dispute['id']}").json()
    assert sorted(str(vote["units"]) for vote in dispute["votes"]) == ["1", "2", "None"]
    members = httpx.get(f"{stage.url}/v1/arbiters").json()["items"]
    assert [member["missed"] for member in members if member["account"] == stage.cast["arbiter-3"].address] == [1]
    assert (events["JobRuled"]["slashBps"], events["JobRuled"]["costBps"]) == (2_500, 10_000)
    closed = events["JobClosed"]
    assert int(closed["arbiterFromBond"]) == terms.arbiter_fee
    assert int(closed["bondToBuyer"]) + int(closed["bondToTreasury"]) == terms.bond * 2_500 // 10_000
    paid = run("arbiter-2", "arbiter", "claim")["paid"]
    # Half of three seats' fees and of the penalty of the one that kept silent.
    assert float(paid) == pytest.approx((0.3 + 1) / 2)
    assert stage.node.audit()["store_matches_chain"] is True
