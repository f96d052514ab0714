"""Bad input by every way in: a clear error, and nobody loses money."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import wasmtime
from tests.e2e.command_line import computility
from tests.e2e.small_job import EXAMPLE, LIMITS, MIB, SmallTrade
from tests.e2e.stubborn_endpoint import endpoint_that

from computility.chain.local_chain import LocalChain
from computility.cli.demo.stage import CREDIT, Stage
from computility.domain.content_id import content_id_of
from computility.domain.errors import ContractReverted, InsufficientFunds, NodeRefused, QuoteRefused
from computility.domain.job_specification import InputFile, Limits
from computility.domain.signature import sign_digest
from computility.domain.terms import Terms
from computility.services.program import Program, specification_of

NOTHING = "0x" + "ab" * 32


@contextmanager
def nobody_loses(stage: Stage) -> Iterator[SmallTrade]:
    """Wallets and balances of buyer and provider are the same afterwards."""
    trade = SmallTrade(stage)

    def holdings() -> list[object]:
        accounts = (stage.accounts["buyer"], stage.accounts["provider-aurora"])
        # Refunds are credited inside the escrow, and count like what is in the wallet.
        return [(account.wallet_credits() + account.balance().free, account.balance().locked) for account in accounts]

    before = holdings()
    yield trade
    assert holdings() == before


# ---------------------------------------------------------------- before a trade


def test_an_unknown_ask__is_named(stage: Stage, tmp_path: Path) -> None:
    with nobody_loses(stage):
        answer = computility(
            "buy", str(EXAMPLE / "path_tracer.wasm"), "--ask", NOTHING, "--yes", "--json", folder=tmp_path, stage=stage
        )
    assert answer.error["code"] == "unknown-ask"
    assert "market" in answer.error["detail"]


def test_too_many_units_for_any_ask__is_said_before_anything_is_uploaded(stage: Stage, tmp_path: Path) -> None:
    answer = computility(
        "buy", str(EXAMPLE / "path_tracer.wasm"), "--fuel", str(10**15), "--yes", "--json", folder=tmp_path, stage=stage
    )
    assert answer.error["code"] == "unknown-ask"
    assert "fuel" in answer.error["detail"]


def test_an_empty_wallet__is_told_how_to_fill_it(stage: Stage, tmp_path: Path) -> None:
    answer = computility(
        "buy",
        str(EXAMPLE / "path_tracer.wasm"),
        "--yes",
        "--json",
        folder=tmp_path,
        stage=stage,
        as_who="verifier-asleep",
    )
    assert answer.error["code"] == "insufficient-funds"
    assert "swap" in answer.error["detail"]


def test_an_oversized_module__is_refused_by_the_provider(stage: Stage) -> None:
    with nobody_loses(stage) as trade, pytest.raises(QuoteRefused, match="module-too-large"):
        trade.quote(program=Program("big.wasm", b"\0asm\1\0\0\0" + bytes(17 * MIB)))


def test_a_module_above_the_nodes_limit__is_refused_by_the_node(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "big.wasm").write_bytes(bytes(65 * MIB))
    answer = computility("buy", "big.wasm", "--yes", "--json", folder=tmp_path, stage=stage)
    assert answer.error["code"] == "node-refused"
    assert "limit" in answer.error["detail"]


def test_an_input_that_was_never_uploaded__is_refused(stage: Stage) -> None:
    with nobody_loses(stage) as trade:
        offer = trade.offer()
        specification = trade.upload(offer)
        missing = InputFile("other.scene", content_id_of(b"never uploaded"), 14)
        changed = dataclasses.replace(specification, inputs=(missing,))
        stage.node.put_content(changed.to_bytes())
        with pytest.raises(QuoteRefused, match="input-missing"):
            trade.buyer.request_quote(offer, changed, verifier=stage.committee)


def test_content_that_is_not_what_it_is_taken_for__is_refused(stage: Stage) -> None:
    import httpx

    taken_for = content_id_of(b"what I meant to send")
    answer = httpx.put(f"{stage.url}/v1/content?cid={taken_for}", content=b"what arrived", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (422, "content-mismatch")


# ---------------------------------------------------------------- terms


def changed_fields() -> Iterator[str]:
    """Every field of terms but the buyer and the payer, who send them."""
    return (field.name for field in dataclasses.fields(Terms) if field.name not in ("buyer", "payer"))


def other_value(terms: Terms, name: str) -> object:
    """A value that fits the field's type and is another one."""
    value = getattr(terms, name)
    if isinstance(value, str):
        return "0x" + "11" * (20 if len(value) == 42 else 32)
    return value + 1


