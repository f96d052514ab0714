"""A report of real trades: its figures are the ledger's, its exceptions have proofs, and its PDF has pages with pictures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pypdfium2
from tests.integration.ledger_on_chain import (
    BUYER,
    DAY_S,
    OTHER_PROVIDER,
    PROVIDER,
    RESULT,
    LedgerOnChain,
    deploy_ledger,
)
from typer.testing import CliRunner

from computility.chain.deployments import write_deployments
from computility.chain.local_chain import LocalChain
from computility.cli.application import build_application
from computility.domain.attestation import Verdict
from computility.services.ledger_history import read_history
from computility.services.ledger_report import LedgerReport, make_report
from computility.services.ledger_source import RpcSource, proven_blocks
from computility.services.trade_proof import verify_bundle


def test_a_report__has_figures_exceptions_with_proofs_and_pages(anvil: LocalChain, tmp_path: Path) -> None:
    ledger = deploy_ledger(anvil, tmp_path / "deployments")
    ledger.trade_in_every_way()
    write_deployments(tmp_path / "deployments", ledger.deployments)
    folder = tmp_path / "report"
    chain = ["--rpc", ledger.rpc.url, "--deployments", str(tmp_path / "deployments")]
    ran = CliRunner().invoke(build_application("audit"), ["audit", "report", str(folder), *chain, "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["jobs_closed"] >= 5
    assert told["exceptions"] == told["proofs"] >= 3
    assert told["hhi"] > 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    for proof in (folder / "proofs").iterdir():
        assert f'href="proofs/{proof.name}"' in page
        assert verify_bundle(proof.read_bytes()).job in page
    assert page.count("<img ") == 7
    for caption in ("Prices against their reference", "Disputes", "Scores", "Concentration by day", "Credit scores"):
        assert f"<h2>{caption}</h2>" in page
    assert ledger.accounts[PROVIDER].address in page
    document = pypdfium2.PdfDocument(folder / "report.pdf")
    text = "".join(document[at].get_textpage().get_text_range() for at in range(len(document)))
    assert "Exceptions" in text
    assert len(document) >= 2
    assert f"{told['exceptions']}, of which {told['proofs']} with their proof" in page
    fewer = [*chain, "--most-proofs", "1", "--json"]
    ran = CliRunner().invoke(build_application("audit"), ["audit", "report", str(tmp_path / "fewer"), *fewer])
    assert json.loads(ran.stdout)["proofs"] == len(list((tmp_path / "fewer" / "proofs").iterdir())) == 1
    assert f"{told['exceptions']}, of which 1 with" in (tmp_path / "fewer" / "report.html").read_text(encoding="utf-8")
    reversed_period = ["--since", "2026-02-02", "--until", "2026-02-01"]
    ran = CliRunner().invoke(build_application("audit"), ["audit", "report", str(tmp_path / "none"), *reversed_period])
    assert ran.exit_code == 2
    assert not (tmp_path / "none").exists()


def report_of(ledger: LedgerOnChain, since: int) -> LedgerReport:
    """Of one day."""
    source = RpcSource(ledger.rpc, ledger.deployments)
    first = ledger.deployments.generations[0].block
    history = read_history(ledger.deployments, proven_blocks(source, first, source.last))
    return make_report(history, since, since + DAY_S)


def test_a_report_of_a_past_day__tells_its_scores_and_disputes_as_they_stood_at_its_last_block(
    anvil: LocalChain, tmp_path: Path
) -> None:
    ledger = deploy_ledger(anvil, tmp_path / "deployments")
    buyer, provider = ledger.accounts[BUYER], ledger.accounts[PROVIDER]
    since = (buyer.chain_time() // DAY_S + 1) * DAY_S
    ledger.pass_time(since + 60 - buyer.chain_time())
    disputed = ledger.open(arbiter=ledger.accounts[0].address, ruling_window=DAY_S)
    provider.propose(disputed, 70, RESULT)
    buyer.dispute(disputed)
    ledger.attest(ledger.open(OTHER_PROVIDER))
    then = report_of(ledger, since)
    job = disputed.job_id(ledger.deployments.domain)
    assert [(found.job, found.why, found.closed_at) for found in then.exceptions] == [(job, "disputed", None)]
    assert ledger.accounts[OTHER_PROVIDER].address in {score.account for score in then.scores}

    ledger.pass_time(14 * DAY_S)
    failed = ledger.open(OTHER_PROVIDER)
    ledger.attest(failed, Verdict.FAIL)
    ledger.pass_time(200)
    for over in (failed, disputed):
        buyer.finalize(over)
    later = report_of(ledger, since)
    assert later.last_block > later.period_block == then.last_block
    assert dataclasses.replace(later, last_block=then.last_block, last_hash=then.last_hash) == then
    today = report_of(ledger, buyer.chain_time() // DAY_S * DAY_S)
    assert {found.job: found.why.split(", ")[0] for found in today.exceptions}[job] == "disputed"
    assert {score.account: score.score_bps for score in today.scores} != {
        score.account: score.score_bps for score in then.scores
    }
