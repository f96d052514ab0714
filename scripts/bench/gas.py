"""What each call of the escrow costs: gas of receipts of real transactions on anvil, the 21,000 and the calldata included.

Keys, terms and the chain's time are fixed, so the figures are the same on every machine. Prints one JSON object. ``--check`` fails when one has grown
past the committed snapshot, ``--write`` writes a new one. SPEC.md, section 17, says what the fixture is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode as abi_encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.domain.attestation import Attestation, Verdict
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, keccak_bytes32
from computility.domain.job import JobState
from computility.domain.signature import sign_digest
from computility.domain.terms import Terms
from computility.services.committee_seat import CommitteeSeat
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.trading_account import Ledger, TradingAccount, raw_values, terms_values

SNAPSHOT: Final = Path(__file__).with_name("gas.snapshot.json")
CREDIT: Final = 10**18
RESERVE: Final = 10**6
BATCH: Final = 100
READINGS: Final = 10_000
STRANGERS: Final = 10
# A Saturday in 2033: later than any clock of a machine that runs this, and earlier than the end of a score's epoch.
START: Final = 2_000_000_000
CAST: Final = ("deployer", "buyer", "provider", "verifier", "arbiter", "member-1", "member-2", "member-3")


@dataclass
class Market:
    """Parties that have traded before, on a chain whose time stands still but for one second a block."""

    rpc: RpcClient
    accounts: dict[str, TradingAccount]
    keys: dict[Address, bytes]
    ledger: Ledger
    time: int = START
    nonce: int = 0

    def send(self, sender: str, function: str, *arguments: Any, to: str = "escrow") -> int:
        """Gas of one transaction."""
        account = self.accounts[sender]
        self.tick()
        return account.send(getattr(account, to), function, *arguments).gas_used

    def tick(self) -> None:
        """The next block is one second later."""
        self.time += 1
        self.rpc.call("evm_setNextBlockTimestamp", self.time)

    def mine(self) -> None:
        """An empty block."""
        self.tick()
        self.rpc.call("evm_mine")

    def terms(self, **different: Any) -> Terms:
        """New terms of the usual trade: an independent verifier whose pass pays at once, and an arbiter."""
        self.nonce += 1
        address = {name: account.address for name, account in self.accounts.items()}
        usual = Terms(
            buyer=address["buyer"],
            payer=address["buyer"],
            provider=address["provider"],
            verifier=address["verifier"],
            arbiter=address["arbiter"],
            guard=ZERO_ADDRESS,
            order=keccak_bytes32(b"order"),
            resource=keccak_bytes32(b"resource"),
            spec=keccak_bytes32(b"spec %d" % self.nonce),
            sla=ZERO_BYTES32,
            unit_price=5 * CREDIT // 10_000,
            min_units=1,
            max_units=2_000,
            bond=CREDIT // 4,
            verifier_fee=CREDIT // 50,
            arbiter_fee=CREDIT // 20,
            open_by=START + 3_600,
            end=START + 86_400,
            pass_window=0,
            dispute_window=3_600,
            ruling_window=3_600,
            max_fee_bps=100,
            nonce=1_999_999_999_000 + self.nonce,
        )
        return replace(usual, **different)

    def attestation(self, terms: Terms, units: int = 1_800) -> Attestation:
        """A final pass over the terms."""
        return Attestation(
            job=terms.job_id(self.ledger.domain),
            verdict=Verdict.PASS,
            result=keccak_bytes32(b"result"),
            units=units,
            is_final=True,
            quality_bps=10_000,
            meter_root=keccak_bytes32(b"meter"),
            evidence=keccak_bytes32(b"evidence"),
        )

    def usual_parties(self) -> dict[str, Address]:
        """Whom ``terms`` names anyhow."""
        return {role: self.accounts[role].address for role in ("buyer", "provider", "verifier")}

    def sign(self, signer: Address, digest: Bytes32) -> bytes:
        """65 bytes, as wallets give them."""
        return bytes.fromhex(sign_digest(digest, self.keys[signer])[2:])

    def sign_as_committee(self, attestation: Attestation) -> bytes:
        """Of two members, in the order of their addresses, behind the attestation that they sign."""
        digest = attestation.digest(self.ledger.domain)
        members = sorted((self.accounts[name].address for name in ("member-1", "member-2")), key=str.lower)
        types = [field.type for field in Attestation.STRUCT.fields]
        words: bytes = abi_encode(types, raw_values(attestation.values()))
        return words + b"".join(self.sign(member, digest) for member in members)

    def opening(self, terms: Terms) -> tuple[Any, ...]:
        """Arguments of ``open`` for the buyer as the sender."""
        digest = terms.job_id(self.ledger.domain)
        return terms_values(terms), (b"", b"", self.sign(terms.provider, digest))

    def attesting(self, terms: Terms, attestation: Attestation) -> tuple[Any, ...]:
        """Arguments of ``attest``."""
        if terms.verifier in self.keys:
            signature = self.sign(terms.verifier, attestation.digest(self.ledger.domain))
        else:
            # A committee draws its panel from the hash of the block of the opening, which the next block can see.
            self.mine()
            signature = self.sign_as_committee(attestation)
        return terms_values(terms), raw_values(attestation.values()), signature


def main() -> int:
    """Measure, and print, check or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail when a figure has grown past the snapshot")
    parser.add_argument("--write", action="store_true", help="write the snapshot")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="computility-gas-") as folder:
        measured = measure(Path(folder))
    print(json.dumps(measured, indent=2))
    if arguments.write:
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    return report_growth(measured) if arguments.check else 0


