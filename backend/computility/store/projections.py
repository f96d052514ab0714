"""Every projection of a build, those of statistics and institutions too."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from computility.chain.event_decoders import ADDRESSES
from computility.domain.identifiers import Bytes32
from computility.domain.institutions import (
    DisputeRecord,
    DisputeStatus,
    MemberRecord,
    OperationRecord,
    RoleRecord,
    Seat,
    VoteRecord,
)
from computility.domain.reward import Reward, RewardRecord
from computility.domain.score_slot import ScoreSlot
from computility.domain.standing import Standing
from computility.domain.statistics import Tally
from computility.store.institutions import DisputeRow, MemberRow, OperationRow, RoleRow, VoteRow
from computility.store.projected import ACCOUNTS, FEES, JOBS, PROVIDERS, SCORES, ProjectedTable
from computility.store.rewards import RewardRow
from computility.store.statistics import ScoreHistoryRow, StatisticsRow


class DayStanding(NamedTuple):
    """A standing as a day left it, and the last block of the day that changed it."""

    standing: Standing
    block: int


STATISTICS: Final = ProjectedTable[Tally](
    6,
    StatisticsRow,
    to_row=lambda ledger, key, tally: (ledger, *key, *tally),
    from_row=lambda row: Tally(*row[4:]),
)
"""By scope, day and subject."""
SCORE_HISTORY: Final = ProjectedTable[DayStanding](
    7,
    ScoreHistoryRow,
    to_row=lambda ledger, key, kept: (
        ledger,
        *key,
        kept.standing.slot.to_word().to_bytes(32, "big"),
        bytes.fromhex(kept.standing.job[2:]),
        kept.standing.at,
        kept.block,
    ),
    from_row=lambda row: DayStanding(
        Standing(ScoreSlot.from_word(int.from_bytes(row[5], "big")), Bytes32("0x" + row[6].hex()), row[7]), row[8]
    ),
)
"""By account, role, escrow and day."""

MEMBERS: Final = ProjectedTable[MemberRecord](
    8,
    MemberRow,
    to_row=lambda ledger, key, member: (
        ledger, *key, member.named, int(member.seat), member.place, member.stake, member.since, member.fees_withdrawn, member.lost,
        member.votes, member.missed, member.block,
    ),
    from_row=lambda row: MemberRecord(ADDRESSES[row[2]], bool(row[3]), Seat(row[4]), *row[5:]),
)  # fmt: skip
"""By institution and account."""
DISPUTES: Final = ProjectedTable[DisputeRecord](
    9,
    DisputeRow,
    to_row=lambda ledger, key, dispute: (
        ledger, *key, bytes.fromhex(dispute.job[2:]), int(dispute.status), dispute.rounds, dispute.opened_at, dispute.ended_at,
        dispute.commit_by, dispute.reveal_by, dispute.appeal_by, dispute.seats_drawn, dispute.commitments, dispute.votes,
        dispute.evidence, dispute.penalties, dispute.units, dispute.slash_bps, dispute.block,
    ),
    from_row=lambda row: DisputeRecord(
        int.from_bytes(row[2], "big"), Bytes32("0x" + row[3].hex()), DisputeStatus(row[4]), *row[5:]
    ),
)  # fmt: skip
"""By institution and number (32 bytes)."""
VOTES: Final = ProjectedTable[VoteRecord](
    10,
    VoteRow,
    to_row=lambda ledger, key, vote: (
        ledger, *key, vote.committed_at, vote.revealed_at, vote.units, vote.slash_bps, vote.penalty, vote.block,
    ),
    from_row=lambda row: VoteRecord(*row[5:]),
)  # fmt: skip
"""By institution, dispute, round and arbiter."""
OPERATIONS: Final = ProjectedTable[OperationRecord](
    11,
    OperationRow,
    to_row=lambda ledger, key, operation: (
        ledger, *key, [list(call) for call in operation.calls], operation.scheduled_at, operation.ready_at, operation.executed_at,
        operation.cancelled_at, operation.block,
    ),
    from_row=lambda row: OperationRecord(
        Bytes32("0x" + row[2].hex()), tuple((target, data) for target, data in row[3]), *row[4:]
    ),
)  # fmt: skip
"""By institution and id."""

ROLES: Final = ProjectedTable[RoleRecord](
    13,
    RoleRow,
    to_row=lambda ledger, key, role: (ledger, *key, role.held, role.since, bytes.fromhex(role.by[2:]), role.block),
    from_row=lambda row: RoleRecord(
        Bytes32("0x" + row[2].hex()), ADDRESSES[row[3]], bool(row[4]), row[5], ADDRESSES[row[6]], row[7]
    ),
)
"""By institution, role and account."""

OF_INSTITUTIONS: Final = (MEMBERS, DISPUTES, VOTES, OPERATIONS, ROLES)
REWARDS: Final = ProjectedTable[RewardRecord](
    12,
    RewardRow,
    to_row=lambda ledger, key, record: (
        ledger, *key, record.reward.vested, record.reward.unvested, record.reward.since, record.reward.end, record.staked, record.taken,
        record.lost, record.block,
    ),
    from_row=lambda row: RewardRecord(Reward(*row[3:7]), *row[7:]),
)  # fmt: skip
"""By registry and provider."""

EVERY: Final[tuple[ProjectedTable[Any], ...]] = (
    JOBS,
    ACCOUNTS,
    FEES,
    PROVIDERS,
    SCORES,
    STATISTICS,
    SCORE_HISTORY,
    MEMBERS,
    DISPUTES,
    VOTES,
    OPERATIONS,
    REWARDS,
    ROLES,
)
