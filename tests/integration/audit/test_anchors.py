"""An audit holds what it reads against blocks that the auditor brings: another chain of the same id, and a ledger saved from one, are refused.

Branches: the blocks of the deployment records × (an endpoint, a saved file) × (the same chain, a made-up one); the records of the file against the
auditor's (same, other contracts, fewer generations, a generation left out); a trusted block (there, another, out of reach, no block at all). A
proven trade × (the escrow: the auditor's, another's on the same chain, of another chain; its blocks: trusted, another, none of them).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.integration.ledger_on_chain import OTHER_PROVIDER, LedgerOnChain, deploy_ledger, index_all
from typer.testing import CliRunner

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments, write_deployments
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.cli.application import build_application
from computility.domain.errors import InvalidMessage, InvalidProof
from computility.domain.identifiers import Address, Bytes32
from computility.services.indexer import Indexer
from computility.services.ledger_anchors import OF_AUDITOR, Anchor, Anchors, parse_anchor
from computility.services.ledger_source import FileSource, RpcSource, proven_blocks, save_ledger
from computility.services.ledger_walk import walk
from computility.services.proof_builder import ProofBuilder
from computility.store.engine import open_database


@dataclass(frozen=True)
class Chains:
    """The auditor's chain, and one that somebody made up: the same id, the same transactions, so contracts at the same addresses."""

    own: LedgerOnChain
    made_up: LedgerOnChain
    folder: Path
    """Of the auditor's deployment records."""


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chains]:
    settings = LocalChainSettings("anvil", block_time_s=0)
    with LocalChain(settings) as first, LocalChain(settings) as second:
        RpcClient(second.rpc_url).call("evm_increaseTime", "0x3e8")
        own = deploy_ledger(first, tmp_path_factory.mktemp("own"))
        made_up = deploy_ledger(second, tmp_path_factory.mktemp("made-up"))
        for ledger in (own, made_up):
            ledger.attest(ledger.open())
        folder = tmp_path_factory.mktemp("deployments")
        write_deployments(folder, own.deployments)
        yield Chains(own, made_up, folder)


def saved(ledger: LedgerOnChain, folder: Path) -> Path:
    path = folder / "ledger.gz"
    list(save_ledger(RpcSource(ledger.rpc, ledger.deployments), path))
    return path


def audit(chains: Chains, *words: str, rpc: str) -> Result:
    application = build_application("audit")
    return CliRunner().invoke(
        application, ["audit", *words, "--deployments", str(chains.folder), "--rpc", rpc, "--json"]
    )


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_made_up_chain__has_the_same_contracts_and_another_first_block(chains: Chains) -> None:
    own, made_up = chains.own.deployments.newest, chains.made_up.deployments.newest
    assert own.contracts == made_up.contracts
    assert own.block == made_up.block
    assert own.block_hash != made_up.block_hash


def test_an_endpoint_of_a_made_up_chain__is_refused(chains: Chains) -> None:
    source = RpcSource(chains.made_up.rpc, chains.own.deployments)
    with pytest.raises(InvalidProof, match=f"block {chains.own.deployments.newest.block} is .* by deployments"):
        list(proven_blocks(source, chains.own.deployments.newest.block, source.last))
    for verb in ("conserve", "statistics"):
        refused = audit(chains, verb, rpc=chains.made_up.rpc.url)
        assert refused.exit_code == 1
        assert "this is another chain" in str(refused.exception)


def test_a_process_that_proves_blocks__refuses_it_too(chains: Chains) -> None:
    with pytest.raises(InvalidProof, match="by deployments"):
        list(walk(RpcSource(chains.made_up.rpc, chains.own.deployments), process_from=1))


def test_saving_a_made_up_chain__is_refused(chains: Chains, tmp_path: Path) -> None:
    with pytest.raises(InvalidProof, match="another chain"):
        list(save_ledger(RpcSource(chains.made_up.rpc, chains.own.deployments), tmp_path / "ledger.gz"))


def test_a_ledger_saved_from_a_made_up_chain__is_refused(chains: Chains, tmp_path: Path) -> None:
    refused = audit(chains, "conserve", "--ledger", str(saved(chains.made_up, tmp_path)), rpc="http://127.0.0.1:9")
    assert refused.exit_code == 1
    assert "was saved with other deployments" in str(refused.exception)


