"""The columns of the exported ledger's tables; ``docs/export.md`` says what each is.

Amounts are atoms of credit in ``DECIMAL(38, 0)``, which holds every amount of the escrow; times are UTC timestamps; hashes and addresses text.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import pyarrow as pa

from computility.domain.job import JobRecord
from computility.domain.statistics import COUNTS, Tally
from computility.domain.terms import Terms

_AMOUNT: Final = pa.decimal128(38, 0)
_TIME: Final = pa.timestamp("s", tz="UTC")

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
        ("reserved", _AMOUNT),
        ("suspended", pa.bool_()),
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
VOTES: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("institution", pa.string()),
        ("dispute", pa.string()),
        ("round", pa.int32()),
        ("arbiter", pa.string()),
        ("committed_at", _TIME),
        ("revealed_at", _TIME),
        ("units", _AMOUNT),
        ("slash_bps", pa.int32()),
        ("penalty", _AMOUNT),
        ("block", pa.int64()),
    ]
)
OPERATIONS: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("institution", pa.string()),
        ("id", pa.string()),
        ("status", pa.string()),
        ("calls", pa.string()),
        ("scheduled_at", _TIME),
        ("ready_at", _TIME),
        ("executed_at", _TIME),
        ("cancelled_at", _TIME),
        ("block", pa.int64()),
    ]
)
ROLES: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("institution", pa.string()),
        ("role", pa.string()),
        ("name", pa.string()),
        ("account", pa.string()),
        ("held", pa.bool_()),
        ("since", _TIME),
        ("by", pa.string()),
        ("block", pa.int64()),
    ]
)
REWARDS: Final = pa.schema(
    [
        ("chain", pa.string()),
        ("registry", pa.string()),
        ("provider", pa.string()),
        ("vested", _AMOUNT),
        ("unvested", _AMOUNT),
        ("since", _TIME),
        ("vests_by", _TIME),
        ("staked", _AMOUNT),
        ("taken", _AMOUNT),
        ("lost", _AMOUNT),
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
    "dispute_votes": VOTES,
    "operations": OPERATIONS,
    "timelock_roles": ROLES,
    "rewards": REWARDS,
}
