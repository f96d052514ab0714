"""Every table, so that migrations and their drift test see the whole schema."""

from computility.store.accounts import AccountRow, FeesRow
from computility.store.blocks import BlockRow, CursorRow
from computility.store.institutions import DisputeRow, MemberRow, OperationRow, RoleRow, VoteRow
from computility.store.jobs import JobRow
from computility.store.ledgers import LedgerRow
from computility.store.providers import ProviderRow
from computility.store.raw_logs import BlockLogsRow, EmitterRow, EventAccountRow, EventJobRow, EventNameRow
from computility.store.rewards import RewardRow
from computility.store.scores import ScoreRow
from computility.store.statements import StatementRow
from computility.store.statistics import ScoreHistoryRow, StatisticsRow
from computility.store.undo import UndoRow

__all__ = [
    "AccountRow",
    "BlockLogsRow",
    "BlockRow",
    "CursorRow",
    "DisputeRow",
    "EmitterRow",
    "EventAccountRow",
    "EventJobRow",
    "EventNameRow",
    "FeesRow",
    "JobRow",
    "LedgerRow",
    "MemberRow",
    "OperationRow",
    "ProviderRow",
    "RewardRow",
    "RoleRow",
    "ScoreHistoryRow",
    "ScoreRow",
    "StatementRow",
    "StatisticsRow",
    "UndoRow",
    "VoteRow",
]
