"""Sends transactions for one account: tried before they are paid for, one nonce each, and waited for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from computility.chain.reverts import reverted
from computility.chain.rpc import RpcClient
from computility.domain.errors import (
    ChainMisbehaved,
    ContractReverted,
    RpcRefused,
    TransactionNotMined,
)
from computility.domain.identifiers import Address, Bytes32, parse_address, parse_bytes32

_GAS_MARGIN_PERCENT: Final = 30
# A word that is written for the first time costs 20,000 more than one that is there: others' transactions in between may make it so for a few.
_GAS_MARGIN: Final = 70_000
_DEFAULT_TIP_WEI: Final = 1_000_000_000
_FIRST_RECEIPT_POLL_S: Final = 0.01
_LONGEST_RECEIPT_POLL_S: Final = 0.25


@dataclass(frozen=True)
class Receipt:
    """A mined transaction. ``gas_used`` in gas, ``contract`` the address that it created, if any."""

    tx_hash: Bytes32
    block_number: int
    block_hash: Bytes32
    gas_used: int
    contract: Address | None
    logs: tuple[dict[str, Any], ...]


class TransactionSender:
    """One account's way to the chain. Safe to use from several threads; the key never shows."""

    def __init__(
        self, rpc: RpcClient, account: LocalAccount, chain_number: int, confirmations: int = 0, timeout_s: float = 120.0
    ) -> None:
        self._rpc = rpc
        self._account = account
        self._chain_number = chain_number
        self._confirmations = confirmations
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self.address = Address(account.address)

    def __repr__(self) -> str:
        return f"TransactionSender({self.address})"

    def estimate(self, to: Address, data: str) -> int:
        """Gas that a call needs now, with a margin for what others change before it is mined.

        Raises:
            ContractReverted: it would revert.
            ChainError: the endpoint fails.
        """
        try:
            return self._estimate({"from": self.address, "data": data, "to": to})
        except RpcRefused as error:
            raise reverted(error) from error

    def send(self, to: Address | None, data: str, value: int = 0, gas: int | None = None) -> Receipt:
        """Send one transaction (``to`` None creates a contract) and wait until it is mined and as deep as configured.

        It is first tried with ``eth_call``: what would revert is never sent and costs nothing. ``gas``: its limit, estimated unless given. An
        endpoint's estimate is the least with which the call as a whole succeeds: give one for a call that goes on where an inner one fails.

        Raises:
            ContractReverted: it would revert, or did when it was mined.
            InsufficientFunds: tokens, allowance or gas money are missing.
            TransactionNotMined: no receipt in time; the transaction may still be mined.
            ChainError: the endpoint fails.
        """
        call: dict[str, Any] = {"from": self.address, "data": data, "value": hex(value)}
        if to is not None:
            call["to"] = to
        try:
            self._rpc.call("eth_call", call, "latest")
            limit = self._estimate(call) if gas is None else gas
            with self._lock:
                tx_hash = self._sign_and_send(call, limit)
        except RpcRefused as error:
            raise reverted(error) from error
        return self._wait(tx_hash, call)

    def _estimate(self, call: dict[str, Any]) -> int:
        gas = self._rpc.quantity(self._rpc.call("eth_estimateGas", call))
        return gas + gas * _GAS_MARGIN_PERCENT // 100 + _GAS_MARGIN

    def _sign_and_send(self, call: dict[str, Any], gas: int) -> Bytes32:
        nonce = self._rpc.quantity(self._rpc.call("eth_getTransactionCount", self.address, "pending"))
        transaction: dict[str, Any] = {
            "chainId": self._chain_number,
            "nonce": nonce,
            "gas": gas,
            "value": int(call["value"], 16),
            "data": call["data"],
            **self._fees(),
        }
        if "to" in call:
            transaction["to"] = call["to"]
        signed = self._account.sign_transaction(transaction)
        raw = "0x" + bytes(signed.raw_transaction).hex()
        wanted = Bytes32("0x" + bytes(signed.hash).hex())
        try:
            answered = parse_bytes32(self._rpc.call("eth_sendRawTransaction", raw))
        except RpcRefused as error:
            # The same bytes were sent by an attempt whose answer was lost: the transaction is there.
            if "already known" in str(error).lower() or "already imported" in str(error).lower():
                return wanted
            raise
        if answered != wanted:
            raise ChainMisbehaved(f"{self._rpc.name} answers a transaction with another hash")
        return wanted

    def _fees(self) -> dict[str, int]:
        header = self._rpc.header("latest")
        if header is None or header.base_fee is None:
            return {"gasPrice": self._rpc.quantity(self._rpc.call("eth_gasPrice"))}
        try:
            tip = self._rpc.quantity(self._rpc.call("eth_maxPriorityFeePerGas"))
        except RpcRefused:
            tip = _DEFAULT_TIP_WEI
        return {"maxFeePerGas": 2 * header.base_fee + tip, "maxPriorityFeePerGas": tip, "type": 2}

    def _wait(self, tx_hash: Bytes32, call: dict[str, Any]) -> Receipt:
        give_up = time.monotonic() + self._timeout_s
        pause = _FIRST_RECEIPT_POLL_S
        while time.monotonic() < give_up:
            raw = self._rpc.call("eth_getTransactionReceipt", tx_hash)
            if raw is not None and raw.get("blockNumber") is not None:
                block_number = self._rpc.quantity(raw["blockNumber"])
                if self._rpc.quantity(raw["status"]) != 1:
                    raise self._why_it_reverted(call, block_number, tx_hash)
                if self._confirmations == 0 or self._rpc.block_number() >= block_number + self._confirmations:
                    return _receipt(raw, block_number)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_RECEIPT_POLL_S)
        raise TransactionNotMined(
            f"transaction {tx_hash} was sent and is not mined after {self._timeout_s:g} s; look it up before you send another"
        )

    def _why_it_reverted(self, call: dict[str, Any], block_number: int, tx_hash: Bytes32) -> Exception:
        try:
            self._rpc.call("eth_call", call, hex(block_number))
        except RpcRefused as error:
            return reverted(error)
        return ContractReverted(f"transaction {tx_hash} was mined and reverted: something changed before it; try again")


def _receipt(raw: dict[str, Any], block_number: int) -> Receipt:
    contract = raw.get("contractAddress")
    return Receipt(
        tx_hash=parse_bytes32(raw["transactionHash"]),
        block_number=block_number,
        block_hash=parse_bytes32(raw["blockHash"]),
        gas_used=int(raw["gasUsed"], 16),
        contract=parse_address(contract) if contract else None,
        logs=tuple(raw.get("logs", ())),
    )
