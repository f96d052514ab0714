"""The headers and receipts of real chains hash to what the chains say, and each receipt is proven against its block's hash."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger

from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, find_program, free_port
from computility.chain.receipt_trie import (
    bloom_may_hold,
    encode_header,
    encode_receipt,
    parse_header,
    proven_receipt,
    receipts_root,
    receipts_trie,
    require_block_hash,
)
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainMisbehaved, ChainUnavailable, InvalidProof
from computility.domain.keccak import keccak256

Block = tuple[dict[str, Any], list[dict[str, Any]]]


def read_block(ledger: LedgerOnChain, number: int) -> Block:
    block = ledger.rpc.call("eth_getBlockByNumber", hex(number), False)
    receipts = ledger.rpc.batch([("eth_getTransactionReceipt", (tx,)) for tx in block["transactions"]])
    return block, receipts


@pytest.fixture(scope="module")
def blocks(chain: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> list[Block]:
    """All blocks of a deployment and a trade, and one with transactions of types 0, 1 and 2."""
    ledger = deploy_ledger(chain, tmp_path_factory.mktemp("deployments"))
    ledger.attest(ledger.open())
    ledger.rpc.call(*(("evm_setAutomine", False) if chain.settings.backend == "anvil" else ("miner_stop",)))
    sender = ledger.rpc.call("eth_accounts")[5]
    first = ledger.rpc.quantity(ledger.rpc.call("eth_getTransactionCount", sender, "latest"))
    price = {"gasPrice": hex(4 * 10**9)}
    kinds = [
        price,
        {**price, "type": "0x1", "accessList": []},
        {"maxFeePerGas": hex(4 * 10**9), "maxPriorityFeePerGas": "0x1"},
    ]
    for index in range(20):
        fields = {"from": sender, "to": sender, "gas": "0x7530", "nonce": hex(first + index), **kinds[index % 3]}
        ledger.rpc.call("eth_sendTransaction", fields)
    ledger.rpc.call(*(("evm_setAutomine", True) if chain.settings.backend == "anvil" else ("miner_start",)))
    ledger.control.call("evm_mine")
    return [read_block(ledger, number) for number in range(ledger.rpc.block_number() + 1)]


def test_every_header__hashes_to_the_blocks_hash(blocks: list[Block]) -> None:
    for block, _ in blocks:
        header = parse_header(require_block_hash(block))
        assert header.hash == block["hash"]
        assert header.number == int(block["number"], 16)
        assert header.timestamp == int(block["timestamp"], 16)


def test_all_receipts__have_the_headers_root_and_are_proven_by_it(blocks: list[Block]) -> None:
    assert max(len(receipts) for _, receipts in blocks) == 20
    for block, receipts in blocks:
        assert receipts_root(receipts) == block["receiptsRoot"]
        header, trie = parse_header(encode_header(block)), receipts_trie(receipts)
        for index, receipt in enumerate(receipts):
            proven = proven_receipt(header, index, trie.prove(index))
            assert proven.type == int(receipt["type"], 16)
            assert [(log.address.hex(), log.data.hex()) for log in proven.logs] == [
                (log["address"][2:].lower(), log["data"][2:]) for log in receipt["logs"]
            ]


def test_receipts_of_several_types__are_among_them(blocks: list[Block]) -> None:
    assert {encode_receipt(receipt)[0] for _, receipts in blocks for receipt in receipts} >= {1, 2}
    assert {receipt["type"] for _, receipts in blocks for receipt in receipts} >= {"0x0", "0x1", "0x2"}


def test_a_missing_log__changes_the_root(blocks: list[Block]) -> None:
    block, receipts = next(found for found in reversed(blocks) if any(receipt["logs"] for receipt in found[1]))
    silenced = [{**receipt, "logs": receipt["logs"][1:]} for receipt in receipts]
    assert receipts_root(silenced) != block["receiptsRoot"]


def test_a_bloom__holds_what_its_logs_name_and_an_empty_one_nothing(blocks: list[Block]) -> None:
    for block, receipts in blocks:
        bloom = bytes.fromhex(block["logsBloom"][2:])
        logs = [log for receipt in receipts for log in receipt["logs"]]
        for log in logs:
            values = [bytes.fromhex(value[2:]) for value in (log["address"], *log["topics"])]
            assert bloom_may_hold(bloom, *values)
        if not logs:
            assert not bloom_may_hold(bloom, keccak256(b"anything")[:20])


def test_a_header_that_was_changed__is_refused(blocks: list[Block]) -> None:
    block, receipts = blocks[-1]
    with pytest.raises(ChainMisbehaved, match="does not hash"):
        require_block_hash({**block, "timestamp": "0x1"})
    with pytest.raises(ChainMisbehaved, match="no block header"):
        encode_header({key: value for key, value in block.items() if key != "stateRoot"})
    other = parse_header(encode_header(blocks[-2][0]))
    with pytest.raises(InvalidProof):
        proven_receipt(other, 0, receipts_trie(receipts).prove(0))


@pytest.mark.parametrize("hardfork", ["london", "cancun", "prague"])
def test_headers_of_other_forks__hash_too(hardfork: str) -> None:
    """Anvil alone: it changes forks by an option, and the fields of a header with it."""
    port = free_port()
    command = [
        find_program("anvil"),
        "--port",
        str(port),
        "--hardfork",
        hardfork,
        "--mnemonic",
        DEVELOPMENT_MNEMONIC,
        "--silent",
    ]
    with subprocess.Popen(command) as process:
        try:
            rpc = _when_up(RpcClient(f"http://127.0.0.1:{port}"))
            sender = rpc.call("eth_accounts")[0]
            transaction = rpc.call("eth_sendTransaction", {"from": sender, "to": sender, "value": "0x1"})
            while (receipt := rpc.call("eth_getTransactionReceipt", transaction)) is None:
                time.sleep(0.02)
            block = rpc.call("eth_getBlockByHash", receipt["blockHash"], False)
            receipts = [rpc.call("eth_getTransactionReceipt", tx) for tx in block["transactions"]]
        finally:
            # Gently: a wrapper that is killed leaves the chain itself behind.
            process.terminate()
    assert ("withdrawalsRoot" in block, "blobGasUsed" in block, "requestsHash" in block) == {
        "london": (False, False, False),
        "cancun": (True, True, False),
        "prague": (True, True, True),
    }[hardfork]
    assert parse_header(require_block_hash(block)).hash == block["hash"]
    assert receipts_root(receipts) == block["receiptsRoot"]


def _when_up(rpc: RpcClient) -> RpcClient:
    deadline = time.monotonic() + 60
    while True:
        try:
            rpc.block_number()
        except ChainUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return rpc
