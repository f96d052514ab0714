"""Which rows of a store are not what a replay of the chain says, field by field."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import msgspec

from computility.domain.errors import StoreError
from computility.domain.job import JobRecord
from computility.store.job_at_rest import (
    GENERATION,
    ID,
    JOB_FIELDS,
    PACKED,
    PLACES,
    JobsRow,
    PackedRow,
    job_record,
    job_row,
    packed_row,
    unpacked_row,
)

MOST_DIFFERENCES: Final = 100
_AS_BYTES: Final = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True)
class Difference:
    """One field in which store and chain do not agree. A missing row is None on its side, under the field ``row``."""

    table: str
    key: str
    field: str
    store: Any
    chain: Any


class JobComparison:
    """Jobs of a store's build against those of a replay, each as soon as it can change no more.

    Of the store's rows no more is kept than a hash of each, by which a million of them take a hundred megabytes; of those that differ the first few
    are read again, and taken apart field by field. The hashes are Python's of strings of bytes, as ``event_comparison`` has them.
    """

    def __init__(self, ledger: int, rows: Iterable[PackedRow]) -> None:
        """``rows`` are those of the build ``ledger``, as they rest. Their places are compared with the events."""
        self._ledger = ledger
        self._left = {row[ID]: _hash(row) for row in rows}
        self._stored: dict[bytes, int] = {}
        self._true: dict[bytes, PackedRow] = {}
        self._different = 0

    def add(self, generation: int, record: JobRecord) -> None:
        """One job as the replay has it, once."""
        row = packed_row(job_row(self._ledger, generation, record))
        key = row[ID]
        kept = self._left.pop(key, None)
        if kept == _hash(row):
            return
        self._different += 1
        if self._different <= MOST_DIFFERENCES:
            self._true[key] = row
            if kept is not None:
                self._stored[key] = kept

    def differences(self, read: Callable[[Sequence[bytes]], Iterable[PackedRow]]) -> Iterator[Difference]:
        """After all jobs were added. ``read`` gives the store's rows of some ids as they are now; one that changed meanwhile is not shown."""
        stored = self._stored | dict(itertools.islice(self._left.items(), MOST_DIFFERENCES))
        now = {row[ID]: row for row in read(sorted(stored))} if stored else {}
        for key in sorted({*self._true, *stored}):
            kept, right = now.get(key), self._true.get(key)
            if key in stored and (kept is None or _hash(kept) != stored[key]):
                yield Difference("jobs", "0x" + key.hex(), "row", "changed since the audit read it", _shown(right))
            else:
                yield from _compare_job("0x" + key.hex(), kept, right)


def _compare_job(name: str, kept: PackedRow | None, right: PackedRow | None) -> Iterator[Difference]:
    try:
        mine_row, true_row = kept and unpacked_row(kept), right and unpacked_row(right)
        shown, should_be = _job_fields(mine_row), _job_fields(true_row)
    except (StoreError, ValueError):
        # No record at all, or one of a state that there is not.
        field = "packed" if kept and right and kept[:PACKED] == right[:PACKED] else "row"
        yield Difference("jobs", name, field, _at_rest(kept, field), _at_rest(right, field))
        return
    if mine_row is None or true_row is None:
        yield Difference("jobs", name, "row", _whole(shown), _whole(should_be))
        return
    assert shown is not None
    assert should_be is not None
    yield from _compare_fields("jobs", name, shown, should_be)
    for column, mine, theirs in zip(JOB_FIELDS, mine_row[:PLACES], true_row[:PLACES], strict=True):
        if mine != theirs and column not in should_be:
            # What stands beside the record, to search by.
            yield Difference("jobs", name, column, _text(mine), _text(theirs))


def _at_rest(row: PackedRow | None, field: str) -> Any:
    if row is None:
        return None
    return _text(row[PACKED]) if field == "packed" else [_text(value) for value in row]


def _hash(row: PackedRow) -> int:
    return hash(_AS_BYTES(row[:-1]))


def _shown(row: PackedRow | None) -> Any:
    return None if row is None else _whole(_job_fields(unpacked_row(row)))


def compare(
    store: Mapping[str, Mapping[str, Mapping[str, Any]]], chain: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> Iterator[Difference]:
    """Rows of both sides, by table and key."""
    for table in chain:
        for key in sorted({*store[table], *chain[table]}):
            kept, true = store[table].get(key), chain[table].get(key)
            if kept is None or true is None:
                yield Difference(table, key, "row", _whole(kept), _whole(true))
            else:
                yield from _compare_fields(table, key, kept, true)


def _compare_fields(table: str, key: str, kept: Mapping[str, Any], true: Mapping[str, Any]) -> Iterable[Difference]:
    for name, value in true.items():
        if kept[name] != value:
            yield Difference(table, key, name, _text(kept[name]), _text(value))


def _job_fields(row: JobsRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    record = job_record(row)
    values = {field.name: getattr(record, field.name) for field in fields(JobRecord)}
    values["terms"] = record.terms.to_json() if record.terms else None
    return {**values, "generation": row[GENERATION]}


def _whole(row: Mapping[str, Any] | None) -> Any:
    return None if row is None else {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    # Amounts exceed what JSON numbers keep.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
