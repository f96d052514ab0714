"""A whole trade in a real browser: connect, buy, see the picture, claim, audit."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.e2e.command_jobs import ask_of_commands
from tests.e2e.command_line import computility
from tests.e2e.small_job import small_program

from computility.cli.demo.cast import VERIFIERS
from computility.cli.demo.stage import Stage
from computility.domain.content_id import content_id_of
from computility.domain.errors import ContentNotFound
from computility.domain.identifiers import parse_bytes32
from computility.execution.reader_key import ReaderKey
from computility.services.buyer import Buyer
from computility.services.reader_keys import told_reader_keys

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chromium() -> str:
    """A Chromium that starts; `make setup-test` finds one, and says loudly where there is none."""
    found = subprocess.run(
        ["node", "scripts/find_chromium.mjs"], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )
    if found.returncode != 0:
        pytest.skip("no Chromium starts here: set CHROMIUM_PATH, or install it (apt-get install chromium)")
    return found.stdout.strip()


def walk(script: str, stage: Stage, chromium: str, folder: Path, *words: str) -> Any:
    """What a walk through the page reports. COMPUTILITY_JOURNEY_PICTURES names a folder for its pictures; the README's own is made this way."""
    pictures = os.environ.get("COMPUTILITY_JOURNEY_PICTURES", str(folder))
    command = ["node", f"tests/e2e/{script}", stage.url, chromium, pictures, *words]
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=280, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_newcomer__buys_sees_the_picture_claims_and_audits(stage: Stage, chromium: str, tmp_path: Path) -> None:
    provider = stage.accounts["provider-aurora"]
    before = provider.balance().free
    journey = walk("journey.mjs", stage, chromium, tmp_path)
    # It claimed everything, and the agent needs something to stand for its next jobs with.
    provider.deposit(before)
    row = stage.node.job(journey["job"])
    assert (row["state"], row["outcome"], row["closed_by"]) == ("closed", "pass", "attested")
    assert row["terms"]["buyer"] == stage.cast["buyer"].address
    reward = stage.node.provider(provider.address)["reward"]
    assert int(reward["staked"]) == 10**18
    assert 0 < int(reward["taken"]) <= 10**18
    assert stage.node.audit()["store_matches_chain"] is True
    # Of a committee: the page found its members' signatures behind the words that it repeats.
    assert "of the verifier's contract" in journey["proof"]["signers"]
    assert journey["proof"]["bytes"] <= 64 * 1024


def test_a_command_from_the_buyers_own_files__is_run_checked_and_shown(
    stage: Stage, chromium: str, tmp_path: Path
) -> None:
    ask = ask_of_commands(stage)
    for name in ("multiply.py", "a.npy", "b.npy"):
        shutil.copy(CHECKOUT / "examples" / "product" / name, tmp_path)
    told = walk("commands.mjs", stage, chromium, tmp_path / "pictures", ask, str(tmp_path))
    assert [words.removeprefix("Example: ") for words in told["examples"]] == [
        "languages", "product", "training", "My own command",
    ]  # fmt: skip
    assert "/opt/python/bin/python3 multiply.py" in told["ordered"]
    assert "c.npy is the product of a.npy and b.npy" in told["ordered"]
    assert "product-holds" in told["verdict"]
    row = stage.node.job(told["job"])
    assert (row["outcome"], row["closed_by"]) == ("pass", "attested")
    _, outputs = Buyer(stage.accounts["buyer"], stage.node).outputs(parse_bytes32(row["result"]))
    left, right = (np.load(tmp_path / name).astype(int) for name in ("a.npy", "b.npy"))
    assert np.array_equal(np.load(io.BytesIO(outputs["c.npy"])), left @ right)


