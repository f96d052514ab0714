"""Commands on the demo, ordered as the README says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.e2e.command_jobs import ask_of_commands
from tests.e2e.command_line import computility
from tests.e2e.small_job import CHECKOUT, SmallTrade

from computility.cli.demo.cast import COMMAND_PROVIDER, COMMAND_VERIFIER
from computility.cli.demo.stage import Stage
from computility.domain.errors import ExecutorUnfit
from computility.execution.sandbox.python_tools import PYTHON

PRODUCT = CHECKOUT / "examples" / "product"


def test_a_matrix_product__from_the_demo__is_right_and_checked_by_freivalds(stage: Stage, tmp_path: Path) -> None:
    ask_of_commands(stage)
    SmallTrade(stage)  # which has credits
    random = np.random.default_rng(5)
    left, right = (random.integers(-99, 99, (300, 300)) for _ in range(2))
    np.save(tmp_path / "a.npy", left)
    np.save(tmp_path / "b.npy", right)
    answer = computility(
        "buy", str(PRODUCT / "multiply.py"), "--with", PYTHON, "--policy", str(PRODUCT / "policy.json"),
        "--input", "a.npy", "--input", "b.npy", "--yes", "--json",
        folder=tmp_path, stage=stage,
    )  # fmt: skip
    assert answer.code == 0, answer.out + answer.err
    assert (answer.document["outcome"], answer.document["closed_by"]) == ("pass", "attested")
    assert np.array_equal(np.load(tmp_path / "outputs" / "c.npy"), left @ right)
    job = stage.node.job(answer.document["job"])
    assert job["terms"]["provider"] == stage.cast[COMMAND_PROVIDER].address
    # Whom the ask accepts in the place of the committee, which has no sandbox.
    assert job["terms"]["verifier"] == stage.cast[COMMAND_VERIFIER].address
    assert stage.node.attestations(answer.document["job"])["aggregate"]["reason"] == "product-holds"


def test_a_lease_of_a_command_that_is_not_there__says_why_it_ended(stage: Stage, tmp_path: Path) -> None:
    ask_of_commands(stage)
    SmallTrade(stage)
    words = ("lease", "open", "no-such-program --flag", "--seconds", "60", "--interval", "20", "--yes")
    answer = computility(*words, folder=tmp_path, stage=stage)
    assert answer.code == 1
    assert "the provider handed the job back (job-failed)" in answer.err
    assert "no-such-program: not found" in answer.err


def test_without_bubblewrap__nobody_runs_commands_and_the_demo_says_why(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExecutorUnfit, match="bubblewrap is not installed"):
        stage.offer_commands()
