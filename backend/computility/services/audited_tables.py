"""The projections as a store has them and as a replay has them, by table and key: what an audit holds against each other.

Every row of the store has a key of its own here, whatever its columns hold: two rows that read alike would be one, and the other would be looked at
by nobody. What cannot be read at all is a difference too, and no reason to end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlmodel import Session

from computility.domain.errors import StoreError
from computility.domain.identifiers import ChainId, address_from_bytes
from computility.domain.reward import RewardRecord
from computility.domain.standing import Standing
from computility.domain.statistics import TOTAL, Scope
from computility.services.ledger_replay import LedgerReplay
from computility.services.row_comparison import Difference
from computility.store import accounts, institutions, providers, rewards, scores, statistics
from computility.store.raw_logs import emitters_of
from computility.store.statistics import MARKET_SUBJECT
from computility.store.stored_log import Emitter

Fields = Mapping[str, Any]
Tables = dict[str, dict[str, Fields]]
"""Fields by table and key."""

_WORD: Final = 32
_PADDING: Final = bytes(12)
_UNREADABLE: Final = (ValueError, TypeError, AttributeError, StoreError)
"""What a column raises that holds something which its type cannot: an address of 21 bytes, a state that there is not."""


def stored_tables(session: Session, chain_id: ChainId) -> tuple[Tables, list[Difference]]:
    """The rows of a chain's live build; of a table with a row that cannot be read a difference, and no rows."""
    tables: Tables = {}
    unreadable = []
    for name, rows in _STORED.items():
        try:
            tables[name] = dict(rows(session, chain_id))
        except _UNREADABLE as error:
            unreadable.append(_unreadable(name, error))
    return tables, unreadable


def stored_emitters(session: Session, chain_id: ChainId) -> tuple[tuple[Emitter, ...], list[Difference]]:
    """Which contract each address is, as a store takes it; none, and a difference, where that cannot be read."""
    try:
        return tuple(emitters_of(session, chain_id).values()), []
    except _UNREADABLE as error:
        return (), [_unreadable("emitters", error)]


def replayed_tables(replay: LedgerReplay) -> Tables:
    """The same as a replay of the chain has them."""
    books = replay.institutions
    return {
        "accounts": {
            f"{escrow}/{account}": {"free": balance.free, "locked": balance.locked}
            for (escrow, account), balance in replay.balances.items()
        },
        "fees": {escrow: {"amount": amount} for escrow, amount in replay.fees.items()},
        "scores": {
            f"{escrow}/{account}/{int(role)}": _standing_fields(standing)
            for (escrow, account, role), standing in replay.scores.items()
        },
        "providers": {
            f"{registry}/{address}": asdict(record) for (registry, address), record in replay.providers.items()
        },
        "rewards": {
            f"{registry}/{address}": _reward_fields(record) for (registry, address), record in replay.rewards.items()
        },
        "statistics": {
            _statistics_key(scope.name.lower(), day, subject): tally._asdict()
            for (scope, day, subject), tally in replay.statistics().items()
        },
        "score_history": {
            f"{escrow}/{account}/{int(role)}/{day}": {**_standing_fields(standing), "block": block}
            for (escrow, account, role, day), (standing, block) in replay.score_history.items()
        },
        "members": {f"{at}/{account}": asdict(member) for (at, account), member in books.members.items()},
        "disputes": {f"{at}/{number}": asdict(found) for (at, number), found in books.disputes.items()},
        "dispute_votes": {
            f"{at}/{number}/{round_number}/{arbiter}": asdict(vote)
            for (at, number, round_number, arbiter), vote in books.votes.items()
        },
        "operations": {f"{at}/{identifier}": asdict(found) for (at, identifier), found in books.operations.items()},
        "timelock_roles": {
            f"{at}/{role}/{account}": asdict(found) for (at, role, account), found in books.roles.items()
        },
    }


def _unreadable(table: str, error: Exception) -> Difference:
    return Difference(table, "a row", "row", f"cannot be read: {error}", None)


# ---------------------------------------------------------------- what a store says, table by table


Rows = Iterator[tuple[str, Fields]]
Reader = Callable[[Session, ChainId], Rows]