def test_a_ledger_saved_from_the_own_chain__says_what_was_believed(chains: Chains, tmp_path: Path) -> None:
    path = saved(chains.own, tmp_path)
    generation, last = chains.own.deployments.newest, chains.own.rpc.block_number()
    told = document(audit(chains, "conserve", "--ledger", str(path), rpc="http://127.0.0.1:9"))
    assert told["conserved"] is True
    assert told["believed"] == {
        "chain": "eip155:31337",
        "anchors": [{"block": generation.block, "hash": generation.block_hash, "brought_by": "deployments"}],
        "proven_to_block": generation.block,
        "blocks_on_the_sources_word": last - generation.block,
    }


def test_an_auditor_without_records_of_that_chain__is_told_to_bring_them(chains: Chains, tmp_path: Path) -> None:
    path = saved(chains.own, tmp_path)
    empty = replace(chains, folder=tmp_path)
    refused = audit(empty, "conserve", "--ledger", str(path), rpc="http://127.0.0.1:9")
    assert refused.exit_code == 1
    assert "no deployment is recorded for chain 31337" in str(refused.exception)


def test_a_trusted_block__proves_all_before_it(chains: Chains, tmp_path: Path) -> None:
    path, header = saved(chains.own, tmp_path), chains.own.rpc.header("latest")
    assert header is not None
    trusted = ("--trusted-block", f"{header.number}:{header.hash}")
    for words in (("--ledger", str(path)), ()):
        told = document(audit(chains, "conserve", *words, *trusted, rpc=chains.own.rpc.url))
        assert told["believed"]["proven_to_block"] == header.number
        assert told["believed"]["blocks_on_the_sources_word"] == 0


@pytest.mark.parametrize(
    ("trusted", "said"),
    [
        ("{last}:0x" + "77" * 32, "this is another chain"),
        ("{beyond}:0x" + "77" * 32, "not among the blocks that are read"),
        ("last", "is no block"),
        ("-1:0x" + "77" * 32, "is no block"),
        ("7:0x77", "is no block"),
    ],
)
def test_a_trusted_block_that_the_ledger_has_not__is_refused(
    chains: Chains, tmp_path: Path, trusted: str, said: str
) -> None:
    path, last = saved(chains.own, tmp_path), chains.own.rpc.block_number()
    named = trusted.format(last=last, beyond=last + 1)
    refused = audit(chains, "conserve", "--ledger", str(path), "--trusted-block", named, rpc="http://127.0.0.1:9")
    assert refused.exit_code == 1
    assert said in str(refused.exception)