def measure(folder: Path) -> dict[str, int]:
    """Every figure, on a chain of its own."""
    with LocalChain(LocalChainSettings(block_time_s=0, log_file=folder / "chain.log")) as chain:
        rpc = RpcClient(chain.rpc_url, timeout_s=600)  # a batch of a hundred on a loaded machine
        try:
            market = _open_market(rpc, folder)
            _trade(market)
            return {
                **_wallet(market),
                **_balance(market),
                **_committee(market),
                **_staked(market),
                **_lease(market),
                **_batches(market, "", [market.usual_parties()] * BATCH),
                **_batches(market, "_distinct", _strangers(market)),
                **_batches_from_wallet(market),
            }
        finally:
            rpc.close()


def _wallet(market: Market) -> dict[str, int]:
    terms = market.terms()
    escrow = market.ledger.contracts["JobEscrow"]
    gas = {"approve": market.send("buyer", "approve", escrow, terms.escrow, to="credit")}
    # Enough for ever, so that what follows meets an allowance that was set before.
    market.send("buyer", "approve", escrow, 10_000 * CREDIT, to="credit")
    gas["open_wallet"] = market.send("buyer", "openFromWallet", *market.opening(terms))
    passed = market.attesting(terms, market.attestation(terms))
    gas["attest_wallet"] = market.send("provider", "attestToWallet", *passed)
    market.tick()
    terms = market.terms()
    gas["open_permit"] = (
        market.accounts["buyer"].open_from_wallet(terms, "0x" + market.opening(terms)[1][2].hex()).gas_used
    )
    return gas


def _balance(market: Market) -> dict[str, int]:
    terms = market.terms()
    opened = market.send("buyer", "open", *market.opening(terms))
    paid = market.send("provider", "attest", *market.attesting(terms, market.attestation(terms)))
    return {"open_balance": opened, "attest_balance": paid, "job_balance": opened + paid}


def _committee(market: Market) -> dict[str, int]:
    """Two of three members attest."""
    committee = market.ledger.contracts["VerifierCommittee"]
    _trade(market, verifier=committee)
    return {"attest_committee_2_of_3": _trade(market, verifier=committee)}


def _staked(market: Market) -> dict[str, int]:
    """A job whose whole bond comes out of the provider's stake, of which other jobs hold some already."""
    provider = market.accounts["provider"]
    free = provider.balance().free
    market.send("provider", "withdraw", provider.address, free)
    behind, terms = (market.terms() for _ in range(2))
    market.send("buyer", "open", *market.opening(behind))
    opened = market.send("buyer", "open", *market.opening(terms))
    paid = market.send("provider", "attest", *market.attesting(terms, market.attestation(terms)))
    market.send("provider", "attest", *market.attesting(behind, market.attestation(behind)))
    market.send("provider", "approve", market.ledger.contracts["JobEscrow"], free, to="credit")
    market.send("provider", "deposit", provider.address, free)
    return {"open_staked": opened, "attest_staked": paid}


