"""A whole trade in a real browser: connect, buy, see the picture, claim, audit."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from computility.cli.demo.stage import Stage

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.xdist_group("stage")


@pytest.fixture(scope="module")
def chromium() -> str:
    """A Chromium that starts; `make setup-test` finds one, and says loudly where there is none."""
    found = subprocess.run(
        ["node", "scripts/find_chromium.mjs"], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )
    if found.returncode != 0:
        pytest.skip("no Chromium starts here: set CHROMIUM_PATH, or install it (apt-get install chromium)")
    return found.stdout.strip()


def test_a_newcomer__buys_sees_the_picture_claims_and_audits(stage: Stage, chromium: str, tmp_path: Path) -> None:
    # Where the pictures go; the README's own is made this way.
    pictures = Path(os.environ.get("COMPUTILITY_JOURNEY_PICTURES", tmp_path))
    provider = stage.accounts["provider-aurora"]
    before = provider.balance().free
    result = subprocess.run(
        ["node", "tests/e2e/journey.mjs", stage.url, chromium, str(pictures)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    # It claimed everything, and the agent needs something to stand for its next jobs with.
    provider.deposit(before)
    journey = json.loads(result.stdout)
    row = stage.node.job(journey["job"])
    assert (row["state"], row["outcome"], row["closed_by"]) == ("closed", "pass", "attested")
    assert row["terms"]["buyer"] == stage.cast["buyer"].address
    assert stage.node.audit()["store_matches_chain"] is True