def test_terms_that_differ_in_one_field_from_what_was_signed__never_open(stage: Stage) -> None:
    with nobody_loses(stage) as trade:
        quoted = trade.quote()
        for name in changed_fields():
            terms = dataclasses.replace(quoted.terms, **{name: other_value(quoted.terms, name)})
            with pytest.raises(ContractReverted) as refused:
                trade.account.open_from_wallet(terms, quoted.signature)
            assert refused.value.name, name


def test_somebody_elses_signature__never_opens(stage: Stage) -> None:
    with nobody_loses(stage) as trade:
        quoted = trade.quote()
        forged = sign_digest(quoted.job, bytes(stage.cast["provider-borealis"].account.key))
        with pytest.raises(ContractReverted) as refused:
            trade.account.open_from_wallet(quoted.terms, forged)
        assert refused.value.name == "NotAuthorised"


def test_an_expired_quote__never_opens(stage: Stage) -> None:
    import time

    with nobody_loses(stage) as trade:
        quoted = trade.quote(end_in_s=13)
        while trade.account.chain_time() <= quoted.terms.open_by:
            time.sleep(0.3)
        with pytest.raises(ContractReverted) as refused:
            trade.account.open_from_wallet(quoted.terms, quoted.signature)
        assert refused.value.name == "TooLate"


def test_too_little_allowance__never_opens(stage: Stage) -> None:
    from computility.services.trading_account import terms_values

    with nobody_loses(stage) as trade:
        quoted = trade.quote()
        signatures = (b"", b"", bytes.fromhex(quoted.signature[2:]))
        with pytest.raises(InsufficientFunds, match="approved"):
            trade.account.send(trade.account.escrow, "openFromWallet", terms_values(quoted.terms), signatures)


def test_a_statement_for_another_chain__is_refused(stage: Stage) -> None:
    from computility.domain.eip712 import Eip712Domain
    from computility.domain.statements import AskWithdrawal, sign_statement

    provider = stage.cast["provider-aurora"]
    elsewhere = Eip712Domain(1, stage.deployments.domain.escrow)
    withdrawal = AskWithdrawal(provider.address, stage.asks["provider-aurora"], stage.accounts["buyer"].chain_time())
    signed = sign_statement(withdrawal, elsewhere, bytes(provider.account.key), provider.address)
    with pytest.raises(NodeRefused, match="chain") as refused:
        stage.node.publish(signed)
    assert refused.value.problem_code == "signer-mismatch"


# ---------------------------------------------------------------- programs that do not end well

MODULES = {
    "module-malformed": b"this is no module",
    "fuel-exhausted": wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))'),
    "job-trapped": wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "_start") unreachable))'),
    "memory-exhausted": wasmtime.wat2wasm(
        '(module (memory (export "memory") 1) (func (export "_start") (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) '
        "(i32.const -1)))) unreachable))"
    ),
    "import-not-offered": wasmtime.wat2wasm(
        '(module (import "env" "launch" (func)) (memory (export "memory") 1) (func (export "_start")))'
    ),
}


@pytest.mark.parametrize("fault", MODULES)
def test_a_program_at_fault__is_handed_back_with_its_reason_and_all_the_money(stage: Stage, fault: str) -> None:
    with nobody_loses(stage) as trade:
        limits = Limits(fuel=200_000_000, memory_bytes=8 * MIB, output_bytes=MIB, output_files=4)
        quoted = trade.quote(program=Program("bad.wasm", bytes(MODULES[fault])), limits=limits)
        trade.open(quoted)
        trade.settle(quoted.job)
        row = stage.node.job(quoted.job)
        assert (row["outcome"], row["units"], row["refund"]) == ("claim", "0", row["escrow"])
        assert row["bond_returned"] == row["terms"]["bond"]
        with pytest.raises(NodeRefused, match=fault) as told:
            stage.node.outputs(quoted.job)
        assert told.value.problem_code == "job-excused"


