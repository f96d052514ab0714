"""Builds the proof of a trade from a chain endpoint, and from whoever has the documents that the trade names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.log_decoding import RawLog, decode_log
from computility.chain.receipt_trie import receipts_trie, require_block_hash
from computility.domain.attestation import Attestation
from computility.domain.canonical_json import canonical_json, parse_canonical_json, sha256_bytes32
from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import ChainMisbehaved, InvalidMessage, RpcRefused, UnknownJob
from computility.domain.events import JobOpened
from computility.domain.identifiers import ZERO_BYTES32, Bytes32, bytes32
from computility.services.trade_logs import TradeLogs, place_of
from computility.services.trade_proof import MAX_BUNDLE_BYTES, VERSION, VerifiedTrade, signers_of, verify_bundle

FetchContent = Callable[[Bytes32], bytes | None]
"""The content with a SHA-256 digest, or None where it is not at hand."""

_METHOD_NOT_FOUND: Final = -32601


def by_hash_only(_digest: Bytes32) -> None:
    """No documents: the bundle names them by their hashes."""


class ProofBuilder:
    """Builds proofs of trades on one chain."""

    def __init__(self, chain: ChainConnection, deployments: Deployments) -> None:
        self._chain = chain
        self._rpc = chain.rpc
        self._deployments = deployments
        self._trade_logs = TradeLogs(chain.rpc)

    def build(self, job: Bytes32, fetch: FetchContent = by_hash_only) -> tuple[bytes, VerifiedTrade]:
        """The bundle of a job, as it stands, and what it proves: nothing is handed out that would not be verified.

        Raises:
            UnknownJob: the chain has no event of it.
            ChainError: the endpoint fails, or answers with what does not hash to its own blocks.
            InvalidProof: what the endpoint answers does not prove the trade.
        """
        logs = self._logs(job)
        if not logs:
            raise UnknownJob(f"no escrow of {self._deployments.chain_id} has an event of job {job}: is the id right?")
        escrow = logs[0].address
        domain = Eip712Domain(self._deployments.chain_number, escrow)
        attestations = list(self._attestations(logs, domain, job))
        around = self._trade_logs.of_institutions(logs, job)
        bundle = canonical_json(
            {
                "version": VERSION,
                "chain": self._deployments.chain_id,
                "escrow": escrow,
                "job": job,
                "blocks": self._blocks(sorted({*logs, *around}, key=place_of)),
                "attestations": attestations,
                "specification": _document(fetch, _spec_of(logs)),
                "evidence": _evidence(fetch, [entry["attestation"]["evidence"] for entry in attestations]),
            }
        )
        return bundle, verify_bundle(bundle)

    def _logs(self, job: Bytes32) -> list[RawLog]:
        for generation in reversed(self._deployments.generations):
            logs = self._trade_logs.of_escrow(generation.address_of("JobEscrow"), job, generation.block)
            if logs:
                return logs
        return []

    def _blocks(self, logs: Sequence[RawLog]) -> list[dict[str, Any]]:
        transactions: dict[Bytes32, list[Bytes32]] = {}
        for log in logs:
            named = transactions.setdefault(log.block_hash, [])
            if log.tx_hash not in named:
                named.append(log.tx_hash)
        answers = self._rpc.batch([("eth_getBlockByHash", (block, False)) for block in transactions])
        return [
            self._block(block, raw, named) for (block, named), raw in zip(transactions.items(), answers, strict=True)
        ]

    def _block(self, block_hash: Bytes32, block: Any, transactions: Sequence[Bytes32]) -> dict[str, Any]:
        if not isinstance(block, dict) or block.get("hash") != block_hash:
            raise ChainMisbehaved(f"{self._rpc.name} has no block {block_hash} any more: it reorganised, try again")
        header = require_block_hash(block)
        receipts = self._receipts(block)
        trie = receipts_trie(receipts)
        if "0x" + trie.root.hex() != block["receiptsRoot"]:
            raise ChainMisbehaved(f"the receipts of block {block_hash} are not those that its header names")
        order = {receipt["transactionHash"]: index for index, receipt in enumerate(receipts)}
        indexes = sorted(order[transaction] for transaction in transactions)
        return {
            "hash": block_hash,
            "header": "0x" + header.hex(),
            "receipts": [
                {"index": index, "proof": ["0x" + node.hex() for node in trie.prove(index)]} for index in indexes
            ],
        }

    def _receipts(self, block: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            found = self._rpc.call("eth_getBlockReceipts", block["number"])
        except RpcRefused as error:
            if error.rpc_code != _METHOD_NOT_FOUND and "does not exist" not in str(error):
                raise
            found = self._rpc.batch([("eth_getTransactionReceipt", (tx,)) for tx in block["transactions"]])
        if not isinstance(found, list) or not all(isinstance(receipt, dict) for receipt in found):
            raise ChainMisbehaved(f"{self._rpc.name} answers a question for receipts with something else")
        return found

    def _attestations(self, logs: Sequence[RawLog], domain: Eip712Domain, job: Bytes32) -> Iterator[dict[str, Any]]:
        """Every attestation in the calldata of the job's transactions, with its signature, where the escrow was called directly."""
        contract = self._chain.codec("JobEscrow", domain.escrow)
        hashes = dict.fromkeys(log.tx_hash for log in logs)
        for transaction in self._rpc.batch([("eth_getTransactionByHash", (tx,)) for tx in hashes]):
            try:
                _, arguments = contract.decode_function_input(transaction["input"])
            except (ValueError, TypeError, KeyError):
                continue  # sent through another contract
            for found, signature in _signed_attestations(arguments):
                attestation = Attestation(**found)
                signers = signers_of(attestation, domain, signature)
                # A verifier that sends its own needs no signature; the event says what it said.
                if attestation.job == job and signers:
                    yield {"attestation": attestation.to_json(), "signature": signature, "signers": list(signers)}


def _signed_attestations(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Attestations beside their signatures, however deep a call nests them (a batch has several)."""
    if isinstance(value, Mapping):
        attestation = value.get("attestation")
        if isinstance(attestation, Mapping):
            yield _fields(attestation), "0x" + bytes(value.get("signature", b"")).hex()
        for part in value.values():
            yield from _signed_attestations(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _signed_attestations(part)


def _fields(arguments: Mapping[str, Any]) -> dict[str, Any]:
    named = {field.name: field.python_name for field in Attestation.STRUCT.fields}
    return {
        python_name: bytes32(arguments[name]) if isinstance(arguments[name], bytes) else arguments[name]
        for name, python_name in named.items()
    }


def _spec_of(logs: Sequence[RawLog]) -> Bytes32:
    # The bond is staked before the job is opened.
    events = (decode_log("JobEscrow", log.topics, log.data) for log in logs)
    return next((event.terms.spec for event in events if isinstance(event, JobOpened)), ZERO_BYTES32)


def _evidence(fetch: FetchContent, digests: Sequence[Bytes32]) -> list[dict[str, Any]]:
    found = [_document(fetch, digest) for digest in sorted(set(digests))]
    return [document for document in found if document is not None]


def _document(fetch: FetchContent, digest: Bytes32) -> dict[str, Any] | None:
    """A canonical document by its digest; None where it is not at hand, or is no document (content of another kind is named by its hash only)."""
    data = fetch(digest) if digest != ZERO_BYTES32 else None
    if data is None or sha256_bytes32(data) != digest:
        return None
    try:
        return parse_canonical_json(data, MAX_BUNDLE_BYTES, InvalidMessage)
    except InvalidMessage:
        return None
