"""What the client does about an endpoint that stays silent, in front of a real chain."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from tests.integration.faulty_endpoint import Fault, faulty

from computility.chain.local_chain import LocalChain
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainUnavailable


class Silent:
    """Never answers the first ``times`` requests that hold ``method``, and counts them all."""

    def __init__(self, method: str, times: int) -> None:
        self.method, self.times, self.asked = method, times, 0

    def __call__(self, calls: list[dict[str, Any]]) -> Fault | None:
        if not any(call["method"] == self.method for call in calls):
            return None
        self.asked += 1
        return Fault(silent=True) if self.asked <= self.times else None


def test_a_read_that_gets_no_answer__is_asked_once_more(anvil: LocalChain) -> None:
    silent = Silent("eth_estimateGas", 1)
    with faulty(anvil.rpc_url, silent) as url:
        rpc = RpcClient(url, timeout_s=0.5)
        gas = rpc.call("eth_estimateGas", {"to": "0x" + "11" * 20})
        rpc.close()
    assert (gas, silent.asked) == ("0x5208", 2)


def test_a_batch_of_reads_that_gets_no_answer__is_asked_once_more(anvil: LocalChain) -> None:
    silent = Silent("eth_chainId", 1)
    with faulty(anvil.rpc_url, silent) as url:
        rpc = RpcClient(url, timeout_s=0.5)
        answers = rpc.batch([("eth_chainId", ()), ("eth_chainId", ())])
        rpc.close()
    assert (answers, silent.asked) == (["0x7a69", "0x7a69"], 2)


def test_an_endpoint_that_stays_silent__is_given_up_after_two_attempts(anvil: LocalChain) -> None:
    silent = Silent("eth_chainId", 99)
    with faulty(anvil.rpc_url, silent) as url:
        rpc = RpcClient(url, timeout_s=0.3)
        with pytest.raises(ChainUnavailable, match=r"did not answer within 0\.3 s"):
            rpc.chain_number()
        rpc.close()
    assert silent.asked == 2


def test_a_transaction_that_gets_no_answer__is_not_sent_twice(anvil: LocalChain) -> None:
    account = Account.create()
    signed = account.sign_transaction(
        {"chainId": anvil.chain_id, "nonce": 0, "gas": 21_000, "gasPrice": 10**9, "to": account.address, "value": 0}
    )
    silent = Silent("eth_sendRawTransaction", 99)
    with faulty(anvil.rpc_url, silent) as url:
        rpc = RpcClient(url, timeout_s=0.3)
        with pytest.raises(ChainUnavailable):
            rpc.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        rpc.close()
    assert silent.asked == 1