def test_the_command_line__tells_why_a_program_came_back(stage: Stage, tmp_path: Path) -> None:
    SmallTrade(stage)
    (tmp_path / "bad.wasm").write_bytes(MODULES["job-trapped"])
    answer = computility("buy", "bad.wasm", "--fuel", "1000000", "--yes", "--json", folder=tmp_path, stage=stage)
    assert "job-trapped" in answer.error["detail"]


def test_an_input_whose_size_is_not_what_the_specification_says__is_handed_back(stage: Stage) -> None:
    with nobody_loses(stage) as trade:
        offer = trade.offer()
        good = specification_of(
            Program("p.wasm", bytes(MODULES["job-trapped"]), [], {"in": b"four"}),
            offer.ask.environment,
            LIMITS,
            "0x" + secrets.token_hex(32),
            trade.account.chain_time(),
        )
        wrong = dataclasses.replace(good, inputs=(dataclasses.replace(good.inputs[0], size=5),))
        for data in (bytes(MODULES["job-trapped"]), b"four", wrong.to_bytes()):
            stage.node.put_content(data)
        quoted = trade.buyer.request_quote(offer, wrong, verifier=stage.committee)
        trade.open(quoted)
        trade.settle(quoted.job)
        with pytest.raises(NodeRefused, match="content-mismatch"):
            stage.node.outputs(quoted.job)


# ---------------------------------------------------------------- endpoints


def test_a_chain_that_is_down__is_told_from_a_node_that_is(stage: Stage, tmp_path: Path) -> None:
    nothing_there = "http://127.0.0.1:1"
    chain = computility("wallet", "show", "--rpc", nothing_there, "--json", folder=tmp_path, stage=stage)
    assert chain.error["code"] == "chain-unavailable"
    node = computility("wallet", "show", "--node", nothing_there, "--json", folder=tmp_path, stage=stage)
    assert node.error["code"] == "node-unavailable"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [("talks html", "chain-misbehaved"), ("lies", "chain-misbehaved"), ("is slow", "chain-silent")],
)
def test_a_chain_that_misbehaves__is_told_in_one_line(stage: Stage, tmp_path: Path, behaviour: str, code: str) -> None:
    with endpoint_that(behaviour) as url:
        answer = computility("wallet", "show", "--rpc", url, "--json", folder=tmp_path, stage=stage)
    assert answer.error["code"] == code
    assert "\n" not in answer.error["detail"]


def test_another_chain__is_refused(stage: Stage, ganache: LocalChain, tmp_path: Path) -> None:
    answer = computility("wallet", "show", "--rpc", ganache.rpc_url, "--json", folder=tmp_path, stage=stage)
    assert answer.error["code"] == "wrong-chain"
    assert "1337" in answer.error["detail"]
    assert "31337" in answer.error["detail"]


def test_an_escrow_that_is_not_the_trusted_one__is_refused(stage: Stage, tmp_path: Path) -> None:
    answer = computility("wallet", "show", "--escrow", "0x" + "11" * 20, "--json", folder=tmp_path, stage=stage)
    assert answer.error["code"] == "wrong-domain"


def test_a_wrong_password__is_said_and_shown_nowhere(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a guess\n")
    answer = computility("wallet", "show", "--password-file", "password", "--json", folder=tmp_path, stage=stage)
    assert answer.error["code"] == "keystore-error"
    assert "a guess" not in answer.out + answer.err


def test_amounts_that_are_none__are_refused(stage: Stage, tmp_path: Path) -> None:
    for text in ("a lot", "1e3", "0.0000000000000000001", str(10**40)):
        answer = computility("wallet", "swap", text, "--json", folder=tmp_path, stage=stage)
        assert answer.error["code"] == "amount-out-of-range"
    assert stage.accounts["buyer"].wallet_credits() < 10_000 * CREDIT
