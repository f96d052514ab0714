"""The ledger as tables in Parquet or CSV files, one a table: ``docs/export.md`` says what each column is.

Amounts are atoms of credit in ``DECIMAL(38, 0)``, which holds every amount of the escrow; times are UTC timestamps; hashes and addresses text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from computility.domain.statistics import DAY_S, TOTAL
from computility.services.export_schemas import DISPUTES, JOBS, MEMBERS, SCHEMAS
from computility.services.ledger_history import LedgerHistory

Format = Literal["parquet", "csv"]
Row = Mapping[str, Any]

_CHUNK_ROWS: Final = 20_000


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
        "dispute_votes": _vote_rows(history),
        "operations": _operation_rows(history),
        "timelock_roles": _role_rows(history),
        "rewards": _reward_rows(history),
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
    with _whole_or_not(unfinished, path), opened as writer:
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            writer.write_table(pa.Table.from_pylist([_fitted(row) for row in chunk], schema))
            count += len(chunk)
    return count


@contextmanager
def _whole_or_not(unfinished: Path, path: Path) -> Iterator[None]:
    try:
        yield
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


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
            "job": entry.job,
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
            "reserved": record.reserved,
            "suspended": record.suspended,
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


def _vote_rows(history: LedgerHistory) -> Iterator[Row]:
    for (institution, dispute, round_number, arbiter), vote in sorted(history.ledger.institutions.votes.items()):
        yield {
            "chain": history.deployments.chain_id,
            "institution": institution,
            "dispute": str(dispute),
            "round": round_number,
            "arbiter": arbiter,
            **asdict(vote),
        }


def _operation_rows(history: LedgerHistory) -> Iterator[Row]:
    for (institution, _), operation in sorted(history.ledger.institutions.operations.items()):
        calls = [{"target": target, "data": data} for target, data in operation.calls]
        yield {
            **asdict(operation),
            "chain": history.deployments.chain_id,
            "institution": institution,
            "status": operation.status,
            "calls": json.dumps(calls, separators=(",", ":")),
        }


def _role_rows(history: LedgerHistory) -> Iterator[Row]:
    for (institution, _, _), role in sorted(history.ledger.institutions.roles.items()):
        yield {
            **asdict(role),
            "chain": history.deployments.chain_id,
            "institution": institution,
            "name": role.name,
        }


def _reward_rows(history: LedgerHistory) -> Iterator[Row]:
    for (registry, provider), record in sorted(history.ledger.rewards.items()):
        yield {
            "vested": record.reward.vested,
            "unvested": record.reward.unvested,
            "since": record.reward.since,
            "vests_by": record.reward.end,
            "chain": history.deployments.chain_id,
            "registry": registry,
            "provider": provider,
            "staked": record.staked,
            "taken": record.taken,
            "lost": record.lost,
            "block": record.block,
        }


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_S, UTC).date()


def _joined(resources: Iterable[str]) -> str:
    return " ".join(resources)
