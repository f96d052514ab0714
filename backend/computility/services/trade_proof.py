"""A trade's proof: one document that shows every event of a job to be in blocks with known hashes. It is verified with nothing but itself.

The bundle is canonical JSON:

    {"version": 2, "chain": "eip155:…", "escrow": address, "job": id,
     "blocks": [{"hash": …, "header": 0x RLP, "receipts": [{"index": transaction, "proof": [0x node, …]}]}],
     "attestations": [{"attestation": {…}, "signature": 0x hex, "signers": [address]}],
     "specification": document or null, "evidence": [document, …]}

A block's hash is that of its header; the header's receipts root leads through the trie to each receipt; the receipts' logs are the events: all of the
escrow's that tell of the job, and those of the institutions around it (``trade_events`` says which, and what ties them to the job): the provider's
stake that is reserved, released and slashed; the dispute's rounds, panels, votes, penalties and ruling; the committee's fee and whom it slashed. A
bundle of version 1 has the escrow's only, in receipts that each have one of them, and is verified as it ever was. The terms in ``JobOpened`` hash to
the job's id on this chain and escrow; the specification to the terms' ``spec``; evidence to what an attestation names.

An end says which outcome stood and what ended it, so that no verdict, claim, dispute or ruling that an end rests on can be left out. What remains to
be believed is that the blocks' hashes are the chain's (compare them with any source that you trust), and that nothing else was left out: blocks are
not linked to one another here, and a trade without a reading, a vote, or its end, is a trade too. Any endpoint tells (``trade_logs.left_out``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import itemgetter
from typing import Any, Final

from computility.chain.receipt_trie import ProvenHeader, parse_header, proven_receipt
from computility.domain import job as job_fold
from computility.domain.attestation import Attestation, Verdict
from computility.domain.canonical_json import canonical_json, parse_canonical_json, sha256_bytes32
from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import ChainMisbehaved, ComputilityError, InvalidMessage, InvalidProof
from computility.domain.events import Event, EventOrigin, JobClosed, JobDisputed, JobPaid, JobRuled
from computility.domain.identifiers import (
    ZERO_BYTES32,
    Address,
    Bytes32,
    ChainId,
    chain_number,
    parse_address,
    parse_bytes32,
)
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.domain.signature import recover_signer
from computility.domain.terms import Terms
from computility.services.trade_events import (
    ProvenEvent,
    ReceiptInBlock,
    Told,
    told_by_escrow,
    told_by_institutions,
)

VERSION: Final = 2
_ESCROW_ALONE: Final = 1
"""The version whose bundles have the escrow's events only."""
MAX_BUNDLE_BYTES: Final = 64 * 1024 * 1024
_MEMBER_SIGNATURE: Final = 130
_FIELDS: Final = frozenset({"version", "chain", "escrow", "job", "blocks", "attestations", "specification", "evidence"})


class InvalidBundle(InvalidMessage):
    """Not a proof bundle."""

    code = "invalid-bundle"


@dataclass(frozen=True)
class SignedAttestation:
    """An attestation and who signed it: the verifier itself, or members of the verifier's contract."""

    attestation: Attestation
    signers: tuple[Address, ...]
    by_verifier: bool
    """The verifier's own key signed. Otherwise only its contract can say that these signers sufficed, as it did when the escrow asked."""


@dataclass(frozen=True)
class VerifiedTrade:
    """What a bundle proves."""

    chain: ChainId
    escrow: Address
    job: Bytes32
    terms: Terms
    record: JobRecord
    events: tuple[ProvenEvent, ...]
    blocks: tuple[tuple[int, Bytes32], ...]
    attestations: tuple[SignedAttestation, ...]
    has_specification: bool
    evidence: int
    has_institutions: bool
    """Whether the bundle should have what the institutions around the trade wrote of it."""

    def to_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "verified": True,
            "chain": self.chain,
            "escrow": self.escrow,
            "job": self.job,
            "state": self.record.state.name.lower(),
            "terms": self.terms.to_json(),
            "events": [
                {
                    "name": proven.event.EVENT.name,
                    "contract": proven.contract,
                    "address": proven.address,
                    "arguments": proven.event.to_json(),
                    "block": proven.block_number,
                    "transaction_index": proven.transaction_index,
                    "timestamp": proven.timestamp,
                }
                for proven in self.events
            ],
            "blocks": [{"number": number, "hash": block} for number, block in self.blocks],
            "attestations": [
                {"signers": list(signed.signers), "by_verifier": signed.by_verifier, **signed.attestation.to_json()}
                for signed in self.attestations
            ],
            "specification": self.has_specification,
            "evidence": self.evidence,
        }


