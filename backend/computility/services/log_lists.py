"""Under whom the logs of one block are listed: accounts, names of events, and jobs whose record they do not change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from computility.services.log_kinds import LogKind
from computility.store.bulk_write import Row


class LogLists:
    """Log indexes of four bytes each, in the order of the block."""

    __slots__ = ("accounts", "jobs", "kinds", "told_jobs")

    def __init__(self) -> None:
        self.accounts: dict[bytes, list[bytes]] = defaultdict(list)
        self.kinds: dict[int, list[bytes]] = defaultdict(list)
        """By number."""
        self.jobs: dict[bytes, list[bytes]] = defaultdict(list)
        self.told_jobs: dict[int, bytes] = {}
        """By log index, the jobs of logs that do not name theirs."""

    def of_accounts(self, chain: int, block: int) -> list[Row]:
        """Rows of ``raw_logs.OF_ACCOUNTS``."""
        return [(chain, account, block, b"".join(indexes)) for account, indexes in self.accounts.items()]

    def of_names(self, chain: int, block: int, kinds: Sequence[LogKind]) -> list[Row]:
        """Rows of ``raw_logs.OF_NAMES``. Kinds of several contracts may have one name."""
        names: dict[str, list[bytes]] = defaultdict(list)
        for number, indexes in self.kinds.items():
            names[kinds[number].name] += indexes
        return [(chain, name, block, _in_order(indexes)) for name, indexes in names.items()]


def _in_order(indexes: Iterable[bytes]) -> bytes:
    return b"".join(sorted(indexes))
