"""One account's dealings with the contracts: swap, deposit, open, attest, propose, finalize, withdraw. Each is one or two transactions."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from computility.chain.connection import ChainConnection, DeployedContract
from computility.chain.log_decoding import decode_log, parse_raw_log
from computility.chain.reverts import revert_error
from computility.chain.rpc import BlockTag, RpcClient
from computility.chain.transaction_sender import Receipt, TransactionSender
from computility.domain.attestation import Attestation
from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import (
    ChainError,
    ContractReverted,
    DeploymentMissing,
    InsufficientFunds,
    NodeMisbehaved,
    WrongDomain,
)
from computility.domain.events import JobSkipped
from computility.domain.identifiers import Address, Bytes32, bytes32, parse_address
from computility.domain.job import JobState
from computility.domain.ledger import Balance
from computility.domain.reward import Reward
from computility.domain.scores import Role
from computility.domain.signature import sign_digest, signature_bytes
from computility.domain.statements import SignedStatement, Statement, sign_statement
from computility.domain.terms import Terms
from computility.domain.units import format_credits
from computility.execution.reader_key import ReaderKey

_PERMIT_VALID_S: Final = 600
_BATCH_GAS: Final = 200_000
_OPEN_GAS: Final = 250_000  # of one item, with stake behind its bond
_PERMIT_TYPE: Final = {
    "Permit": [
        {"name": "owner", "type": "address"},
        {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


@dataclass(frozen=True)
class Ledger:
    """Where the contracts are, as a node or a deployments file tells: addresses by name, and the signing domain."""

    contracts: Mapping[str, Address]
    domain: Eip712Domain

    @classmethod
    def from_config(cls, config: Mapping[str, Any], pinned_escrow: Address | None = None) -> Ledger:
        """From a node's configuration.

        Raises:
            WrongDomain: the node works with another escrow than the one that is pinned.
            NodeMisbehaved: the configuration does not fit.
        """
        try:
            contracts = {name: parse_address(address) for name, address in config["contracts"].items()}
            domain = Eip712Domain(int(config["chain_number"]), contracts["JobEscrow"])
        except (KeyError, TypeError, ValueError) as error:
            raise NodeMisbehaved(f"the node's configuration lacks {error}") from error
        if pinned_escrow is not None and pinned_escrow != domain.escrow:
            raise WrongDomain(f"the node works with escrow {domain.escrow}, and you trust {pinned_escrow} only")
        return cls(contracts, domain)


@dataclass(frozen=True)
class JobOnChain:
    """The part of a job's slot that agents go by. ``opened_in`` is a block's number; ``verifier_paid`` holds of closed jobs."""

    state: JobState
    outcome: int
    accepted: int
    pending: int
    deadline: int
    opened_in: int
    verifier_paid: bool


class TradingAccount:
    """A key, the chain, and the contracts. Raises ``ChainError`` where they refuse or fail."""

    def __init__(
        self, rpc: RpcClient, account: LocalAccount, ledger: Ledger, confirmations: int = 0, timeout_s: float = 120.0
    ) -> None:
        rpc.require_chain(ledger.domain.chain_number)
        self.rpc = rpc
        self.ledger = ledger
        self.address = Address(account.address)
        self._key = bytes(account.key)
        self._connection = ChainConnection(rpc)
        self._sender = TransactionSender(rpc, account, ledger.domain.chain_number, confirmations, timeout_s)
        self._permits = threading.Lock()
        self.credit = self.contract("ComputeCredit")
        self.escrow = self.contract("JobEscrow")
        self.registry = self.contract("ProviderRegistry")
        self.scores = self.contract("CreditScores")

    def __repr__(self) -> str:
        return f"TradingAccount({self.address})"

    def contract(self, name: str) -> DeployedContract:
        """A contract of the generation by its name.

        Raises:
            DeploymentMissing: the generation has none.
        """
        try:
            return self._connection.contract(name, self.ledger.contracts[name])
        except KeyError:
            raise DeploymentMissing(f"the deployment has no {name}") from None

    def reader_key(self) -> ReaderKey:
        """The key to which jobs are sealed for this account."""
        return ReaderKey.of_account(self._key)

    # ---------------------------------------------------------------- statements

    def sign(self, message: Statement) -> SignedStatement:
        """A signed statement."""
        return sign_statement(message, self.ledger.domain, self._key, self.address)

    def secret(self, purpose: str) -> Bytes32:
        """32 bytes that only this key's holder can know, the same for the same purpose (HMAC-SHA-256)."""
        return bytes32(hmac.new(self._key, purpose.encode(), hashlib.sha256).digest())

    def sign_terms(self, terms: Terms) -> str:
        """This party's consent to a job."""
        return sign_digest(terms.job_id(self.ledger.domain), self._key)

    # ---------------------------------------------------------------- credits

    def wallet_credits(self) -> int:
        """Credits in the wallet, in atoms."""
        return int(self.credit.read("balanceOf", self.address))

    def balance(self, account: Address | None = None, block: BlockTag = "latest") -> Balance:
        """Free and locked inside the escrow."""
        free, locked, *_ = self.escrow.read("accountOf", account or self.address, block=block)
        return Balance(int(free), int(locked))

    def reserve(self) -> DeployedContract:
        """The token behind the credits."""
        # Every ERC-20 has the functions that are used; the play money's artifact describes them for all.
        return self._connection.contract("DevReserve", parse_address(self.credit.read("reserve")))

    def swap_reserve(self, wanted: int) -> list[Receipt]:
        """Buy at least ``wanted`` atoms of credit with reserve tokens, which are released for exactly that.

        Raises:
            InsufficientFunds: too few reserve tokens.
        """
        scale = int(self.credit.read("scale"))
        amount = -(-wanted // scale)
        reserve = self.reserve()
        held = int(reserve.read("balanceOf", self.address))
        if held < amount:
            raise InsufficientFunds(
                f"{self.address} has {held} of the reserve's smallest unit and needs {amount}: bring more reserve tokens to this wallet"
            )
        return self._spending(reserve, self.credit, amount, "mint", self.address, amount)

    def redeem(self, amount: int) -> Receipt:
        """Turn credits of the wallet into reserve tokens. Whole reserve units only."""
        return self.send(self.credit, "redeem", self.address, amount)

    def deposit(self, amount: int) -> list[Receipt]:
        """Move credits from the wallet into the escrow's free balance."""
        self.demand_credits(amount)
        return self._spending(self.credit, self.escrow, amount, "deposit", self.address, amount)

    def withdraw(self, amount: int, to: Address | None = None) -> Receipt:
        """Move free balance to a wallet."""
        return self.send(self.escrow, "withdraw", to or self.address, amount)

    # ---------------------------------------------------------------- providers and verifiers

    def is_active_provider(self) -> bool:
        """Registered, and not on the way out."""
        return bool(self.registry.read("isActive", self.address))

    def free_stake(self) -> int:
        """Stake in the registry, in atoms, that stands behind no job: what a bond may draw on."""
        stake, *_, reserved = self.registry.read("providerOf", self.address)
        return int(stake) - int(reserved)

    def register_provider(self) -> list[Receipt]:
        """Enter the registry with the least stake, from the wallet."""
        stake = int(self.registry.read("rules")[0])
        self.demand_credits(stake)
        return self._spending(self.credit, self.registry, stake, "register", stake)

    def stake_reward(self, amount: int) -> Receipt:
        """Put free balance behind bonds as stake that vests, and may leave as it does."""
        return self.send(self.escrow, "stakeReward", amount)

    def claim_reward(self) -> Receipt:
        """Take what has vested, and stands behind no open job, to the wallet."""
        return self.send(self.registry, "claimReward")

    def reward(self) -> Reward:
        """What of the stake may leave, as it has vested by the newest block."""
        return Reward(*(int(value) for value in self.registry.read("rewardOf", self.address)))

    def request_exit(self) -> Receipt:
        """Leave the registry: no new job can name this provider, and the unbonding period starts."""
        return self.send(self.registry, "requestExit")

    def exit_registry(self) -> Receipt:
        """Take the stake back, once the unbonding period is over."""
        return self.send(self.registry, "exit")

    def list_resource(self, resource: Bytes32) -> Receipt | None:
        """Say on chain that the account offers a resource; None where it is listed already."""
        raw = bytes.fromhex(resource[2:])
        if self.registry.read("isListed", self.address, raw):
            return None
        return self.send(self.registry, "listResource", raw)

    def buyer_tier(self, buyer: Address) -> int:
        """What an account's score as a buyer entitles it to: 0 (new, or in bad standing) to 3."""
        return int(self.scores.read("tierIn", buyer, int(Role.BUYER)))

    # ---------------------------------------------------------------- jobs

    def job(self, job: Bytes32, block: BlockTag = "latest") -> JobOnChain:
        """A job's slot at a block."""
        state, outcome, _, accepted, pending, deadline, _, opened_in, _, paid, *_ = self.escrow.read(
            "jobOf", bytes.fromhex(job[2:]), block=block
        )
        return JobOnChain(
            JobState(state), int(outcome), int(accepted), int(pending), int(deadline), int(opened_in), bool(paid)
        )

    def open_from_wallet(self, terms: Terms, provider_signature: str) -> Receipt:
        """Open a job as its buyer and payer: a permit for exactly the escrow, and ``open``, in one transaction."""
        signatures = (b"", b"", signature_bytes(provider_signature))
        self.demand_credits(terms.escrow)
        with self._permits:
            permit = self._permit(self.credit, self.escrow, terms.escrow)
            return self.send(self.escrow, "openWithPermit", terms_values(terms), signatures, *permit)

    def open_many_from_wallet(self, jobs: Sequence[tuple[Terms, str]]) -> tuple[Receipt, dict[Bytes32, ChainError]]:
        """Open jobs, each with its provider's signature, as their buyer and payer: one permit and one transfer for all, in one transaction.

        Also returns the jobs that the escrow skipped, each with why; what they would have taken is in the free balance then.
        """
        items = [(terms_values(terms), (b"", b"", signature_bytes(signature))) for terms, signature in jobs]
        amount = sum(terms.escrow for terms, _ in jobs)
        self.demand_credits(amount)
        with self._permits:
            permit = self._permit(self.credit, self.escrow, amount)
            data = self.escrow.encode("openManyWithPermit", amount, items, *permit)
            # An estimate would be the least with which the batch succeeds, skipping everything.
            receipt = self._sender.send(self.escrow.address, data, gas=_BATCH_GAS + _OPEN_GAS * len(items))
        return receipt, self._skipped(receipt)

    def open_from_balance(self, terms: Terms, provider_signature: str) -> Receipt:
        """Open a job as its buyer and payer from the free balance."""
        return self.send(self.escrow, "open", terms_values(terms), (b"", b"", signature_bytes(provider_signature)))

    def attest(self, terms: Terms, attestation: Attestation, signatures: str) -> Receipt:
        """Bring the verifier's word."""
        return self.send(self.escrow, "attest", *_attesting(terms, attestation, signatures))

    def gas_of_attest(self, terms: Terms, attestation: Attestation, signatures: str) -> int:
        """Gas limit for ``attest``. Raises ``ContractReverted`` where the escrow would refuse it now."""
        data = self.escrow.encode("attest", *_attesting(terms, attestation, signatures))
        return self._sender.estimate(self.escrow.address, data)

    def attest_many(
        self, items: Sequence[tuple[Terms, Attestation, str]], gas: int
    ) -> tuple[Receipt, dict[Bytes32, ChainError]]:
        """Bring several words in one transaction of at most ``gas``. Also returns the jobs that the escrow skipped, each with why."""
        data = self.escrow.encode("attestMany", [_attesting(*item) for item in items])
        receipt = self._sender.send(self.escrow.address, data, gas=gas)
        return receipt, self._skipped(receipt)

    def _skipped(self, receipt: Receipt) -> dict[Bytes32, ChainError]:
        logs = (parse_raw_log(log) for log in receipt.logs)
        events = (decode_log("JobEscrow", log.topics, log.data) for log in logs if log.address == self.escrow.address)
        skipped = (event for event in events if isinstance(event, JobSkipped))
        return {event.job: revert_error(event.revert_data) for event in skipped}

    def propose(self, terms: Terms, units: int, result: Bytes32) -> Receipt:
        """Claim units without a verifier."""
        return self.send(self.escrow, "propose", terms_values(terms), units, bytes.fromhex(result[2:]))

    def dispute(self, terms: Terms) -> Receipt:
        """Contest what is pending."""
        return self.send(self.escrow, "dispute", terms_values(terms))

    def finalize(self, terms: Terms) -> Receipt:
        """End a job whose window has passed."""
        return self.send(self.escrow, "finalize", terms_values(terms))

    def reclaim(self, terms: Terms) -> Receipt:
        """End an open job after its end."""
        return self.send(self.escrow, "reclaim", terms_values(terms))

    def cancel_terms(self, terms: Terms) -> Receipt:
        """Make unopened terms unusable."""
        return self.send(self.escrow, "cancel", terms_values(terms))

    # ---------------------------------------------------------------- the chain

    def chain_time(self, block: BlockTag = "latest") -> int:
        """Timestamp of a block, in UTC seconds."""
        header = self.rpc.header(block)
        return header.timestamp if header else int(time.time())

    def send(self, contract: DeployedContract, function: str, *arguments: Any, value: int = 0) -> Receipt:
        """Send one call, with ``value`` wei of the chain's coin, and wait until it is mined."""
        return self._sender.send(contract.address, contract.encode(function, *arguments), value)

    def demand_credits(self, amount: int) -> None:
        """Make sure that the wallet holds so much.

        Raises:
            InsufficientFunds: it does not.
        """
        held = self.wallet_credits()
        if held < amount:
            raise InsufficientFunds(
                f"{self.address} has {format_credits(held)} credits in its wallet and needs {format_credits(amount)}: "
                "swap reserve tokens for credits (`computility wallet swap`), or withdraw from the escrow"
            )

    def _spending(
        self, token: DeployedContract, spender: DeployedContract, value: int, function: str, *arguments: Any
    ) -> list[Receipt]:
        """Call a function that takes ``value`` of a token: with a permit in the same transaction, or after an approval where the
        token knows no permits."""
        with self._permits:
            try:
                permit = self._permit(token, spender, value)
            except (ContractReverted, DeploymentMissing):
                approved = self.send(token, "approve", spender.address, value)
                return [approved, self.send(spender, function, *arguments)]
            return [self.send(spender, f"{function}WithPermit", *arguments, *permit)]

    def _permit(self, token: DeployedContract, spender: DeployedContract, value: int) -> tuple[int, int, bytes, bytes]:
        """Deadline, v, r and s of an EIP-2612 permit, over the token's own EIP-712 domain (EIP-5267).

        The token counts permits, so the next one can be signed only when this one is mined: hold ``_permits`` until then.
        """
        deadline = self.chain_time() + _PERMIT_VALID_S
        _, name, version, chain, contract, *_ = token.read("eip712Domain")
        message = {
            "owner": self.address,
            "spender": spender.address,
            "value": value,
            "nonce": int(token.read("nonces", self.address)),
            "deadline": deadline,
        }
        signed = Account.sign_typed_data(
            self._key,
            domain_data={"name": name, "version": version, "chainId": chain, "verifyingContract": contract},
            message_types=_PERMIT_TYPE,
            message_data=message,
        )
        return deadline, int(signed.v), int(signed.r).to_bytes(32, "big"), int(signed.s).to_bytes(32, "big")


def _attesting(terms: Terms, attestation: Attestation, signatures: str) -> tuple[Any, ...]:
    """What ``attest`` takes, and one item of ``attestMany`` is."""
    return terms_values(terms), raw_values(attestation.values()), signature_bytes(signatures)


def terms_values(terms: Terms) -> tuple[Any, ...]:
    """Terms as an ABI encoder takes them."""
    return raw_values(terms.values())


def raw_values(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Hashes as bytes, enums as integers; the rest as it is."""
    return tuple(_raw(value) for value in values)


def _raw(value: Any) -> Any:
    if isinstance(value, str) and len(value) == 66:
        return bytes.fromhex(value[2:])
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