def verify_bundle(data: bytes) -> VerifiedTrade:
    """What a bundle proves.

    Raises:
        InvalidBundle: not a bundle of this version in its one spelling.
        InvalidProof: something in it does not prove what the bundle claims; the message says what.
    """
    document = parse_canonical_json(data, MAX_BUNDLE_BYTES, InvalidBundle)
    if document.keys() != _FIELDS or document["version"] not in (_ESCROW_ALONE, VERSION):
        raise InvalidBundle(
            f"a proof bundle of version {_ESCROW_ALONE} or {VERSION} has exactly the fields {', '.join(sorted(_FIELDS))}"
        )
    try:
        domain = Eip712Domain(chain_number(document["chain"]), _canonical(parse_address, document["escrow"]))
        job = _canonical(parse_bytes32, document["job"])
        headers, receipts = _prove_blocks(document["blocks"])
        by_escrow = told_by_escrow(receipts, domain.escrow, job)
        events = list(by_escrow.values())
        record = _fold(events, document["chain"], domain.escrow)
        terms = record.terms
        if terms is None:
            raise InvalidProof("the job was cancelled before it opened: there is no trade to prove")
        if terms.job_id(domain) != job:
            raise InvalidProof("the terms of the job do not hash to its id on this chain and escrow")
        told = dict(by_escrow)
        if document["version"] != _ESCROW_ALONE:
            told |= told_by_institutions(receipts, by_escrow, terms, job)
        _require_all_to_tell(receipts, told)
        attestations = tuple(_prove_attestation(entry, domain, job, terms) for entry in document["attestations"])
        _prove_attested(attestations, events)
        _prove_documents(document, terms, attestations, events)
    except InvalidProof:
        raise
    except (ComputilityError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidBundle(f"this is no proof bundle: {error}") from error
    return VerifiedTrade(
        chain=ChainId(document["chain"]),
        escrow=domain.escrow,
        job=job,
        terms=terms,
        record=record,
        events=tuple(proven for _, proven in sorted(told.items(), key=itemgetter(0))),
        blocks=tuple((header.number, header.hash) for header in headers),
        attestations=attestations,
        has_specification=document["specification"] is not None,
        evidence=len(document["evidence"]),
        has_institutions=document["version"] != _ESCROW_ALONE,
    )


def _prove_blocks(blocks: Sequence[Mapping[str, Any]]) -> tuple[list[ProvenHeader], list[ReceiptInBlock]]:
    headers: list[ProvenHeader] = []
    receipts: list[ReceiptInBlock] = []
    for block in blocks:
        _exactly(block, "hash", "header", "receipts")
        header = parse_header(_hex(block["header"]))
        if header.hash != block["hash"]:
            raise InvalidProof(f"the header of block {header.number} does not hash to {block['hash']}")
        if headers and header.number <= headers[-1].number:
            raise InvalidProof("the blocks are not in the order of the chain")
        headers.append(header)
        before = -1
        if not block["receipts"]:
            raise InvalidProof(f"block {header.number} proves nothing")
        for receipt in block["receipts"]:
            _exactly(receipt, "index", "proof")
            index = receipt["index"]
            if type(index) is not int or index <= before:
                raise InvalidProof(f"the receipts of block {header.number} are not in the order of its transactions")
            before = index
            proven = proven_receipt(header, index, [_hex(node) for node in receipt["proof"]])
            receipts.append(ReceiptInBlock(header, index, proven.logs))
    return headers, receipts


def _require_all_to_tell(receipts: Sequence[ReceiptInBlock], told: Told) -> None:
    telling = {number for number, _ in told}
    for number, receipt in enumerate(receipts):
        if number not in telling:
            raise InvalidProof(f"receipt {receipt.index} of block {receipt.header.number} has no event of the job")


def _fold(events: Sequence[ProvenEvent], chain: str, escrow: Address) -> JobRecord:
    record: JobRecord | None = None
    for proven in events:
        if proven.event.job_id is None:
            continue  # told of the job, as what of its provider's stake is bonded, and changes nothing of it
        # A receipt names neither its transaction nor where in the block its logs stand; the fold only keeps them.
        origin = EventOrigin(
            ChainId(chain), proven.block_hash, proven.block_number, 0, ZERO_BYTES32, escrow, proven.timestamp
        )
        try:
            _require_ground(record, proven.event)
            record = job_fold.apply_event(record, proven.event, origin)
        except ChainMisbehaved as error:
            raise InvalidProof(f"an event of the job is missing, doubled or out of order: {error}") from error
    if record is None:
        raise InvalidProof("the bundle proves no event")
    return record


def _require_ground(before: JobRecord | None, event: Event) -> None:
    """A dispute, a ruling and an end say what came before them: a window that ran, a verdict, a ruling. Without these they cannot have been."""
    if before is None:
        return
    states, grounded = _STATES_BEFORE.get(type(event)), True
    if isinstance(event, JobClosed):
        states = _STATES_BEFORE_CLOSE.get(ClosedBy(event.cause))
        grounded = Outcome(event.outcome) is (before.outcome or Outcome.NO_FAULT)
        grounded = grounded and (event.cause != ClosedBy.RULED or before.slash_bps is not None)
    if not grounded or (states is not None and before.state not in states):
        raise InvalidProof(
            f"an event of the job is missing: {event.EVENT.name} cannot follow on a job that is {before.state.name.lower()}"
        )


_STATES_BEFORE: Final[dict[type[Event], tuple[JobState, ...]]] = {
    JobDisputed: (JobState.PENDING,),
    JobRuled: (JobState.DISPUTED,),
}
_STATES_BEFORE_CLOSE: Final[dict[ClosedBy, tuple[JobState, ...]]] = {
    ClosedBy.FINALIZED: (JobState.PENDING,),
    ClosedBy.RULED: (JobState.DISPUTED,),
    ClosedBy.RECLAIMED: (JobState.OPEN,),
    ClosedBy.DISPUTED_BY_DEFAULT: (JobState.PENDING, JobState.DISPUTED),
}
"""By the contract's transitions; an agreement may end a job in any."""


def _prove_attestation(entry: Mapping[str, Any], domain: Eip712Domain, job: Bytes32, terms: Terms) -> SignedAttestation:
    _exactly(entry, "attestation", "signature", "signers")
    attestation = Attestation.from_json(entry["attestation"])
    if attestation.to_json() != entry["attestation"]:
        raise InvalidProof("an attestation is not in its one spelling")
    if attestation.job != job:
        raise InvalidProof("an attestation is of another job")
    signers = signers_of(attestation, domain, entry["signature"])
    if not signers or list(signers) != entry["signers"]:
        raise InvalidProof("an attestation was not signed by those whom the bundle names")
    return SignedAttestation(attestation, signers, signers == (terms.verifier,))


def signers_of(attestation: Attestation, domain: Eip712Domain, signature: str) -> tuple[Address, ...]:
    """Who signed: one key, or the members of a committee one after the other (65 bytes each), which repeats the attestation's words before them.
    None where the verifier sent it itself, or its contract takes signatures of another form.
    """
    digits = _hex(signature).hex().removeprefix(attestation.STRUCT.encode(attestation.values()).hex())
    step = len(digits) if len(digits) == _MEMBER_SIGNATURE - 2 else _MEMBER_SIGNATURE
    if not digits or len(digits) % step:
        return ()
    digest = attestation.digest(domain)
    try:
        return tuple(recover_signer(digest, "0x" + digits[at : at + step]) for at in range(0, len(digits), step))
    except ComputilityError:
        return ()


def _prove_attested(attestations: Sequence[SignedAttestation], events: Sequence[ProvenEvent]) -> None:
    """Each attestation is one that an event tells of."""
    named = [field.name for field in fields(Attestation)]
    for signed in attestations:
        told = (
            proven.event for proven in events if hasattr(proven.event, "quality_bps") or hasattr(proven.event, "result")
        )
        if not any(_agrees(event, signed.attestation, named) for event in told):
            raise InvalidProof("an attestation is not one that an event of the job tells of")


def _agrees(event: Event, attestation: Attestation, named: Sequence[str]) -> bool:
    if isinstance(event, JobPaid):
        # Its units are those that are paid, which may be more than the verifier counted.
        if (event.attested, Verdict.PASS, True) != (attestation.units, attestation.verdict, attestation.is_final):
            return False
        named = [name for name in named if name != "units"]
    shared = [name for name in named if hasattr(event, name)]
    return "result" in shared and all(getattr(event, name) == getattr(attestation, name) for name in shared)


def _prove_documents(
    document: Mapping[str, Any],
    terms: Terms,
    attestations: Sequence[SignedAttestation],
    events: Sequence[ProvenEvent],
) -> None:
    specification = document["specification"]
    if specification is not None and sha256_bytes32(canonical_json(specification)) != terms.spec:
        raise InvalidProof("the specification is not the one that the terms name")
    named = {signed.attestation.evidence for signed in attestations}
    named |= {getattr(proven.event, "evidence", ZERO_BYTES32) for proven in events}
    digests = [sha256_bytes32(canonical_json(evidence)) for evidence in document["evidence"]]
    if not named.issuperset(digests):
        raise InvalidProof("evidence is none that an attestation names")
    if digests != sorted(set(digests)):
        raise InvalidProof("evidence is not in the order of its digests, each once")


def _exactly(entry: Mapping[str, Any], *names: str) -> None:
    if not isinstance(entry, dict) or entry.keys() != set(names):
        raise InvalidBundle(f"an entry of the bundle has exactly the fields {', '.join(names)}")


def _canonical(parse: Any, text: str) -> Any:
    if parse(text) != text:
        raise InvalidBundle(f"write {parse(text)}, not {text}")
    return text


def _hex(text: str) -> bytes:
    if text[:2] != "0x":
        raise InvalidBundle(f"{text[:40]!r} is no 0x hex")
    raw = bytes.fromhex(text[2:])
    if text != "0x" + raw.hex():
        raise InvalidBundle("bytes are written in lower-case hex")
    return raw
