"""Each process is killed without warning in each state of a trade. After a restart the trade completes, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.waiting import wait_until
from tests.e2e.small_job import EXAMPLE, SmallTrade

from computility.cli.demo.cast import VERIFIERS, password_file
from computility.cli.demo.stage import Stage
from computility.domain.identifiers import Bytes32, parse_bytes32
from computility.domain.job import JobState, Outcome
from computility.services.buyer import SignedTerms

STATES = ("quote-requested", "quoted", "opened", "submitted", "attested", "claimed")


@contextmanager
def held_back(stage: Stage, *names: str) -> Iterator[None]:
    """Processes that stand still meanwhile, so that a trade stays in a state."""
    pids = [stage.processes.children[name].process.pid for name in names]
    for pid in pids:
        os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for name, pid in zip(names, pids, strict=True):
            if stage.processes.children[name].process.pid == pid:
                os.killpg(pid, signal.SIGCONT)


def kill_and_restart(stage: Stage, process: str) -> None:
    """As a power cut, and then power again."""
    for name in VERIFIERS if process == "verifiers" else (process,):
        stage.processes.kill(name)
        stage.processes.restart(name)


def bring_to(trade: SmallTrade, state: str, kill: str) -> SignedTerms:
    """A trade in which ``kill`` is killed in ``state``."""
    stage = trade.stage
    if state == "quote-requested":
        return quote_while_killing(trade, kill)
    claimed = state == "claimed"
    quoted = trade.quote(verifier=stage.cast["verifier-asleep"].address if claimed else None)
    if state == "quoted":
        kill_and_restart(stage, kill)
        wait_until(lambda: stage.node.health()["status"] == "ok")
        trade.open(quoted)
    elif state == "opened":
        with held_back(stage, "provider-aurora"):
            trade.open(quoted)
            wait_until(lambda: stage.node.job(quoted.job)["state"] == "open")
            kill_and_restart(stage, kill)
    elif state == "submitted":
        with held_back(stage, *VERIFIERS):
            trade.open(quoted)
            wait_until(lambda: bool(stage.node.submissions(quoted.job)))
            kill_and_restart(stage, kill)
    elif state == "attested":
        trade.open(quoted)
        wait_until(lambda: bool(stage.node.submissions(quoted.job)))
        with held_back(stage, "provider-aurora"):
            wait_until(lambda: bool((stage.node.attestations(quoted.job)["aggregate"] or {}).get("complete")))
            kill_and_restart(stage, kill)
    else:
        trade.open(quoted)
        wait_until(lambda: trade.account.job(quoted.job).state is JobState.PENDING)
        kill_and_restart(stage, kill)
    return quoted


def quote_while_killing(trade: SmallTrade, kill: str) -> SignedTerms:
    """The request is at the node, and nobody has answered it yet."""
    from concurrent.futures import ThreadPoolExecutor

    stage = trade.stage
    with ThreadPoolExecutor(1) as pool:
        with held_back(stage, "provider-aurora"):
            before = len(stage.node.quote_requests(status="pending"))
            asked = pool.submit(trade.quote)
            wait_until(lambda: len(stage.node.quote_requests(status="pending")) > before)
            kill_and_restart(stage, kill)
        quoted = asked.result(timeout=60)
    trade.open(quoted)
    return quoted


def assert_settled_once(trade: SmallTrade, job: Bytes32, outcome: Outcome) -> None:
    """The job is closed as it should be, and the ledger holds every step once."""
    stage = trade.stage
    trade.settle(job)
    assert trade.account.job(job).outcome == outcome
    wait_until(lambda: stage.node.job(job)["state"] == "closed")
    names = [event["name"] for event in stage.node.job_events(job)]
    assert names.count("JobOpened") == 1
    # A pass that paid at once is one event; other ways are two.
    if names.count("JobPaid") == 0:
        assert names.count("JobClosed") == names.count("JobAttested") + names.count("JobProposed") == 1
    else:
        assert names.count("JobPaid") == 1
        assert "JobClosed" not in names
    row = stage.node.job(job)
    paid = sum(int(row[name]) for name in ("provider_paid", "fee", "refund", "verifier_paid"))
    assert paid == int(row["escrow"])
    assert len(stage.node.submissions(job)) == 1
    report = stage.node.audit()
    assert report["store_matches_chain"], report["differences"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("process", ["node", "provider-aurora", "verifiers"])
def test_killed__a_trade_completes_once_after_the_restart(stage: Stage, process: str, state: str) -> None:
    trade = SmallTrade(stage)
    quoted = bring_to(trade, state, process)
    assert_settled_once(trade, quoted.job, Outcome.CLAIM if state == "claimed" else Outcome.PASS)


def buy_command(stage: Stage) -> list[str]:
    """The buyer's own process."""
    keys = stage.folder / "keys"
    return [
        sys.executable, "-m", "computility", "buy", str(EXAMPLE / "path_tracer.wasm"), "demo.scene",
        "--input", str(EXAMPLE / "scenes" / "demo.scene"),
        "--fuel", "12000000000", "--yes", "--json",
        "--ask", stage.asks["provider-aurora"],
        "--node", stage.url, "--rpc", stage.rpc_url,
        "--keystore", str(keys / "buyer.json"), "--password-file", str(password_file(keys)),
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["opened", "submitted"])
def test_a_buyer_killed__after_it_opened_a_job__its_job_completes_without_it(
    stage: Stage, state: str, tmp_path: Path
) -> None:
    trade = SmallTrade(stage)
    known = {row["id"] for row in stage.node.jobs()}

    def new_jobs() -> list[dict[str, Any]]:
        return [row for row in stage.node.jobs() if row["id"] not in known]

    with (tmp_path / "buy.log").open("wb") as log:
        buyer = subprocess.Popen(buy_command(stage), cwd=tmp_path, stdout=log, stderr=log)
        wait_until(lambda: bool(new_jobs()))
        job = parse_bytes32(new_jobs()[0]["id"])
        if state == "submitted":
            wait_until(lambda: bool(stage.node.submissions(job)))
        buyer.kill()
        buyer.wait()
    assert_settled_once(trade, job, Outcome.PASS)


def test_a_buyer_killed__before_it_opened__costs_nobody_anything(stage: Stage, tmp_path: Path) -> None:
    trade = SmallTrade(stage)
    before = trade.account.wallet_credits(), trade.account.balance()
    known = {row["id"] for row in stage.node.jobs()}
    with held_back(stage, "provider-aurora"), (tmp_path / "buy.log").open("wb") as log:
        waiting = len(stage.node.quote_requests(status="pending"))
        buyer = subprocess.Popen(buy_command(stage), cwd=tmp_path, stdout=log, stderr=log)
        wait_until(lambda: len(stage.node.quote_requests(status="pending")) > waiting)
        buyer.kill()
        buyer.wait()
    wait_until(lambda: not stage.node.quote_requests(status="pending"))
    assert {row["id"] for row in stage.node.jobs()} == known
    assert (trade.account.wallet_credits(), trade.account.balance()) == before
