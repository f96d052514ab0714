"""A chain full of real trades, for the benches of what reads it: how long it takes to make, and what is on it.

Ten accounts trade by deposits, jobs opened from the balance, readings, claims and final passes, most of them in batches of some dozens; every
signature is real. The blocks are mined by hand, so that each holds as many events as asked for. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson
from coincurve import PrivateKey
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
from computility.domain.events import (
    Deposited,
    Event,
    JobAttested,
    JobOpened,
    JobPaid,
    JobProposed,
    JobSkipped,
    Withdrawn,
)
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32
from computility.domain.keccak import keccak256
from computility.domain.terms import Terms
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.trading_account import Ledger, TradingAccount

CHAIN: Final = LocalChainSettings(block_time_s=0, forgetful=True)
"""A block costs the same however long the chain: without, the 2,000th of a hundred events takes eight times the first."""
CREDIT: Final = 10**18
EVENTS: Final = 200_000
BLOCKS: Final = 2_000
_BUYERS, _PROVIDERS, _VERIFIERS = range(1, 5), range(5, 9), range(9, 11)
_RESULT: Final = Bytes32("0x" + "5e" * 32)
_PRICE: Final = 5 * 10**13
"""Atoms of credit: so much that the fee of a trade changes the scores of both sides, so little that nobody runs out of credits."""
_GAS: Final = hex(400_000)
_BATCH: Final = 50
_ALONE_OF: Final = 9
_READ, _CLAIMED = 1, 2
_CALLS_AT_ONCE: Final = 50
_EVENTS_OF_FOUR: Final = 10
"""Of four trades: each opens and is paid, one is read before and one claimed."""


@dataclass(frozen=True)
class _Trade:
    """A job on its way: who takes part, by index of the account, and the terms as ABI words, encoded once for all calls."""

    number: int
    buyer: int
    provider: int
    verifier: int
    job: Bytes32
    words: bytes


@dataclass
class TradedChain:
    """A chain, its contracts, and who trades there."""

    chain: LocalChain
    rpc: RpcClient
    deployments: Deployments
    accounts: dict[int, TradingAccount]

    def __post_init__(self) -> None:
        self.sent: Counter[type[Event]] = Counter()
        """Events that must be on the chain by the blocks mined here, if no call fails and no job of a batch is skipped."""
        self._endpoint = ChainEndpoint(self.chain.rpc_url, 60.0)
        self._nonces = itertools.count(1)
        self._keys = {
            index: PrivateKey(bytes(development_account(DEVELOPMENT_MNEMONIC, index).key)) for index in self.accounts
        }
        self._end = self.accounts[1].chain_time() + 80 * 86_400
        self._open: list[_Trade] = []
        self._blocks = 0

    def mine_block(self, events: int) -> None:
        """One block with about ``events`` events: trades that open, trades of the block before that settle, deposits and withdrawals.

        Of four trades one settles after a reading, one after the provider's claim, and two at once. Of nine trades eight go by ``openMany`` and
        ``attestMany``, in batches of up to 50; a claim is always a call of its own.
        """
        settling = self._open
        trades = max(1, (events - 2) * 4 // _EVENTS_OF_FOUR) if events > 1 else 0
        self._blocks += 1
        # One buyer has all trades of a batch: it may open none but its own.
        buyers = [_BUYERS[(self._blocks + place // _BATCH) % len(_BUYERS)] for place in range(trades)]
        self._open = [self._trade(buyer, next(_TURNS)) for buyer in buyers]
        calls = [*self._settle_all(settling), *self._open_all(self._open)]
        buyer = self.accounts[1 + next(_TURNS) % len(_BUYERS)]
        calls.append(self._call(buyer, self.accounts[1].escrow.encode("deposit", buyer.address, 10**9)))
        self.sent[Deposited] += 1
        if events > 4:
            calls.append(self._call(buyer, self.accounts[1].escrow.encode("withdraw", buyer.address, 10**9)))
            self.sent[Withdrawn] += 1
        for start in range(0, len(calls), _CALLS_AT_ONCE):
            self._endpoint.batch([("eth_sendTransaction", (call,)) for call in calls[start : start + _CALLS_AT_ONCE]])
        self._endpoint.call("evm_mine")

    def automine(self, on: bool) -> None:
        """Mine a block for each transaction, or only when asked."""
        self._endpoint.call("evm_setAutomine", on)

    def require_all_sent(self, first: int) -> None:
        """See that the blocks from ``first`` on hold what was sent, event for event, and nothing that was skipped.

        Raises:
            SystemExit: a call failed, or a job of a batch was skipped.
        """
        kinds: tuple[type[Event], ...] = (*self.sent, JobSkipped)
        found: Counter[type[Event]] = Counter()
        for answer in self._answers(first, self.rpc.block_number(), 25):
            text = bytes(answer)
            found.update({event: text.count(event.EVENT.topic.encode()) for event in kinds})
        if +found != self.sent:
            told = {event.__name__: (self.sent[event], found[event]) for event in kinds}
            raise SystemExit(f"the chain does not hold what was sent to it (event: sent, found): {told}")

    def log_ranges(self, first: int, last: int, blocks: int) -> Iterator[list[Any]]:
        """All logs, by ranges of blocks, parsed and no more."""
        for answer in self._answers(first, last, blocks):
            yield orjson.loads(memoryview(answer))

    def _answers(self, first: int, last: int, blocks: int) -> Iterator[msgspec.Raw]:
        addresses = [
            self.deployments.newest.contracts[name] for name in ("JobEscrow", "CreditScores", "ProviderRegistry")
        ]
        for start in range(first, last + 1, blocks):
            asked = {"fromBlock": hex(start), "toBlock": hex(min(last, start + blocks - 1)), "address": addresses}
            yield self._endpoint.call("eth_getLogs", asked)

    def _trade(self, buyer: int, turn: int) -> _Trade:
        number = next(self._nonces)
        provider = _PROVIDERS[turn // 3 % len(_PROVIDERS)]
        verifier = _VERIFIERS[turn % len(_VERIFIERS)]
        terms = Terms(
            buyer=self.accounts[buyer].address, payer=self.accounts[buyer].address, provider=self.accounts[provider].address,
            verifier=self.accounts[verifier].address, arbiter=ZERO_ADDRESS, guard=ZERO_ADDRESS, order=ZERO_BYTES32,
            resource=Bytes32("0x" + f"{provider:064x}"), spec=_RESULT, sla=ZERO_BYTES32, unit_price=_PRICE + turn % 97, min_units=1, max_units=100,
            bond=_PRICE * 100, verifier_fee=10**8, arbiter_fee=0, open_by=self._end - 86_400, end=self._end, pass_window=0, dispute_window=100,
            ruling_window=0, max_fee_bps=10_000, nonce=number,
        )  # fmt: skip
        words = Terms.STRUCT.encode(terms.values())
        job = self.deployments.domain.digest(keccak256(Terms.STRUCT.type_hash + words))
        return _Trade(number, buyer, provider, verifier, job, words)

    def _open_all(self, trades: Sequence[_Trade]) -> Iterator[dict[str, str]]:
        self.sent[JobOpened] += len(trades)
        for alone, some in _batches(trades):
            openings = [trade.words + _opening_tail(self._sign(trade.provider, trade.job)) for trade in some]
            data = _SELECTORS["open"] + openings[0] if alone else _SELECTORS["openMany"] + _list(openings)
            yield self._call(self.accounts[some[0].buyer], "0x" + data.hex(), gas=_gas(len(openings)))

    def _settle_all(self, trades: Sequence[_Trade]) -> Iterator[dict[str, str]]:
        self.sent[JobPaid] += len(trades)
        for trade in trades:
            if trade.number % 4 == _CLAIMED:
                self.sent[JobProposed] += 1
                data = _SELECTORS["propose"] + trade.words + _word(40) + bytes.fromhex(_RESULT[2:])
                yield self._call(self.accounts[trade.provider], "0x" + data.hex())
        for alone, some in _batches(trades):
            items: list[bytes] = []
            for trade in some:
                if trade.number % 4 == _READ:
                    self.sent[JobAttested] += 1
                    items.append(self._attested(trade, 20, final=False))
                items.append(self._attested(trade, 50 + trade.number % 50, final=True))
            provider = self.accounts[some[0].provider]
            if alone:
                for item in items:
                    yield self._call(provider, "0x" + (_SELECTORS["attest"] + item).hex())
            else:
                data = _SELECTORS["attestMany"] + _list(items)
                yield self._call(provider, "0x" + data.hex(), gas=_gas(len(items)))

    def _attested(self, trade: _Trade, units: int, *, final: bool) -> bytes:
        """One item of ``attestMany``, or the arguments of ``attest``, which look alike."""
        attestation = Attestation(trade.job, Verdict.PASS, _RESULT, units, final, 10_000, ZERO_BYTES32, _RESULT)
        words = Attestation.STRUCT.encode(attestation.values())
        digest = self.deployments.domain.digest(keccak256(Attestation.STRUCT.type_hash + words))
        at = _word(len(trade.words) + len(words) + 32)
        return trade.words + words + at + _bytes(self._sign(trade.verifier, digest))

    def _call(self, sender: TradingAccount, data: str, gas: str = _GAS) -> dict[str, str]:
        escrow = self.deployments.newest.contracts["JobEscrow"]
        # A price above every base fee: the node would ask for one otherwise.
        return {"from": sender.address, "to": escrow, "data": data, "gas": gas, "gasPrice": hex(10**11)}

    def _sign(self, account: int, digest: str) -> bytes:
        raw = self._keys[account].sign_recoverable(bytes.fromhex(digest[2:]), hasher=None)
        return raw[:64] + bytes((27 + raw[64],))


def _batches(trades: Sequence[_Trade]) -> Iterator[tuple[bool, list[_Trade]]]:
    """Whether they go alone, and the trades that go together: of nine one goes alone."""
    for start in range(0, len(trades), _BATCH):
        some = trades[start : start + _BATCH]
        yield from ((True, [trade]) for trade in some if trade.number % _ALONE_OF == 0)
        together = [trade for trade in some if trade.number % _ALONE_OF]
        if together:
            yield False, together


def _gas(items: int) -> str:
    """Far more than a batch takes: what one item lacked would skip it."""
    return hex(200_000 + 120_000 * items)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _bytes(content: bytes) -> bytes:
    """ABI: the length, then the content up to whole words."""
    return _word(len(content)) + content + bytes(-len(content) % 32)


def _list(items: Sequence[bytes]) -> bytes:
    """ABI: the one argument of a batch, a list of dynamic tuples."""
    offsets = itertools.accumulate((len(item) for item in items[:-1]), initial=32 * len(items))
    return _word(32) + _word(len(items)) + b"".join(map(_word, offsets)) + b"".join(items)


def _opening_tail(provider_signature: bytes) -> bytes:
    """ABI: what follows the terms in an ``Opening``, the signatures of buyer, payer and provider; the sender needs none."""
    none = _bytes(b"")
    return _word(_TERMS_BYTES + 32) + _word(96) + _word(128) + _word(160) + none + none + _bytes(provider_signature)


def _selectors() -> dict[str, bytes]:
    terms, attestation = (
        f"({','.join(f.type for f in struct.fields)})" for struct in (Terms.STRUCT, Attestation.STRUCT)
    )
    opening, attesting = f"{terms},(bytes,bytes,bytes)", f"{terms},{attestation},bytes"
    arguments = {
        "open": opening, "openMany": f"({opening})[]", "propose": f"{terms},uint64,bytes32",
        "attest": attesting, "attestMany": f"({attesting})[]",
    }  # fmt: skip
    return {name: keccak256(f"{name}({types})".encode())[:4] for name, types in arguments.items()}


_SELECTORS: Final = _selectors()
_TERMS_BYTES: Final = 32 * len(Terms.STRUCT.fields)
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
        account.send(account.reserve(), "mint", account.address, 100_000 * 10**6)
        account.swap_reserve(20_000 * CREDIT)
        if index in _PROVIDERS:
            account.register_provider()
        account.deposit(10_000 * CREDIT)
        # Later deposits come from the wallet, by an allowance.
        account.send(account.credit, "approve", account.escrow.address, 500 * CREDIT)
    return TradedChain(chain, rpc, deployments, accounts)


def fill(traded: TradedChain, events: int, blocks: int, console: Console) -> None:
    """Mine ``blocks`` blocks with ``events`` events in all, roughly."""
    traded.automine(False)
    traded.sent.clear()
    first = traded.rpc.block_number() + 1
    for _ in track(range(blocks), f"trading {events:,} events into {blocks:,} blocks", console=console):
        traded.mine_block(events // blocks)
    traded.require_all_sent(first)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a chain and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="computility-bench-") as folder,
        LocalChain(CHAIN) as chain,
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
