"""The ledger as tables in Parquet or CSV files, one a table: ``docs/export.md`` says what each column is.

Amounts are atoms of credit in ``DECIMAL(38, 0)``, which holds every amount of the escrow; times are UTC timestamps; hashes and addresses text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from computility.domain.job import JobRecord
from computility.domain.statistics import COUNTS, DAY_S, TOTAL, Tally
from computility.domain.terms import Terms
from computility.services.ledger_history import LedgerHistory

Format = Literal["parquet", "csv"]
Row = Mapping[str, Any]

_AMOUNT: Final = pa.decimal128(38, 0)
_TIME: Final = pa.timestamp("s", tz="UTC")
_CHUNK_ROWS: Final = 20_000

EVENTS: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("block_number", pa.int64()),
        ("block_hash", pa.string()),
        ("timestamp", _TIME),
        ("tx_hash", pa.string()),
        ("log_index", pa.int32()),
        ("address", pa.string()),
        ("contract", pa.string()),
        ("generation", pa.int32()),
        ("name", pa.string()),
        ("job", pa.string()),
        ("arguments", pa.string()),
    ]
)
ACCOUNTS: Final = pa.schema(
    [("chain", pa.string()), ("escrow", pa.string()), ("account", pa.string()), ("free", _AMOUNT), ("locked", _AMOUNT)]
)
PROVIDERS: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("registry", pa.string()),
        ("provider", pa.string()),
        ("stake", _AMOUNT),
        ("registered_at", _TIME),
        ("exit_requested_at", _TIME),
        ("exited_at", _TIME),
        ("resources", pa.string()),
    ]
)
SCORES: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("escrow", pa.string()),
        ("account", pa.string()),
        ("role", pa.string()),
        ("score_bps", pa.int32()),
        ("tier", pa.int32()),
        ("word", pa.string()),
        ("job", pa.string()),
        ("updated_at", _TIME),
    ]
)
STATISTICS: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("scope", pa.string()),
        ("date", pa.date32()),
        ("subject", pa.string()),
        *((name, pa.int64() if name in COUNTS else _AMOUNT) for name in Tally._fields),
    ]
)
SCORE_HISTORY: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("escrow", pa.string()),
        ("account", pa.string()),
        ("role", pa.string()),
        ("date", pa.date32()),
        ("score_bps", pa.int32()),
        ("tier", pa.int32()),
        ("word", pa.string()),
        ("job", pa.string()),
        ("updated_at", _TIME),
        ("block", pa.int64()),
    ]
)
MEMBERS: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("institution", pa.string()),
        ("account", pa.string()),
        ("named", pa.bool_()),
        ("seat", pa.string()),
        ("stake", _AMOUNT),
        ("since", _TIME),
        ("fees_withdrawn", _AMOUNT),
        ("lost", _AMOUNT),
        ("votes", pa.int32()),
        ("missed", pa.int32()),
        ("block", pa.int64()),
    ]
)
DISPUTES: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("institution", pa.string()),
        ("id", pa.string()),
        ("job", pa.string()),
        ("status", pa.string()),
        ("rounds", pa.int32()),
        ("opened_at", _TIME),
        ("ended_at", _TIME),
        ("seats_drawn", pa.int32()),
        ("commitments", pa.int32()),
        ("votes", pa.int32()),
        ("evidence", pa.int32()),
        ("penalties", _AMOUNT),
        ("units", _AMOUNT),
        ("slash_bps", pa.int32()),
        ("block", pa.int64()),
    ]
)
_RECORD_TYPES: Final[dict[str, pa.DataType]] = {
    "id": pa.string(),
    "state": pa.string(),
    "outcome": pa.string(),
    "closed_by": pa.string(),
    "fee_bps": pa.int32(),
    "result": pa.string(),
    "evidence": pa.string(),
    "deadline": _TIME,
    "opened_at": _TIME,
    "closed_at": _TIME,
    "opened_block": pa.int64(),
    "closed_block": pa.int64(),
    "opened_tx": pa.string(),
    "closed_tx": pa.string(),
}
_TERM_TIMES: Final = frozenset({"open_by", "end"})


def _jobs_schema() -> pa.Schema:
    columns: list[tuple[str, pa.DataType]] = [("chain", pa.string()), ("generation", pa.int32())]
    columns += [
        (field.name, _RECORD_TYPES.get(field.name, _AMOUNT)) for field in fields(JobRecord) if field.name != "terms"
    ]
    return pa.schema(columns + [(f"terms_{field.python_name}", _term_type(field)) for field in Terms.STRUCT.fields])


def _term_type(field: Any) -> pa.DataType:
    if field.python_name in _TERM_TIMES:
        return _TIME
    if not str(field.type).startswith("uint"):
        return pa.string()
    bits = int(str(field.type).removeprefix("uint"))
    return _AMOUNT if bits > 63 else pa.int64()


JOBS: Final = _jobs_schema()
SCHEMAS: Final[dict[str, pa.Schema]] = {
    "events": EVENTS,
    "jobs": JOBS,
    "accounts": ACCOUNTS,
    "providers": PROVIDERS,
    "scores": SCORES,
    "statistics": STATISTICS,
    "score_history": SCORE_HISTORY,
    "members": MEMBERS,
    "disputes": DISPUTES,
}


def export_ledger(
    history: LedgerHistory, folder: Path, kind: Format, progress: Callable[[str], None] = lambda _: None
) -> dict[str, int]:
    """Write every table into ``folder`` as ``<table>.parquet`` or ``<table>.csv``. Returns how many rows each has.

    A file appears whole or not at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "events": _event_rows(history),
        "jobs": _job_rows(history),
        "accounts": _account_rows(history),
        "providers": _provider_rows(history),
        "scores": _score_rows(history),
        "statistics": _statistics_rows(history),
        "score_history": _history_rows(history),
        "members": _member_rows(history),
        "disputes": _dispute_rows(history),
    }
    counts = {}
    for name, rows in tables.items():
        progress(name)
        counts[name] = _write(folder / f"{name}.{kind}", SCHEMAS[name], rows, kind)
    return counts