def _accounts(session: Session, chain_id: ChainId) -> Rows:
    for row in accounts.all_accounts(session, chain_id):
        yield f"{row.escrow}/{row.account}", {"free": row.free, "locked": row.locked}


def _fees(session: Session, chain_id: ChainId) -> Rows:
    for row in accounts.all_fees(session, chain_id):
        yield row.escrow, {"amount": row.amount}


def _scores(session: Session, chain_id: ChainId) -> Rows:
    for row in scores.all_scores(session, chain_id):
        # The word as it rests: a slot leaves out the bits that it has no name for.
        yield f"{row.escrow}/{row.account}/{row.role}", {"word": row.word, "job": row.job, "at": row.at}


def _rewards(session: Session, chain_id: ChainId) -> Rows:
    for row in rewards.all_rewards(session, chain_id):
        yield f"{row.registry_address}/{row.address}", _reward_fields(row.record())


def _statistics(session: Session, chain_id: ChainId) -> Rows:
    for row in statistics.all_statistics(session, chain_id):
        scope = Scope(row.scope)
        yield _statistics_key(scope.name.lower(), row.day, _subject(scope, row.subject)), row.tally()._asdict()


def _score_history(session: Session, chain_id: ChainId) -> Rows:
    for row in statistics.all_history(session, chain_id):
        fields = {"word": row.word, "job": row.job, "at": row.at, "block": row.block}
        yield f"{row.escrow}/{row.account}/{row.role}/{row.day}", fields


def _records(read: Callable[[Session, ChainId], Iterable[Any]], key: Callable[[Any], str]) -> Reader:
    """Of a table whose rows are records of the domain, field by field."""

    def rows(session: Session, chain_id: ChainId) -> Rows:
        for row in read(session, chain_id):
            yield key(row), asdict(row.record())

    return rows


_STORED: Final[dict[str, Reader]] = {
    "accounts": _accounts,
    "fees": _fees,
    "scores": _scores,
    "providers": _records(providers.all_providers, lambda row: f"{row.registry_address}/{row.address}"),
    "rewards": _rewards,
    "statistics": _statistics,
    "score_history": _score_history,
    "members": _records(institutions.all_members, lambda row: f"{row.institution}/{row.account}"),
    "disputes": _records(institutions.all_disputes, lambda row: f"{row.institution}/{_number(row.id)}"),
    "dispute_votes": _records(
        institutions.all_votes,
        lambda row: f"{row.institution}/{_number(row.dispute)}/{row.round}/{row.arbiter}",
    ),
    "operations": _records(institutions.all_operations, lambda row: f"{row.institution}/{row.id}"),
    "timelock_roles": _records(institutions.all_roles, lambda row: f"{row.institution}/{row.role}/{row.account}"),
}


# ---------------------------------------------------------------- keys and fields


def _statistics_key(scope: str, day: int, subject: str) -> str:
    return f"{scope}/{'all' if day == TOTAL else day}/{subject}".rstrip("/")


def _subject(scope: Scope, subject: bytes) -> str:
    """As the replay names it; in hex where it is not in the one form of its kind."""
    if scope is Scope.MARKET and subject == MARKET_SUBJECT:
        return ""
    if scope is Scope.PROVIDER and len(subject) == _WORD and subject.startswith(_PADDING):
        return address_from_bytes(subject[len(_PADDING) :])
    return "0x" + subject.hex()


def _number(word: bytes) -> str:
    """The number of a dispute; in hex where it is not in 32 bytes, as no number is."""
    return str(int.from_bytes(word, "big")) if len(word) == _WORD else "0x" + word.hex()


def _reward_fields(record: RewardRecord) -> Fields:
    whole = {name: getattr(record, name) for name in ("staked", "taken", "lost", "block")}
    reward = record.reward
    return {
        "vested": reward.vested,
        "unvested": reward.unvested,
        "since": reward.since,
        "vests_by": reward.end,
        **whole,
    }


def _standing_fields(standing: Standing) -> Fields:
    return {"word": f"0x{standing.slot.to_word():064x}", "job": standing.job, "at": standing.at}