def _lease(market: Market) -> dict[str, int]:
    """Ten thousand readings, of which the chain sees the last."""
    buyer = market.accounts["buyer"].address
    terms = market.terms(verifier=buyer, verifier_fee=0, max_units=READINGS, unit_price=CREDIT // 10_000)
    opened = market.send("buyer", "open", *market.opening(terms))
    readings = (
        replace(market.attestation(terms, units), is_final=units == READINGS) for units in range(1, READINGS + 1)
    )
    digests = [(reading, reading.digest(market.ledger.domain)) for reading in readings]
    signed = [(reading, market.sign(buyer, digest)) for reading, digest in digests]
    last, signature = signed[-1]
    closed = market.send("provider", "attest", terms_values(terms), raw_values(last.values()), signature)
    return {"lease": opened + closed}


Parties = dict[str, Address]


def _batches(market: Market, suffix: str, parties: list[Parties]) -> dict[str, int]:
    """Gas a job of one ``openMany`` and one ``attestMany``."""
    jobs = [market.terms(**of_this) for of_this in parties]
    openings = [(values, (b"", b"", signature)) for values, (_, _, signature) in map(market.opening, jobs)]
    if suffix:
        # Of many buyers none is the sender, so each has signed.
        openings = [
            (values, (market.sign(terms.buyer, terms.job_id(market.ledger.domain)), b"", given[2]))
            for terms, (values, given) in zip(jobs, openings, strict=True)
        ]
    opened = market.send("buyer", "openMany", openings)
    attested = market.send(
        "provider", "attestMany", [market.attesting(terms, market.attestation(terms)) for terms in jobs]
    )
    last = market.accounts["buyer"].job(jobs[-1].job_id(market.ledger.domain))
    if last.state is not JobState.CLOSED:
        raise RuntimeError("an item of a batch was skipped")
    return {f"open_many{suffix}": -(-opened // len(jobs)), f"attest_many{suffix}": -(-attested // len(jobs))}


def _batches_from_wallet(market: Market) -> dict[str, int]:
    """Gas a job of one batch that the buyer's wallet pays for, by an allowance of before and by a permit."""
    buyer, gas = market.accounts["buyer"], {}
    for name in ("wallet", "permit"):
        jobs = [market.terms() for _ in range(BATCH)]
        openings = [market.opening(terms) for terms in jobs]
        if name == "wallet":
            market.send("buyer", "approve", market.ledger.contracts["JobEscrow"], 10_000 * CREDIT, to="credit")
            opened = market.send("buyer", "openManyFromWallet", sum(terms.escrow for terms in jobs), openings)
        else:
            market.send("buyer", "approve", market.ledger.contracts["JobEscrow"], 0, to="credit")
            market.tick()
            signed = [(terms, "0x" + given[2].hex()) for terms, (_, given) in zip(jobs, openings, strict=True)]
            opened = buyer.open_many_from_wallet(signed)[0].gas_used
        if buyer.job(jobs[-1].job_id(market.ledger.domain)).state is not JobState.OPEN:
            raise RuntimeError("an item of a batch was skipped")
        gas[f"open_many_{name}"] = -(-opened // BATCH)
    return gas


def _strangers(market: Market) -> list[Parties]:
    """For each job a buyer, a provider and a verifier of its own, all with something in their slots, and a trade behind them."""
    market.send("deployer", "approve", market.ledger.contracts["JobEscrow"], 10_000 * CREDIT, to="credit")
    parties = []
    for index in range(STRANGERS):
        named: Parties = {}
        for role in ("buyer", "provider", "verifier"):
            key = keccak(f"{role} {index}".encode())
            player: LocalAccount = Account.from_key(key)
            named[role] = Address(player.address)
            market.keys[named[role]] = key
            market.send("deployer", "deposit", named[role], 10 * CREDIT)
        market.rpc.call("anvil_setBalance", named["provider"], hex(10**18))
        account = TradingAccount(market.rpc, Account.from_key(market.keys[named["provider"]]), market.ledger)
        market.send("deployer", "transfer", named["provider"], 10 * CREDIT, to="credit")
        market.tick()
        account.register_provider()
        parties.append({**named, "payer": named["buyer"]})
    _batches(market, "_distinct", parties)
    return parties


def _trade(market: Market, **different: Any) -> int:
    """Gas of the attestation that pays."""
    terms = market.terms(**different)
    market.send("buyer", "open", *market.opening(terms))
    return market.send("provider", "attest", *market.attesting(terms, market.attestation(terms)))


def _open_market(rpc: RpcClient, folder: Path) -> Market:
    players = {name: _player(index) for index, name in enumerate(CAST)}
    deployer = players["deployer"]
    sender = TransactionSender(rpc, deployer, rpc.chain_number())
    us = Address(deployer.address)
    committee = [Address(players[name].address) for name in CAST if name.startswith("member")]
    plan = DeploymentPlan(proposers=[us], treasury=us, guardian=us, committee=committee)
    deployments = deploy_generation(ChainConnection(rpc), sender, plan, folder).deployments
    ledger = Ledger(deployments.newest.contracts, deployments.domain)
    accounts = {name: TradingAccount(rpc, player, ledger) for name, player in players.items()}
    keys = {account.address: bytes(players[name].key) for name, account in accounts.items()}
    market = Market(rpc, accounts, keys, ledger)
    for name, account in accounts.items():
        account.send(account.reserve(), "mint", account.address, 20_000 * RESERVE)
        account.swap_reserve(10_000 * CREDIT)
        if name == "provider":
            account.register_provider()
        if name.startswith("member"):
            CommitteeSeat(account).join()
        account.deposit(1_000 * CREDIT)
    market.mine()
    return market


def _player(index: int) -> LocalAccount:
    Account.enable_unaudited_hdwallet_features()
    player: LocalAccount = Account.from_mnemonic(DEVELOPMENT_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return player


def report_growth(measured: dict[str, int]) -> int:
    """One line for each figure that has grown; 1 if there is one."""
    allowed: dict[str, int] = json.loads(SNAPSHOT.read_text())
    grown = [
        f"{name} used {gas}, {allowed.get(name, 0)} in the snapshot"
        for name, gas in measured.items()
        if gas > allowed.get(name, 0)
    ]
    for line in grown:
        print(line, file=sys.stderr)
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
