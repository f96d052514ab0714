"""A job's row at rest: what it is searched by, and everything else as one string of bytes.

Nobody asks a database for the other fields one by one: pages want whole jobs. Forty columns cost half of what writing a row did. The string is
a MessagePack list (format 1): the number of the format, the terms, and the fields of ``JobRecord`` after them. Amounts of more than 64 bits are 16
bytes, big-endian. Terms rest without the zeros before their words: each field has the bytes of its type.

After it come the places of the job's events in the ledger, in order, 12 bytes each (``place_of``): a table with a row an event would be the largest
of all, and the slowest to write, as jobs' ids are in no order.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any, Final

import msgspec

from computility.domain.errors import StoreError
from computility.domain.identifiers import Bytes32
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.domain.terms import Terms
from computility.store.terms_bytes import terms_from_bytes, terms_to_bytes

JobsRow = tuple[Any, ...]
"""A job in memory, as the folds change it: hashes, addresses and terms as bytes, amounts as integers. ``JOB_FIELDS`` names what stands where; the
places of its events stand at ``PLACES``, after them."""

_PLACES: Final = (
    "ledger",
    "id",
    "generation",
    "buyer",
    "provider",
    "verifier",
    "resource",
    "listed_block",
    "state",
    "terms",
)
LEDGER, ID, GENERATION, BUYER, PROVIDER, VERIFIER, RESOURCE, LISTED_BLOCK, STATE, TERMS = range(10)
"""Where they stand in one; after them come the fields of ``JobRecord`` that are neither of these."""
_RECORD_FIELDS: Final = tuple(field.name for field in fields(JobRecord))
JOB_FIELDS: Final = (*_PLACES, *[name for name in _RECORD_FIELDS if name not in _PLACES])

PLACES: Final = len(JOB_FIELDS)
"""Where the places of a job's events stand."""

PackedRow = tuple[Any, ...]
"""The columns up to the state, then ``packed`` and the places of the job's events: as the table holds it."""
PACKED: Final = TERMS
"""Where ``packed`` stands in one."""

_PLACE: Final = struct.Struct(">QI")

_FORMAT: Final = 1
_LARGEST: Final = 2**64 - 1
_AMOUNT_BYTES: Final = 16
_AMOUNTS: Final = tuple(
    JOB_FIELDS.index(name) - TERMS - 1
    for name in (
        "escrow", "from_wallet", "accepted", "pending", "units", "provider_paid", "fee", "refund", "verifier_paid", "arbiter_from_escrow",
        "arbiter_from_bond", "bond_returned", "bond_to_buyer", "bond_to_treasury", "to_wallet",
    )
)  # fmt: skip
"""Where they stand among what follows the terms."""
_NOBODY: Final = (None,) * 4
_HASHES: Final = ("id", "result", "evidence", "opened_tx", "closed_tx")
_PLAIN_OF_JOB: Final = itemgetter(*_RECORD_FIELDS[_RECORD_FIELDS.index("fee_bps") : _RECORD_FIELDS.index("result")])


def packed_row(row: JobsRow) -> PackedRow:
    """A job as its table holds it."""
    terms = row[TERMS]
    if terms is not None:
        terms = b"".join(_SPLIT(terms))
    try:
        # Added to one another, tuples take less time than spread into one: every job that is written passes here.
        packed = _ENCODE((_FORMAT, terms) + row[TERMS + 1 : PLACES])  # noqa: RUF005  # see above
        return row[:TERMS] + (packed, row[PLACES])  # noqa: RUF005  # as above
    except OverflowError:
        # An amount of more than 64 bits: few jobs have one.
        values = list(row[TERMS + 1 : PLACES])
        for at in _AMOUNTS:
            amount = values[at]
            if amount is not None and amount > _LARGEST:
                values[at] = amount.to_bytes(_AMOUNT_BYTES, "big")
        return *row[:TERMS], _ENCODE((_FORMAT, terms, *values)), row[PLACES]