def test_a_replay__holds_the_chain_against_what_the_auditor_brings(chains: Chains, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/node.sqlite"
    database = open_database(url)
    index_all(Indexer(chains.own.rpc, database, chains.own.deployments))
    database.close()
    header = chains.own.rpc.header("latest")
    assert header is not None
    words = ("replay", "--database", url, "--trusted-block")
    told = document(audit(chains, *words, f"{header.number}:{header.hash}", rpc=chains.own.rpc.url))
    assert (told["store_matches_chain"], told["believed"]["proven_to_block"]) == (True, header.number)
    refused = audit(chains, *words, f"{header.number}:0x{'77' * 32}", rpc=chains.own.rpc.url)
    assert (refused.exit_code, "this is another chain" in str(refused.exception)) == (1, True)
    beyond = audit(chains, *words, f"{header.number + 1}:{header.hash}", rpc=chains.own.rpc.url)
    assert (beyond.exit_code, "not among the blocks that are read" in str(beyond.exception)) == (1, True)


def changed(deployments: Deployments, **changes: Any) -> Deployments:
    return replace(deployments, generations=(replace(deployments.newest, **changes),))


def test_the_records_of_a_saved_ledger__have_to_be_the_auditors(chains: Chains, tmp_path: Path) -> None:
    path, own = saved(chains.own, tmp_path), chains.own.deployments
    assert FileSource(path, lambda _: own).last == chains.own.rpc.block_number()
    elsewhere = changed(own, contracts={**own.newest.contracts, "JobEscrow": Address("0x" + "11" * 20)})
    with pytest.raises(InvalidProof, match="other contracts"):
        FileSource(path, lambda _: elsewhere)
    with pytest.raises(InvalidProof, match=r"eip155:31337.*eip155:1"):
        FileSource(path, lambda _: replace(own, chain_number=1))


def with_later_generation(own: Deployments, block: int) -> Deployments:
    later = replace(own.newest, number=2, block=block, block_hash=Bytes32("0x" + "22" * 32))
    return replace(own, generations=(*own.generations, later))


def test_a_ledger_that_was_saved_before_a_generation__is_read__and_one_that_leaves_it_out_is_refused(
    chains: Chains, tmp_path: Path
) -> None:
    path, own = saved(chains.own, tmp_path), chains.own.deployments
    last = chains.own.rpc.block_number()
    assert FileSource(path, lambda _: with_later_generation(own, last + 1)).deployments == own
    with pytest.raises(InvalidProof, match="leaves out the contracts"):
        FileSource(path, lambda _: with_later_generation(own, last))


def test_a_ledger_of_generations_that_the_auditor_does_not_know__is_refused(chains: Chains, tmp_path: Path) -> None:
    own = chains.own.deployments
    longer = with_later_generation(own, own.newest.block)
    longer = replace(longer, generations=(own.newest, replace(longer.newest, block_hash=own.newest.block_hash)))
    path = tmp_path / "ledger.gz"
    list(save_ledger(RpcSource(chains.own.rpc, longer), path))
    with pytest.raises(InvalidProof, match="bring a newer record"):
        FileSource(path, lambda _: own)


def test_two_hashes_of_one_block__are_refused(chains: Chains) -> None:
    number = chains.own.deployments.newest.block
    with pytest.raises(InvalidMessage, match="only one can be true"):
        Anchors(chains.own.deployments, [Anchor(number, Bytes32("0x" + "33" * 32), OF_AUDITOR)])
    assert parse_anchor(f"{number}:0x{'33' * 32}") == Anchor(number, Bytes32("0x" + "33" * 32), OF_AUDITOR)


# ---------------------------------------------------------------- a proven trade


@pytest.fixture(scope="module")
def proof(chains: Chains, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a trade of the auditor's chain."""
    provider = chains.own.accounts[OTHER_PROVIDER]
    terms = chains.own.open(OTHER_PROVIDER, bond=provider.balance().free + provider.free_stake() // 4)
    chains.own.attest(terms)
    builder = ProofBuilder(ChainConnection(chains.own.rpc), chains.own.deployments)
    path = tmp_path_factory.mktemp("proof") / "trade.proof.json"
    path.write_bytes(builder.build(terms.job_id(chains.own.deployments.domain))[0])
    return path


def verify(proof: Path, *words: str) -> Result:
    return CliRunner().invoke(build_application("audit"), ["audit", "verify", str(proof), *words, "--json"])


def test_a_proven_trade__is_held_against_blocks_and_records_that_the_auditor_brings(
    chains: Chains, proof: Path
) -> None:
    assert document(verify(proof))["generation"] is None
    blocks = document(verify(proof))["blocks"]
    trusted = [word for block in blocks for word in ("--trusted-block", f"{block['number']}:{block['hash']}")]
    told = document(verify(proof, *trusted, "--deployments", str(chains.folder)))
    assert (told["blocks_trusted"], told["generation"]) == (len(blocks), 1)


def test_a_proven_trade_of_another_block_than_the_auditor_trusts__is_refused(proof: Path) -> None:
    number = document(verify(proof))["blocks"][0]["number"]
    other = verify(proof, "--trusted-block", f"{number}:0x{'77' * 32}")
    assert (other.exit_code, type(other.exception)) == (1, InvalidProof)
    none = verify(proof, "--trusted-block", f"{number + 1_000}:0x{'77' * 32}")
    assert (none.exit_code, type(none.exception)) == (1, InvalidMessage)


def test_a_proven_trade_of_an_escrow_that_somebody_else_deployed__is_refused(
    chains: Chains, proof: Path, tmp_path: Path
) -> None:
    own = chains.own.deployments
    for contracts, said in (
        ({"JobEscrow": Address("0x" + "11" * 20)}, "none of your deployments"),
        ({"ProviderRegistry": Address("0x" + "11" * 20)}, "the stake is of registry"),
        ({}, None),
    ):
        folder = tmp_path / "-".join(("records", *contracts))
        write_deployments(folder, changed(own, contracts={**own.newest.contracts, **contracts}))
        told = verify(proof, "--deployments", str(folder))
        assert (said is None) is (told.exit_code == 0)
        assert said is None or said in str(told.exception)