def _write(path: Path, schema: pa.Schema, rows: Iterator[Row], kind: Format) -> int:
    unfinished = path.with_name(f".{path.name}.unfinished")
    count = 0
    opened: Any = (
        pa_parquet.ParquetWriter(unfinished, schema, compression="zstd")
        if kind == "parquet"
        else pa_csv.CSVWriter(unfinished, schema)
    )
    with opened as writer:
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            writer.write_table(pa.Table.from_pylist([_fitted(row) for row in chunk], schema))
            count += len(chunk)
    unfinished.replace(path)
    return count


def _fitted(row: Row) -> Row:
    # Arrow takes an integer for a decimal only below 2^63.
    return {name: Decimal(value) if type(value) is int and value >= 2**63 else value for name, value in row.items()}


def _event_rows(history: LedgerHistory) -> Iterator[Row]:
    for entry in history.events:
        origin = entry.origin
        yield {
            "chain": origin.chain_id,
            "block_number": origin.block_number,
            "block_hash": origin.block_hash,
            "timestamp": origin.timestamp,
            "tx_hash": origin.tx_hash,
            "log_index": origin.log_index,
            "address": origin.address,
            "contract": entry.contract,
            "generation": entry.generation,
            "name": entry.event.EVENT.name,
            "job": entry.event.told_job,
            "arguments": json.dumps(entry.event.to_json(), separators=(",", ":")),
        }


def _job_rows(history: LedgerHistory) -> Iterator[Row]:
    for generation, record in history.ledger.jobs.values():
        row: dict[str, Any] = {"chain": history.deployments.chain_id, "generation": generation}
        for name in JOBS.names:
            if name.startswith("terms_"):
                row[name] = getattr(record.terms, name.removeprefix("terms_")) if record.terms else None
            elif name not in row:
                value = getattr(record, name)
                row[name] = (
                    value.name.lower() if name in ("state", "outcome", "closed_by") and value is not None else value
                )
        yield row


def _account_rows(history: LedgerHistory) -> Iterator[Row]:
    for (escrow, account), balance in sorted(history.ledger.balances.items()):
        yield {
            "chain": history.deployments.chain_id,
            "escrow": escrow,
            "account": account,
            "free": balance.free,
            "locked": balance.locked,
        }


def _provider_rows(history: LedgerHistory) -> Iterator[Row]:
    for (registry, provider), record in sorted(history.ledger.providers.items()):
        yield {
            "chain": history.deployments.chain_id,
            "registry": registry,
            "provider": provider,
            "stake": record.stake,
            "registered_at": record.registered_at,
            "exit_requested_at": record.exit_requested_at,
            "exited_at": record.exited_at,
            "resources": _joined(record.resources),
        }


def _score_rows(history: LedgerHistory) -> Iterator[Row]:
    for (escrow, account, role), standing in sorted(history.ledger.scores.items()):
        slot = standing.slot
        yield {
            "chain": history.deployments.chain_id,
            "escrow": escrow,
            "account": account,
            "role": role.name.lower(),
            "score_bps": slot.score_bps,
            "tier": slot.tier,
            "word": f"0x{slot.to_word():064x}",
            "job": standing.job,
            "updated_at": standing.at,
        }


def _statistics_rows(history: LedgerHistory) -> Iterator[Row]:
    for (scope, day, subject), tally in sorted(history.ledger.statistics().items()):
        yield {
            "chain": history.deployments.chain_id,
            "scope": scope.name.lower(),
            "date": None if day == TOTAL else _date(day),
            "subject": subject or None,
            **tally._asdict(),
        }


def _history_rows(history: LedgerHistory) -> Iterator[Row]:
    for (escrow, account, role, day), (standing, block) in sorted(history.ledger.score_history.items()):
        yield {
            "chain": history.deployments.chain_id,
            "escrow": escrow,
            "account": account,
            "role": role.name.lower(),
            "date": _date(day),
            "score_bps": standing.slot.score_bps,
            "tier": standing.slot.tier,
            "word": f"0x{standing.slot.to_word():064x}",
            "job": standing.job,
            "updated_at": standing.at,
            "block": block,
        }


def _member_rows(history: LedgerHistory) -> Iterator[Row]:
    for (institution, _), member in sorted(history.ledger.institutions.members.items()):
        values = {name: getattr(member, name) for name in MEMBERS.names if hasattr(member, name)}
        yield {
            **values,
            "chain": history.deployments.chain_id,
            "institution": institution,
            "seat": member.seat.name.lower(),
        }


def _dispute_rows(history: LedgerHistory) -> Iterator[Row]:
    for (institution, _), dispute in sorted(history.ledger.institutions.disputes.items()):
        values = {name: getattr(dispute, name) for name in DISPUTES.names if hasattr(dispute, name)}
        yield {
            **values,
            "chain": history.deployments.chain_id,
            "institution": institution,
            "id": str(dispute.id),
            "status": dispute.status.name.lower(),
        }


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_S, UTC).date()


def _joined(resources: Iterable[str]) -> str:
    return " ".join(resources)