def unpacked_row(row: PackedRow) -> JobsRow:
    """Back from what ``packed_row`` makes.

    Raises:
        StoreError: it is of a later format, or none of it.
    """
    try:
        form, terms, *values = msgspec.msgpack.decode(row[PACKED])
        if form != _FORMAT or len(values) != len(JOB_FIELDS) - TERMS - 1:
            raise StoreError("a stored job is of a format that this version does not know: use the newest version")
        for at in _AMOUNTS:
            amount = values[at]
            if amount.__class__ is bytes:
                values[at] = int.from_bytes(amount, "big")
        return *row[:TERMS], None if terms is None else _JOIN(*_APART(terms)), *values, row[PACKED + 1]
    except (msgspec.DecodeError, struct.error, TypeError, ValueError) as error:
        raise StoreError(f"a stored job cannot be read ({error}): index from an empty database") from error


def job_row(ledger: int, generation: int, job: JobRecord, places: bytes = b"") -> JobsRow:
    """A job as the folds have it. ``places`` are those of its events, which no record knows."""
    values, raw = job.__dict__, bytes.fromhex
    terms, outcome, closed_by = job.terms, values["outcome"], values["closed_by"]
    parties: tuple[bytes | None, ...] = _NOBODY
    if terms is not None:
        parties = raw(terms.buyer[2:]), raw(terms.provider[2:]), raw(terms.verifier[2:]), raw(terms.resource[2:])
    return (
        ledger,
        raw(job.id[2:]),
        generation,
        *parties,
        values["opened_block"] or 0,
        int(values["state"]),
        None if terms is None else terms_to_bytes(terms),
        None if outcome is None else int(outcome),
        None if closed_by is None else int(closed_by),
        *_PLAIN_OF_JOB(values),
        _bytes_or_none(values["result"]),
        _bytes_or_none(values["evidence"]),
        values["opened_at"],
        values["opened_block"],
        _bytes_or_none(values["opened_tx"]),
        values["closed_at"],
        values["closed_block"],
        _bytes_or_none(values["closed_tx"]),
        places,
    )


def job_record(row: JobsRow) -> JobRecord:
    """A job out of its row."""
    values: dict[str, Any] = dict(zip(JOB_FIELDS, row[:PLACES], strict=True))
    words = values["terms"]
    fields_of_job: dict[str, Any] = {name: values[name] for name in _RECORD_FIELDS}
    fields_of_job |= {name: _hex_or_none(values[name]) for name in _HASHES}
    fields_of_job["state"] = JobState(values["state"])
    fields_of_job["terms"] = None if words is None else terms_from_bytes(words)
    fields_of_job["outcome"] = None if values["outcome"] is None else Outcome(values["outcome"])
    fields_of_job["closed_by"] = None if values["closed_by"] is None else ClosedBy(values["closed_by"])
    return JobRecord(**fields_of_job)


def place_of(block: int, log_index: int) -> bytes:
    """Where in the ledger an event is: eight bytes of its block's number, four of its index in the block, which sort as they follow one another."""
    return _PLACE.pack(block, log_index)


def places_of(places: bytes) -> list[tuple[int, int]]:
    """Block number and log index of each event of a job, in order.

    Raises:
        StoreError: these are no places.
    """
    try:
        return list(_PLACE.iter_unpack(places))
    except struct.error as error:
        raise StoreError("where a stored job's events are cannot be read: index from an empty database") from error


def sorted_places(places: bytes) -> bytes:
    """The same in the order of the ledger."""
    return b"".join(sorted(places[at : at + _PLACE.size] for at in range(0, len(places), _PLACE.size)))


def _hex_or_none(value: bytes | None) -> Bytes32 | None:
    return None if value is None else Bytes32("0x" + value.hex())


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])


def _bytes_of(declared: str) -> int:
    if declared == "address":
        return 20
    return 32 if declared == "bytes32" else int(declared.removeprefix("uint")) // 8


def _runs(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Of words that hold values of some bytes each, by turns: how many bytes are zeros, and how many after them are not."""
    runs: list[tuple[int, int]] = []
    for width in widths:
        if width == _WORD and runs:
            zeros, before = runs.pop()
            runs.append((zeros, before + width))
        else:
            runs.append((_WORD - width, width))
    return runs


_WORD: Final = 32
_RUNS: Final = _runs([_bytes_of(field.type) for field in Terms.STRUCT.fields])
_PADDED: Final = struct.Struct(">" + "".join(f"{zeros}x{width}s" for zeros, width in _RUNS))
_SPLIT: Final = _PADDED.unpack
_JOIN: Final = _PADDED.pack
_APART: Final = struct.Struct(">" + "".join(f"{width}s" for _, width in _RUNS)).unpack
_ENCODE: Final = msgspec.msgpack.encode
