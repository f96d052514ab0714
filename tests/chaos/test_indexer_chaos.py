"""The indexer under random reorganisations and kills: in the end, no row differs from those of a clean rebuild."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.chaos.indexer_chaos import differing_tables, kill_at_random, reorganise_at_random
from tests.integration.ledger_on_chain import deploy_ledger

from computility.chain.local_chain import LocalChain, LocalChainSettings

_EACH = 20
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
