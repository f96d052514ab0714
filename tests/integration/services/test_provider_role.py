"""A provider from its one file: on the market, a sandboxed job from quote to pay, metrics, pay-out, exit.

the agent of a settings file
├── posts its asks, leaves them alone while they are good, renews and withdraws them as the file changes
├── refuses a job that is larger than its machine
├── runs a command in the sandbox and is paid for it, in two transactions
├── sells to a buyer that uses nothing but the command line
├── counts what it did
└── brings what it has beside its bonds to the wallet once that pays
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest
from tests.e2e.command_line import computility
from tests.integration.execution.sandbox_bench import LIMITS, MIB, SEED, needs_bubblewrap
from tests.integration.ledger_on_chain import BUYER, CREDIT, PROVIDER, VERIFIER, LedgerOnChain
from tests.integration.waiting import wait

from computility.chain.keystore import create_keystore, development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC
from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of
from computility.domain.errors import ExecutorUnfit, QuoteRefused
from computility.domain.identifiers import ZERO_BYTES32
from computility.domain.job import JobState
from computility.domain.job_specification import InputFile
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.services.ask_keeper import AskKeeper
from computility.services.buyer import Buyer
from computility.services.node_client import NodeClient
from computility.services.payout_keeper import PayoutPolicy, due
from computility.services.provider_config import ProviderConfig
from computility.services.provider_metrics import ProviderMetrics
from computility.services.provider_role import agent_of, executors_of, kept_asks

WAIT_S = 90.0
RESOURCE = "urn:computility:cpu:x86-64:2x:1g:local:aurora:0002:cpu-s"


def settings(ledger: LedgerOnChain, **changes: object) -> ProviderConfig:
    """Commands at a hundredth of a credit a second."""
    offer = {"kind": "process", "resource": RESOURCE, "price": "0.01", "max_units": 100, "dispute_window_s": 100}
    return ProviderConfig.model_validate(
        {
            "trust": {"verifiers": [ledger.accounts[VERIFIER].address]},
            "collect": {"withdraw_above": "1", "keep": "15"},
            "offer": [{**offer, **changes}],
        }
    )


def command(environment: str, limits: CommandLimits = LIMITS) -> tuple[TaskSpecification, bytes]:
    """A command that copies its input loudly, and the input."""
    data = b"hello"
    given = InputFile("words", content_id_of(data), len(data))
    script = ("/bin/sh", "-c", "tr a-z A-Z < words > /out/loud")
    return TaskSpecification("process", environment, (), script, (given,), limits, 0, SEED), data


@needs_bubblewrap
def test_a_provider__sells_a_sandboxed_command_and_is_paid(ledger: LedgerOnChain, node: NodeClient) -> None:
    provider, verifier = ledger.accounts[PROVIDER], ledger.accounts[VERIFIER]
    in_wallet = provider.wallet_credits()
    agent = agent_of(settings(ledger), provider, node, None)
    stop = threading.Event()
    serving = threading.Thread(target=agent.run, args=(stop,), daemon=True)
    serving.start()
    try:
        wait(lambda: bool(node.asks(provider=provider.address)))
        buyer = Buyer(ledger.accounts[BUYER], node)
        offer = buyer.offers()[0]

        huge, _ = command(offer.ask.environment, CommandLimits(10, 10, 2**40, MIB, 8, MIB, 8))
        node.put_content(huge.to_bytes())
        with pytest.raises(QuoteRefused, match="memory"):
            buyer.request_quote(offer, huge, verifier=verifier.address)

        specification, data = command(offer.ask.environment)
        node.put_content(data)
        node.put_content(specification.to_bytes())
        quoted = buyer.request_quote(offer, specification, verifier=verifier.address)
        buyer.open(quoted)
        wait(lambda: bool(node.submissions(quoted.job)))
        submission = node.submissions(quoted.job)[0]["message"]
        _, outputs = buyer.outputs(submission["result"])
        assert outputs == {"loud": b"HELLO"}

        said = Attestation(
            quoted.job, Verdict.PASS, submission["result"], int(submission["units"]), True, 10_000, ZERO_BYTES32, ZERO_BYTES32
        )  # fmt: skip
        node.publish(verifier.sign(said))
        wait(lambda: provider.job(quoted.job).state is JobState.CLOSED)
        assert 15 * CREDIT < provider.balance().free < 16 * CREDIT
        assert provider.wallet_credits() == in_wallet + 5 * CREDIT
        assert provider.buyer_tier(ledger.accounts[BUYER].address) == 0, "one small trade makes no name"
    finally:
        stop.set()
        serving.join(30)
    text = generate_latest(agent.metrics.registry).decode()
    assert 'end="submitted"' in text
    assert 'computility_provider_transactions_total{call="attest"} 1.0' in text
    assert quoted.job not in text


@needs_bubblewrap
def test_buy__by_the_command_line__runs_a_script_in_the_sandbox(
    ledger: LedgerOnChain, node: NodeClient, tmp_path: Path
) -> None:
    provider, verifier = ledger.accounts[PROVIDER], ledger.accounts[VERIFIER]
    script, words, password, keystore = (tmp_path / name for name in ("loud.sh", "words", "password", "buyer.json"))
    script.write_text('tr a-z A-Z < "$1" > /out/loud\n')
    words.write_text("hello")
    password.write_text("of a test\n")
    create_keystore(keystore, "of a test", bytes(development_account(DEVELOPMENT_MNEMONIC, BUYER).key), fast=True)
    agent = agent_of(settings(ledger), provider, node, None)
    stop = threading.Event()
    serving = threading.Thread(target=agent.run, args=(stop,), daemon=True)
    serving.start()

    def attest() -> None:
        wait(lambda: any(node.submissions(row["id"]) for row in node.jobs(state="open")))
        (job,) = (row["id"] for row in node.jobs(state="open"))
        told = node.submissions(job)[0]["message"]
        node.publish(
            verifier.sign(
                Attestation(
                    job, Verdict.PASS, told["result"], int(told["units"]), True, 10_000, ZERO_BYTES32, ZERO_BYTES32
                )
            )
        )

    try:
        wait(lambda: bool(node.asks(provider=provider.address)))
        with ThreadPoolExecutor(1) as pool:
            attested = pool.submit(attest)
            answer = computility(
                "buy", str(script), "words", "--with", "/bin/sh", "--input", str(words), "--seconds", "10",
                "--verifier", verifier.address, "--yes", "--json",
                folder=tmp_path,
                COMPUTILITY_NODE=node.url,
                COMPUTILITY_RPC_URL=ledger.rpc.url,
                COMPUTILITY_KEYSTORE=str(keystore),
                COMPUTILITY_PASSWORD_FILE=str(password),
            )  # fmt: skip
            attested.result(WAIT_S)
        assert answer.code == 0, answer.out + answer.err
        assert answer.document["outcome"] == "pass"
        assert (tmp_path / "outputs" / "loud").read_text() == "HELLO"

        program = computility("buy", str(script), folder=tmp_path)
        assert program.code == 2
        assert "say with what to run it" in " ".join(program.err.replace("│", " ").split())
        nobody = computility(
            "buy", str(script), "--with", "/bin/sh", "--seconds", "1000000", "--json",
            folder=tmp_path,
            COMPUTILITY_NODE=node.url,
            COMPUTILITY_RPC_URL=ledger.rpc.url,
            COMPUTILITY_KEYSTORE=str(keystore),
            COMPUTILITY_PASSWORD_FILE=str(password),
        )  # fmt: skip
        assert nobody.error["code"] == "unknown-ask"
    finally:
        stop.set()
        serving.join(30)


@needs_bubblewrap
def test_asks__follow_the_settings__and_nothing_is_posted_twice(ledger: LedgerOnChain, node: NodeClient) -> None:
    provider = ledger.accounts[PROVIDER]
    config = settings(ledger)
    executors = executors_of(config)

    def keeper(config: ProviderConfig) -> AskKeeper:
        return AskKeeper(provider, node, kept_asks(config, executors, provider.address, config.verifiers))

    assert keeper(config).tend() == 1
    assert keeper(config).tend() == 0
    dearer = settings(ledger, price="0.02")
    assert keeper(dearer).tend() == 2, "one posted, one withdrawn"
    asks = node.asks(provider=provider.address)
    assert [int(row["ask"]["message"]["unitPrice"]) for row in asks] == [CREDIT // 50]
    ledger.pass_time(6 * 86_400)
    wait(lambda: keeper(dearer).tend() == 1)
    assert keeper(dearer).tend() == 0
    assert keeper(dearer).withdraw_all() == 2
    assert node.asks(provider=provider.address) == []


def test_an_agent__of_which_nothing_works__does_not_start(
    ledger: LedgerOnChain, node: NodeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ExecutorUnfit, match="provider bench"):
        agent_of(settings(ledger), ledger.accounts[PROVIDER], node, None)
    left_out = executors_of(settings(ledger)).left_out
    assert "bubblewrap is not installed" in left_out["process"]


def test_pay_out__waits_until_it_pays() -> None:
    policy = PayoutPolicy(withdraw_above=10, keep=5)
    assert [due(policy, free) for free in (0, 5, 14, 15, 40)] == [0, 0, 0, 10, 35]
    assert due(PayoutPolicy(), 10**30) == 0


def test_metrics__are_served_on_loopback() -> None:
    metrics = ProviderMetrics()
    metrics.quotes.inc(3)
    port = metrics.serve("127.0.0.1", 0)
    assert "computility_provider_quote_requests_total 3.0" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
