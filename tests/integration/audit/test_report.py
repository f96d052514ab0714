"""A report of real trades: its figures are the ledger's, its exceptions have proofs, and its PDF has pages with pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
from tests.integration.ledger_on_chain import PROVIDER, deploy_ledger
from typer.testing import CliRunner

from computility.chain.deployments import write_deployments
from computility.chain.local_chain import LocalChain
from computility.cli.application import build_application
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