def keys_that_were_told(stage: Stage, *names: str) -> list[str]:
    """The reader keys of these, once each of them told its own."""
    give_up = time.monotonic() + 60
    accounts, domain = [stage.cast[name].address for name in names], stage.accounts["buyer"].ledger.domain
    while len(told := told_reader_keys(stage.node, accounts, domain)) < len(names):
        assert time.monotonic() < give_up, f"only {told} told their reader keys"
        time.sleep(0.2)
    assert told == {
        stage.cast[name].address: ReaderKey.of_account(bytes(stage.cast[name].account.key)).public for name in names
    }
    return list(told.values())


def test_a_sealed_order__is_run_by_readers__and_opened_with_the_browsers_own_key_alone(
    stage: Stage, chromium: str, tmp_path: Path
) -> None:
    program = small_program()
    scene = program.inputs["demo.scene"]
    (tmp_path / "path_tracer.wasm").write_bytes(program.module)
    (tmp_path / "demo.scene").write_bytes(scene)
    keys = keys_that_were_told(stage, "provider-aurora", *VERIFIERS)
    ask = stage.asks["provider-aurora"]
    told = walk("sealed.mjs", stage, chromium, tmp_path / "pictures", ask, str(tmp_path), str(len(keys)))
    assert sorted(told["keys"]) == sorted(keys)
    assert (told["shownToStranger"], told["openly"]) == (0, 0)
    assert "import the copy" in told["notice"]
    row = stage.node.job(told["job"])
    # Verifiers who are readers ran it again, and came to the same sealed bytes.
    assert (row["outcome"], row["closed_by"]) == ("pass", "attested")
    with pytest.raises(ContentNotFound):
        stage.node.get_content(content_id_of(scene))
    opened = computility(
        "job", "outputs", told["job"], "--reader-key", told["copy"], "--json", folder=tmp_path, stage=stage
    )
    assert opened.code == 0, opened.out + opened.err
    assert (tmp_path / "outputs" / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_leases__are_opened_co_signed_and_ended_on_the_page(stage: Stage, chromium: str, tmp_path: Path) -> None:
    told = walk("lease.mjs", stage, chromium, tmp_path, ask_of_commands(stage))
    assert told["last"] == 1
    ended, stopped = (stage.node.job(told[name]) for name in ("ended", "stopped"))
    for row in (ended, stopped):
        assert (row["outcome"], row["closed_by"]) == ("pass", "attested")
        assert 0 < int(row["units"]) < 200
        assert row["terms"]["verifier"] == row["terms"]["buyer"]
    (contest,) = stage.node.meter_contests(parse_bytes32(told["contested"]))
    assert (contest["signer"], contest["message"]["reason"]) == (stage.cast["buyer"].address, "sample-unfit")
    give_up = time.monotonic() + 60
    while (contested := stage.node.job(told["contested"]))["state"] == "open":
        assert time.monotonic() < give_up, "the provider runs on though its buyer contests"
        time.sleep(0.2)
    assert int(contested["accepted"]) == 0, "nothing was signed for"
    # Its evidence was written in the browser, byte for byte as an auditor makes it again from the whole meter.
    audited = computility(
        "audit", "verdict", told["ended"], "--deployments", str(stage.folder / "deployments"), "--json",
        folder=tmp_path, stage=stage,
    )  # fmt: skip
    assert audited.code == 0, audited.out + audited.err
    assert "confirmed" in audited.out


def test_what_goes_wrong_on_the_page__is_told_in_a_sentence_and_costs_nobody(
    stage: Stage, chromium: str, tmp_path: Path
) -> None:
    told = walk("mishaps.mjs", stage, chromium, tmp_path)
    assert "look at the market" in told["unknown_ask"]
    assert "whole number between" in told["too_many_units"]
    assert "unitPrice is" in told["changed_terms"]
    assert "What you entered stays here" in told["chain_down"]
    assert "is not a WebAssembly module" in told["broken_program"]["told"]
    row = stage.node.job(told["broken_program"]["job"])
    assert (row["state"], row["provider_paid"], row["bond_to_buyer"]) == ("closed", "0", "0")
    assert row["refund"] == row["escrow"]
