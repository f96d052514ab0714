"""Every command by hand, against a running stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.command_line import computility
from tests.e2e.small_job import EXAMPLE, SmallTrade, small_program

from computility.cli.demo.cast import VERIFIERS
from computility.cli.demo.stage import Stage

COMMANDS = ("demo", "buy", "ask", "job", "wallet", "audit", "provider", "verifier", "arbiter", "node", "deploy")


def test_help__names_every_command_and_says_what_it_does(tmp_path: Path) -> None:
    answer = computility("--help", folder=tmp_path)
    assert answer.code == 0
    assert all(command in answer.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command__has_a_help(command: str, tmp_path: Path) -> None:
    answer = computility(command, "--help", folder=tmp_path)
    assert answer.code == 0
    assert "Usage" in answer.out
    assert len(answer.out.splitlines()) > 8


def test_buy__fetches_the_picture_and_shows_who_takes_part(stage: Stage, tmp_path: Path) -> None:
    SmallTrade(stage)
    scene = EXAMPLE / "scenes" / "demo.scene"
    program = str(EXAMPLE / "path_tracer.wasm")
    answer = computility(
        "buy",
        program,
        "demo.scene",
        "--input",
        str(scene),
        "--fuel",
        "12000000000",
        "--yes",
        folder=tmp_path,
        stage=stage,
    )
    assert answer.code == 0, answer.err
    for party in ("provider-aurora",):
        assert stage.cast[party].address in answer.out
    assert stage.committee in answer.out
    assert "provider paid  3.35214\n" in answer.out, "credits, not units of 10^-18"
    picture = (tmp_path / "outputs" / "picture.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")

    job = computility("job", "list", "--buyer", stage.cast["buyer"].address, "--json", folder=tmp_path, stage=stage)
    newest = job.document[0]
    assert newest["state"] == "closed"
    shown = computility("job", "show", newest["id"], "--json", folder=tmp_path, stage=stage).document
    assert [event["name"] for event in shown["events"]][:2] == ["JobOpened", "JobPaid"]
    again = computility("job", "outputs", newest["id"], "--to", "again", "--json", folder=tmp_path, stage=stage)
    assert again.code == 0, again.out
    assert (tmp_path / "again" / "picture.png").read_bytes() == picture


def test_a_sealed_job__finds_its_readers_in_the_journal__and_its_buyer_opens_it(stage: Stage, tmp_path: Path) -> None:
    SmallTrade(stage)
    program = small_program()
    (tmp_path / "tracer.wasm").write_bytes(program.module)
    (tmp_path / "demo.scene").write_bytes((program.inputs or {})["demo.scene"])
    words = ("buy", "tracer.wasm", "demo.scene", "--input", "demo.scene", "--seal", "--yes", "--json")
    ask = ("--ask", stage.asks["provider-aurora"])
    answer = computility(*words, *ask, folder=tmp_path, stage=stage)
    assert answer.code == 0, answer.out + answer.err
    assert answer.document["outcome"] == "pass"
    assert f"provider {stage.cast['provider-aurora'].address}" in " ".join(answer.err.split())
    assert (tmp_path / "outputs" / "picture.png").read_bytes().startswith(b"\x89PNG")

    # An auditor who was not there needs one of the readers' keys, and no other.
    deployments = str(stage.folder / "deployments")
    audit = ("audit", "verdict", answer.document["job"], "--deployments", deployments, "--json")
    without = computility(*audit, folder=tmp_path, stage=stage)
    assert (without.code, without.document["verdicts"][0]["reason"]) == (4, "sealed"), without.out + without.err
    assert "--reader-key" in without.err
    for who in ("provider-aurora", "arbiter-1"):
        saved = computility(
            "wallet", "reader-key", "--save", f"{who}.json", "--json", folder=tmp_path, stage=stage, as_who=who
        )
        assert saved.code == 0, saved.out + saved.err
    found = computility(*audit, "--reader-key", "provider-aurora.json", folder=tmp_path, stage=stage)
    assert (found.code, found.document["agreement"]) == (0, "confirmed"), found.out + found.err
    stranger = computility(*audit, "--key-file", "arbiter-1.json", folder=tmp_path, stage=stage)
    assert (stranger.code, stranger.error["code"]) == (1, "not-a-reader")
    secret = json.loads((tmp_path / "arbiter-1.json").read_text())["secret"]
    assert secret not in stranger.out + stranger.err


def test_wallet__swaps_deposits_withdraws_and_redeems(stage: Stage, tmp_path: Path) -> None:
    def wallet(*words: str) -> dict[str, str]:
        answer = computility("wallet", *words, "--json", folder=tmp_path, stage=stage, as_who="verifier-1")
        assert answer.code == 0, answer.out + answer.err
        document: dict[str, str] = answer.document
        return document

    assert wallet("mint", "7")["reserve_for_credits"] == "7"
    before = float(wallet("show")["wallet_credits"])
    assert float(wallet("swap", "2.5")["wallet_credits"]) == before + 2.5
    assert wallet("deposit", "1.5")["escrow_free"] == "1.5"
    assert wallet("withdraw")["withdrawn"] == "1.5"
    assert float(wallet("redeem", "2.5")["wallet_credits"]) == before
    assert wallet("show")["escrow_free"] == "0"


def test_a_new_keystore__is_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    words = ("wallet", "new", "--keystore", "key.json", "--password-file", "password", "--json")
    made = computility(*words, folder=tmp_path)
    assert made.code == 0, made.out
    assert (tmp_path / "key.json").stat().st_mode & 0o777 == 0o600
    assert computility(*words, folder=tmp_path).error["code"] == "keystore-error"


def test_asks__are_published_listed_and_withdrawn(stage: Stage, tmp_path: Path) -> None:
    urn = "urn:computility:wasm:wasmtime:1x:1g:local:aurora:0002:mfuel"
    words = ("ask", "publish", urn, "--price", "0.01", "--yes", "--json")
    published = computility(*words, folder=tmp_path, stage=stage, as_who="provider-aurora").document
    listed = computility("ask", "list", "--json", folder=tmp_path, stage=stage).document
    assert published["ask"] in [row["ask"]["id"] for row in listed]
    words = ("ask", "withdraw", published["ask"], "--json")
    assert computility(*words, folder=tmp_path, stage=stage, as_who="provider-aurora").code == 0
    listed = computility("ask", "list", "--json", folder=tmp_path, stage=stage).document
    assert published["ask"] not in [row["ask"]["id"] for row in listed]


def test_audit__agrees_asked_of_the_node_and_done_here(stage: Stage, tmp_path: Path) -> None:
    asked = computility("audit", "--json", folder=tmp_path, stage=stage)
    assert asked.code == 0, asked.out
    assert asked.document["store_matches_chain"] is True
    here = computility(
        "audit", "--database", f"sqlite:///{stage.folder}/node.sqlite", "--deployments", str(stage.folder / "deployments"),
        "--json", folder=tmp_path, stage=stage,
    )  # fmt: skip
    assert here.code == 0, here.out + here.err
    assert here.document["store_matches_chain"] is True


def test_a_verifier__claims_its_share_of_a_fee(stage: Stage, tmp_path: Path) -> None:
    trade = SmallTrade(stage)
    offer = trade.offer()
    quoted = trade.buyer.request_quote(offer, trade.upload(offer), verifier=stage.committee, verifier_fee=3 * 10**17)
    trade.open(quoted)
    trade.settle(quoted.job)
    signers = stage.node.attestations(quoted.job)["aggregate"]["signers"]
    member = next(name for name in VERIFIERS if stage.cast[name].address in signers)
    answer = computility("verifier", "claim", "--wait", "30", "--json", folder=tmp_path, stage=stage, as_who=member)
    assert answer.code == 0, answer.out + answer.err
    assert len(answer.document["withdrawals"]) == 1
    assert float(answer.document["paid"]) >= 0.3 / len(signers)
    assert answer.document["waiting"] == {}
    again = computility("verifier", "claim", "--json", folder=tmp_path, stage=stage, as_who=member)
    assert (again.document["paid"], again.document["withdrawals"]) == ("0", [])
