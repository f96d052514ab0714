"""The exported files hold the whole ledger, and DuckDB answers from them what the ledger says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger

from computility.chain.local_chain import LocalChain
from computility.services.ledger_export import SCHEMAS, Format, export_ledger
from computility.services.ledger_history import LedgerHistory, read_history
from computility.services.ledger_source import RpcSource
from computility.services.ledger_walk import walk

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "export.md"


@pytest.fixture(scope="module")
def history(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerHistory:
    ledger: LedgerOnChain = deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"))
    ledger.put_rewards_behind_jobs()
    ledger.trade_in_every_way()
    return read_history(ledger.deployments, walk(RpcSource(ledger.rpc, ledger.deployments)))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_duckdb__finds_what_the_ledger_says(history: LedgerHistory, tmp_path: Path, kind: Format) -> None:
    counts = export_ledger(history, tmp_path, kind)
    assert counts["events"] == len(history.events)
    records = [record for _, record in history.ledger.jobs.values()]
    paid = sum(record.provider_paid or 0 for record in records)
    jobs, accounts, events = (f"'{tmp_path}/{name}.{kind}'" for name in ("jobs", "accounts", "events"))
    with duckdb.connect() as database:
        found = database.execute(f"SELECT count(*), sum(provider_paid)::HUGEINT FROM {jobs}").fetchall()[0]
        assert found == (len(records), paid)
        held = database.execute(f"SELECT sum(free + locked)::HUGEINT FROM {accounts}").fetchall()[0]
        assert held == (sum(balance.free + balance.locked for balance in history.ledger.balances.values()),)
        closed = database.execute(
            f"SELECT count(*) FROM {events} e JOIN {jobs} j ON e.job = j.id WHERE e.name = 'JobOpened' AND j.opened_at = e.timestamp"
        ).fetchall()[0]
        assert closed == (sum(record.terms is not None for record in records),)
        longest = database.execute(
            f"SELECT max(json_extract_string(arguments, '$.amount')::HUGEINT) FROM {events}"
        ).fetchall()[0]
        assert longest[0] > 0
        left = database.execute(
            f"SELECT count(*), sum(staked - taken - lost - vested - unvested)::HUGEINT FROM '{tmp_path}/rewards.{kind}'"
        ).fetchall()[0]
        assert left == (len(history.ledger.rewards), 0)
        best = database.execute(
            f"SELECT account FROM '{tmp_path}/scores.{kind}' WHERE role = 'provider' ORDER BY score_bps DESC LIMIT 1"
        ).fetchall()[0]
        assert best == (
            max(
                (key for key in history.ledger.scores if key[2].name == "PROVIDER"),
                key=lambda key: history.ledger.scores[key].slot.score_bps,
            )[1],
        )


def test_the_documented_schema__is_the_one_that_is_written() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for table, schema in SCHEMAS.items():
        section = text.split(f"## {table}\n")[1].split("\n## ")[0]
        documented = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert documented == schema.names, table
