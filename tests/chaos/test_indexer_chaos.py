"""The indexer under random reorganisations and kills: in the end, no row differs from those of a clean rebuild."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import SQLModel
from tests.chaos.indexer_chaos import OF_ITS_OWN, TABLES, differing_tables, kill_at_random, reorganise_at_random
from tests.integration.ledger_on_chain import deploy_ledger
from tests.own_postgresql import own_postgresql, restart_by_force

from computility.chain.local_chain import LocalChain, LocalChainSettings

_EACH = 20
_EACH_ON_POSTGRESQL = 8
pytestmark = pytest.mark.timeout(900)


def test_random_reorganisations_and_kills__leave_the_store_as_a_clean_rebuild(tmp_path: Path) -> None:
    chance = random.Random(20)
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        ledger = deploy_ledger(chain, tmp_path / "deployments")
        url = f"sqlite:///{tmp_path}/node.sqlite"
        reorganise_at_random(ledger, url, _EACH, chance)
        assert differing_tables(ledger, url, tmp_path) == []
        kill_at_random(ledger, url, _EACH, chance)
        assert differing_tables(ledger, url, tmp_path) == []


@pytest.mark.postgresql
def test_random_reorganisations_kills_and_restarts_of_postgresql__leave_the_store_as_a_clean_rebuild(
    tmp_path: Path,
) -> None:
    chance = random.Random(21)
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain, own_postgresql() as server:
        ledger = deploy_ledger(chain, tmp_path / "deployments")
        url = server.get_uri()
        reorganise_at_random(ledger, url, _EACH_ON_POSTGRESQL, chance)
        assert differing_tables(ledger, url, tmp_path) == []
        kill_at_random(ledger, url, _EACH_ON_POSTGRESQL, chance, partial(restart_by_force, server))
        assert differing_tables(ledger, url, tmp_path) == []


def test_no_table_of_the_ledger__is_left_out() -> None:
    assert {str(table.__tablename__) for table in TABLES} | OF_ITS_OWN == set(SQLModel.metadata.tables)
