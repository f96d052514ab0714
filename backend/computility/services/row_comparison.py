"""Which rows of a store are not what a replay of the chain says, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from computility.domain.errors import StoreError
from computility.domain.job import JobRecord
from computility.store.job_at_rest import (
    GENERATION,
    ID,
    JOB_FIELDS,
    JobsRow,
    PackedRow,
    job_record,
    job_row,
    packed_row,
    unpacked_row,
)


@dataclass(frozen=True)
class Difference:
    """One field in which store and chain do not agree. A missing row is None on its side, under the field ``row``."""

    table: str
    key: str
    field: str
    store: Any
    chain: Any


def compare_jobs(
    ledger: int, stored: Mapping[bytes, PackedRow], jobs: Iterable[tuple[int, JobRecord]]
) -> Iterator[Difference]:
    """Jobs of a build (rows at rest, by id) against generation and record of each. A row is taken apart only where it differs."""
    true = {(row := packed_row(job_row(ledger, generation, record)))[ID]: row for generation, record in jobs}
    if stored == true:
        return
    for key in sorted({*stored, *true}):
        kept, right = stored.get(key), true.get(key)
        if kept == right:
            continue
        name = "0x" + key.hex()
        try:
            mine_row, true_row = kept and unpacked_row(kept), right and unpacked_row(right)
        except StoreError:
            yield Difference("jobs", name, "packed", _text(kept and kept[-1]), _text(right and right[-1]))
            continue
        if mine_row is None or true_row is None:
            yield Difference("jobs", name, "row", _whole(_job_fields(mine_row)), _whole(_job_fields(true_row)))
            continue
        shown, should_be = _job_fields(mine_row), _job_fields(true_row)
        assert shown is not None
        assert should_be is not None
        yield from _compare_fields("jobs", name, shown, should_be)
        for column, mine, theirs in zip(JOB_FIELDS, mine_row, true_row, strict=True):
            if mine != theirs and column not in should_be:
                # What stands beside the record, to search by.
                yield Difference("jobs", name, column, _text(mine), _text(theirs))


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
