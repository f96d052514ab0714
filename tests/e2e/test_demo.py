"""The demo as a newcomer runs it, on each kind of chain."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["anvil", "ganache"])
def report(request: pytest.FixtureRequest) -> Any:
    """What `computility demo --once --json` prints."""
    command = [sys.executable, "-m", "computility", "demo", "--once", "--json", "--port", "0", "--chain", request.param]
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def trade(report: Any, name: str) -> Any:
    """One of the three trades."""
    return next(trade for trade in report["trades"] if trade["trade"] == name)


def gross(trade: Any) -> int:
    """What the settled units cost."""
    return int(trade["provider_paid"]) + int(trade["fee"])


def test_a_good_job__is_paid_by_its_units_and_the_rest_refunded(report: Any) -> None:
    good = trade(report, "good")
    assert (good["outcome"], good["closed_by"]) == ("pass", "attested")
    assert int(good["units"]) > 1_000
    assert int(good["fee"]) == gross(good) // 100
    assert int(good["verifier_paid"]) == 10**17
    assert gross(good) + int(good["refund"]) + int(good["verifier_paid"]) == int(good["escrow"])
    assert good["bond_returned"] == good["bond"]
    assert good["provider"] == report["accounts"]["provider-aurora"], "the better of two asks"
    assert [entry["events"] for entry in good["transactions"]] == [
        ["JobOpened"],
        ["JobPaid"],
    ]


def test_a_wrong_result__ends_unpaid_and_costs_the_bond(report: Any) -> None:
    wrong = trade(report, "wrong-result")
    assert (wrong["outcome"], wrong["closed_by"]) == ("fail", "finalized")
    assert (wrong["provider_paid"], wrong["fee"], wrong["units"]) == ("0", "0", "0")
    assert wrong["bond_to_buyer"] == wrong["bond"] != "0"
    assert int(wrong["refund"]) + int(wrong["verifier_paid"]) == int(wrong["escrow"])
    before, after = report["scores"]["before"], report["scores"]["after"]
    assert after["provider-borealis"] < before["provider-borealis"] == 5_000
    assert after["provider-aurora"] > before["provider-aurora"] == 5_000
    assert after["buyer"] > before["buyer"]


def test_without_a_verifier__the_provider_claims_and_is_paid_after_the_window(report: Any) -> None:
    claimed = trade(report, "no-verifier")
    assert (claimed["outcome"], claimed["closed_by"]) == ("claim", "finalized")
    assert 0 < int(claimed["units"]) < int(trade(report, "good")["units"]), "a sketch takes less than the picture"
    assert claimed["verifier_paid"] == "0"
    assert gross(claimed) + int(claimed["refund"]) == int(claimed["escrow"])


def test_the_reward__is_claimed_into_the_wallet(report: Any) -> None:
    claim = report["claim"]
    assert int(claim["wallet_after"]) - int(claim["wallet_before"]) == int(claim["amount"])
    assert claim["amount"] == trade(report, "good")["provider_paid"]


def test_the_auditor__sees_that_the_store_matches_the_chain(report: Any) -> None:
    assert report["store_matches_chain"] is True
    assert report["audit"]["differences"] == []
    assert report["audit"]["counts"]["jobs"] == 3


def test_every_transaction__is_told_with_its_gas(report: Any) -> None:
    entries = [entry for trade in report["trades"] for entry in trade["transactions"]]
    assert all(entry["gas"] > 21_000 and len(entry["tx"]) == 66 for entry in entries)
