"""A chain full of real trades, for the benches of what reads it: how long it takes to make, and what is on it.

Ten accounts trade by deposits, jobs opened from the balance, readings, claims and final passes; every signature is real. The blocks are mined by
hand, so that each holds as many events as asked for. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from coincurve import PrivateKey
from eth_abi.abi import encode
from rich.console import Console
from rich.progress import track

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.endpoint import ChainEndpoint
from computility.chain.keystore import development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.domain.attestation import Attestation, Verdict
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32
from computility.domain.keccak import keccak256
from computility.domain.terms import Terms
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.trading_account import Ledger, TradingAccount, raw_values, terms_values

CREDIT: Final = 10**18
EVENTS: Final = 200_000
BLOCKS: Final = 2_000
_BUYERS, _PROVIDERS, _VERIFIERS = range(1, 5), range(5, 9), range(9, 11)
_RESULT: Final = Bytes32("0x" + "5e" * 32)
_PRICE: Final = 5 * 10**13
"""Atoms of credit: so much that the fee of a trade changes the scores of both sides, so little that nobody runs out of credits."""
_GAS: Final = hex(400_000)
_EVENTS_OF_FOUR: Final = 10
"""Of four trades: each opens and is paid, one is read before and one claimed."""


@dataclass
class TradedChain:
    """A chain, its contracts, and who trades there."""

    chain: LocalChain
    rpc: RpcClient
    deployments: Deployments
    accounts: dict[int, TradingAccount]

    def __post_init__(self) -> None:
        self._endpoint = ChainEndpoint(self.chain.rpc_url, 60.0)
        self._nonces = itertools.count(1)
        self._keys = {
            index: PrivateKey(bytes(development_account(DEVELOPMENT_MNEMONIC, index).key)) for index in self.accounts
        }
        self._end = self.accounts[1].chain_time() + 80 * 86_400
        self._open: list[tuple[Terms, Bytes32, int]] = []
        self._open_selector = self._selector("open")
        self._attest_selector = self._selector("attest")

    def mine_block(self, events: int) -> None:
        """One block with about ``events`` events: trades that open, trades of the block before that settle, deposits and withdrawals.

        Of four trades one settles after a reading, one after the provider's claim, and two at once.
        """
        settling, self._open = self._open, []
        trades = max(1, (events - 2) * 4 // _EVENTS_OF_FOUR) if events > 1 else 0
        calls = [call for trade in settling for call in self._settle(*trade)]
        calls += [self._open_one(next(_TURNS)) for _ in range(trades)]
        buyer = self.accounts[1 + next(_TURNS) % len(_BUYERS)]
        calls.append(self._call(buyer, self.accounts[1].escrow.encode("deposit", buyer.address, 10**9)))
        if events > 4:
            calls.append(self._call(buyer, self.accounts[1].escrow.encode("withdraw", buyer.address, 10**9)))
        for start in range(0, len(calls), 50):
            self._endpoint.batch([("eth_sendTransaction", (call,)) for call in calls[start : start + 50]])
        self._endpoint.call("evm_mine")

    def automine(self, on: bool) -> None:
        """Mine a block for each transaction, or only when asked."""
        self._endpoint.call("evm_setAutomine", on)

    def count_events(self) -> int:
        """Logs of our contracts."""
        head = self.rpc.block_number()
        return sum(len(logs) for logs in self.log_ranges(0, head, 25))

    def log_ranges(self, first: int, last: int, blocks: int) -> Iterator[list[Any]]:
        """All logs, by ranges of blocks, parsed and no more."""
        addresses = [
            self.deployments.newest.contracts[name] for name in ("JobEscrow", "CreditScores", "ProviderRegistry")
        ]
        for start in range(first, last + 1, blocks):
            asked = {"fromBlock": hex(start), "toBlock": hex(min(last, start + blocks - 1)), "address": addresses}
            yield orjson.loads(memoryview(self._endpoint.call("eth_getLogs", asked)))

    def _open_one(self, turn: int) -> dict[str, str]:
        buyer = _BUYERS[turn % len(_BUYERS)]
        provider = _PROVIDERS[turn // 3 % len(_PROVIDERS)]
        verifier = _VERIFIERS[turn % len(_VERIFIERS)]
        terms = Terms(
            buyer=self.accounts[buyer].address, payer=self.accounts[buyer].address, provider=self.accounts[provider].address,
            verifier=self.accounts[verifier].address, arbiter=ZERO_ADDRESS, guard=ZERO_ADDRESS, order=ZERO_BYTES32,
            resource=Bytes32("0x" + f"{provider:064x}"), spec=_RESULT, sla=ZERO_BYTES32, unit_price=_PRICE + turn % 97, min_units=1, max_units=100,
            bond=_PRICE * 100, verifier_fee=10**8, arbiter_fee=0, open_by=self._end - 86_400, end=self._end, pass_window=0, dispute_window=100,
            ruling_window=0, max_fee_bps=10_000, nonce=next(self._nonces),
        )  # fmt: skip
        job = terms.job_id(self.deployments.domain)
        self._open.append((terms, job, provider))
        signature = self._sign(provider, job)
        arguments = encode(_OPEN_TYPES, [terms_values(terms), (b"", b"", signature)])
        return self._call(self.accounts[buyer], self._open_selector + arguments.hex())

    def _settle(self, terms: Terms, job: Bytes32, provider: int) -> Iterator[dict[str, str]]:
        if terms.nonce % 4 == 1:
            yield self._attest(terms, job, provider, 20, final=False)
        elif terms.nonce % 4 == 2:
            claim = self.accounts[provider].escrow.encode(
                "propose", terms_values(terms), 40, bytes.fromhex(_RESULT[2:])
            )
            yield self._call(self.accounts[provider], claim)
        yield self._attest(terms, job, provider, 50 + terms.nonce % 50, final=True)

    def _attest(self, terms: Terms, job: Bytes32, provider: int, units: int, *, final: bool) -> dict[str, str]:
        attestation = Attestation(job, Verdict.PASS, _RESULT, units, final, 10_000, ZERO_BYTES32, _RESULT)
        digest = attestation.digest(self.deployments.domain)
        signature = self._sign(_VERIFIERS[[self.accounts[v].address for v in _VERIFIERS].index(terms.verifier)], digest)
        arguments = encode(_ATTEST_TYPES, [terms_values(terms), raw_values(attestation.values()), signature])
        return self._call(self.accounts[provider], self._attest_selector + arguments.hex())

    def _call(self, sender: TradingAccount, data: str) -> dict[str, str]:
        escrow = self.deployments.newest.contracts["JobEscrow"]
        # A price above every base fee: the node would ask for one otherwise.
        return {"from": sender.address, "to": escrow, "data": data, "gas": _GAS, "gasPrice": hex(10**11)}

    def _sign(self, account: int, digest: str) -> bytes:
        raw = self._keys[account].sign_recoverable(bytes.fromhex(digest[2:]), hasher=None)
        return raw[:64] + bytes((27 + raw[64],))

    @staticmethod
    def _selector(function: str) -> str:
        types = {"open": _OPEN_TYPES, "attest": _ATTEST_TYPES}[function]
        return "0x" + keccak256(f"{function}({','.join(types)})".encode()).hex()[:8]


_TERMS_TYPE: Final = f"({','.join(field.type for field in Terms.STRUCT.fields)})"
_OPEN_TYPES: Final = [_TERMS_TYPE, "(bytes,bytes,bytes)"]
_ATTEST_TYPES: Final = [_TERMS_TYPE, f"({','.join(field.type for field in Attestation.STRUCT.fields)})", "bytes"]
_TURNS: Final = itertools.count()


def start_ledger(chain: LocalChain, folder: Path) -> TradedChain:
    """Deploy, and give everyone what they need."""
    rpc = RpcClient(chain.rpc_url)
    keys = {index: development_account(DEVELOPMENT_MNEMONIC, index) for index in range(11)}
    deployer = Address(keys[0].address)
    plan = DeploymentPlan(proposers=[deployer], treasury=deployer, guardian=deployer, committee=[])
    sender = TransactionSender(rpc, keys[0], chain.chain_id)
    deployments = deploy_generation(ChainConnection(rpc), sender, plan, folder).deployments
    ledger = Ledger(deployments.newest.contracts, deployments.domain)
    accounts = {index: TradingAccount(rpc, key, ledger) for index, key in keys.items()}
    for index in (*_BUYERS, *_PROVIDERS):
        account = accounts[index]
        account.send(account.reserve(), "mint", account.address, 10_000 * 10**6)
        account.swap_reserve(2_000 * CREDIT)
        if index in _PROVIDERS:
            account.register_provider()
        account.deposit(1_000 * CREDIT)
        # Later deposits come from the wallet, by an allowance.
        account.send(account.credit, "approve", account.escrow.address, 500 * CREDIT)
    return TradedChain(chain, rpc, deployments, accounts)


def fill(traded: TradedChain, events: int, blocks: int, console: Console) -> None:
    """Mine ``blocks`` blocks with ``events`` events in all, roughly."""
    traded.automine(False)
    for _ in track(range(blocks), f"trading {events:,} events into {blocks:,} blocks", console=console):
        traded.mine_block(events // blocks)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a chain and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="computility-bench-") as folder,
        LocalChain(LocalChainSettings(block_time_s=0)) as chain,
    ):
        started = time.monotonic()
        traded = start_ledger(chain, Path(folder))
        fill(traded, options.events, options.blocks, console)
        took = time.monotonic() - started
        names: dict[str, int] = {}
        for logs in traded.log_ranges(0, traded.rpc.block_number(), 25):
            for log in logs:
                names[log["topics"][0]] = names.get(log["topics"][0], 0) + 1
    print(
        json.dumps(
            {
                "bench": "traded_chain",
                "python": sys.version.split()[0],
                "seconds": round(took, 1),
                "events": sum(names.values()),
                "blocks": options.blocks,
                "kinds": len(names),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
