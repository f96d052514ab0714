"""Builds the proof of a trade from a chain endpoint, and from whoever has the documents that the trade names."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.log_decoding import RawLog, decode_log, parse_raw_log
from computility.chain.receipt_trie import receipts_trie, require_block_hash
from computility.domain.attestation import Attestation
from computility.domain.canonical_json import canonical_json, parse_canonical_json, sha256_bytes32
from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import ChainMisbehaved, InvalidMessage, RpcRefused, UnknownJob
from computility.domain.events import Event, JobOpened
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, bytes32
from computility.domain.institution_events import BlockRecorded, DisputeOpened, FeeClaimed, MemberSlashed
from computility.services.block_ranges import BlockRanges
from computility.services.trade_events import (
    ARBITRATION,
    COMMITTEE,
    ESCROW,
    arbitration_tells,
    committee_tells,
    disputes_of,
    institution_event,
)
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
        around = self._institutions_logs(logs, job)
        bundle = canonical_json(
            {
                "version": VERSION,
                "chain": self._deployments.chain_id,
                "escrow": escrow,
                "job": job,
                "blocks": self._blocks(sorted({*logs, *around}, key=_place)),
                "attestations": attestations,
                "specification": _document(fetch, _spec_of(logs)),
                "evidence": _evidence(fetch, [entry["attestation"]["evidence"] for entry in attestations]),
            }
        )
        return bundle, verify_bundle(bundle)

    def _logs(self, job: Bytes32) -> list[RawLog]:
        newest = self._rpc.block_number()
        for generation in reversed(self._deployments.generations):
            ask = partial(self._ask_logs, generation.address_of("JobEscrow"), job)
            # Most endpoints give a job's few logs out of any range; those that bound ranges are asked for less and less.
            answers = BlockRanges(newest + 1).answers(generation.block, newest, ask)
            found = sorted(itertools.chain.from_iterable(answers), key=_place)
            events = ((log, decode_log("JobEscrow", log.topics, log.data)) for log in found)
            logs = [log for log, event in events if event is not None and event.told_job == job]
            if logs:
                return logs
        return []

    def _institutions_logs(self, logs: Sequence[RawLog], job: Bytes32) -> list[RawLog]:
        """What the terms' verifier and arbiter wrote of the job, where they are contracts. The registry's logs stand in the escrow's own receipts."""
        openings = ((log, decode_log(ESCROW, log.topics, log.data)) for log in logs)
        opened = next(((log, event.terms) for log, event in openings if isinstance(event, JobOpened)), None)
        if opened is None:
            return []
        block, terms = opened[0].block_number, opened[1]
        named = (_topic(FeeClaimed), job), (_topic(MemberSlashed), None, job), (_topic(BlockRecorded), _word(block))
        begun = (_topic(DisputeOpened), None, job)
        wanted = [*((terms.verifier, topics) for topics in named), (terms.arbiter, begun)]
        found = self._ask_all(block, wanted)
        of_committee = [log for log in found if log.address == terms.verifier and _committee_tells(log, job, block)]
        arbitration = [log for log in found if log.address == terms.arbiter]
        disputes = disputes_of((institution_event(ARBITRATION, log.topics, log.data) for log in arbitration), job)
        if not disputes:
            return of_committee
        numbers = tuple(_word(dispute) for dispute in sorted(disputes))
        told = self._ask_all(
            arbitration[0].block_number, [(terms.arbiter, (None, numbers)), (terms.arbiter, (None, None, numbers))]
        )
        return of_committee + [log for log in told if _arbitration_tells(log, disputes)]

    def _ask_all(self, first: int, wanted: Sequence[tuple[Address, Sequence[Any]]]) -> list[RawLog]:
        """All logs of these addresses and topics from a block on, each once."""
        newest = self._rpc.block_number()
        found = dict.fromkeys(
            itertools.chain.from_iterable(
                BlockRanges(newest + 1).answers(first, newest, partial(self._ask_batch, wanted))
            )
        )
        return sorted(found, key=_place)

    def _ask_batch(self, wanted: Sequence[tuple[Address, Sequence[Any]]], first: int, last: int) -> list[RawLog]:
        asked = [("eth_getLogs", (_filter(address, topics, first, last),)) for address, topics in wanted]
        return [log for answer in self._rpc.batch(asked) for log in self._parsed(answer)]

    def _ask_logs(self, escrow: Address, job: Bytes32, first: int, last: int) -> list[RawLog]:
        return self._parsed(self._rpc.call("eth_getLogs", _filter(escrow, (None, job), first, last)))

    def _parsed(self, answer: Any) -> list[RawLog]:
        if not isinstance(answer, list):
            raise ChainMisbehaved(f"{self._rpc.name} answers a question for logs with something else")
        return [parse_raw_log(log) for log in answer]

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


def _filter(address: Address, topics: Sequence[Any], first: int, last: int) -> dict[str, Any]:
    return {"fromBlock": hex(first), "toBlock": hex(last), "address": address, "topics": topics}


def _topic(event: type[Event]) -> Bytes32:
    return event.EVENT.topic


def _word(number: int) -> str:
    return f"0x{number:064x}"


def _place(log: RawLog) -> tuple[int, int]:
    return log.block_number, log.log_index


def _committee_tells(log: RawLog, job: Bytes32, opened: int) -> bool:
    event = institution_event(COMMITTEE, log.topics, log.data)
    return event is not None and committee_tells(event, job, opened)


def _arbitration_tells(log: RawLog, disputes: Collection[int]) -> bool:
    event = institution_event(ARBITRATION, log.topics, log.data)
    return event is not None and arbitration_tells(event, disputes)


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
