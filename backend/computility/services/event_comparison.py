"""Whether the stored logs, and the tables that find them, are what the chain's logs come to: of each block and table one sum.

A sum is that of its rows' hashes, so that millions of rows are compared in the memory of as many blocks as have any. The hashes are Python's of
strings of bytes, which are keyed anew for every process: whoever wrote the store could not aim at them. Those of tuples would not do: they are nearly
a sum themselves, so that two accounts of a block which exchanged their logs came to the same in four of nine cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from computility.chain.log_decoding import event_of
from computility.domain.identifiers import Address
from computility.domain.logs_digest import digested
from computility.domain.packed_logs import packed_logs
from computility.services.concerned_accounts import concerned_accounts
from computility.services.contract_directory import ContractDirectory
from computility.services.ledger_replay import LedgerReplay
from computility.services.ledger_source import SourcedBlock
from computility.services.row_comparison import Difference
from computility.store.event_rows import EventRow
from computility.store.raw_logs import PARTITIONED
from computility.store.stored_log import packed, packed_jobs

_MASK: Final = 2**64 - 1
_NONE: Final = 0, 0
_AS_BYTES: Final = msgspec.msgpack.Encoder().encode
"""A row in one string, in which every value says where it ends."""
_LOGS, _ACCOUNTS, _JOBS, _NAMES = (table.name for table in PARTITIONED)


class EventSums:
    """Number of rows and sum of their hashes, by table and block."""

    def __init__(self, rows: Iterable[tuple[str, EventRow]] = ()) -> None:
        self._sums: dict[str, dict[int, tuple[int, int]]] = {table.name: {} for table in PARTITIONED}
        for table, row in rows:
            self.add(table, row)

    def add(self, table: str, row: EventRow) -> None:
        """One more row; it begins with its block's number."""
        sums = self._sums[table]
        number = row[0]
        count, total = sums.get(number, _NONE)
        sums[number] = count + 1, (total + hash(_AS_BYTES(row))) & _MASK

    def differences(self, chain: EventSums) -> Iterator[Difference]:
        """Where this, which is the store's, is not what the chain's is."""
        for table, mine in self._sums.items():
            right = chain._sums[table]
            if mine == right:
                continue
            for number in sorted({*mine, *right}):
                kept, true = mine.get(number, (0, 0)), right.get(number, (0, 0))
                if kept != true:
                    field = "rows" if kept[0] != true[0] else "content"
                    yield Difference(table, f"block {number}", field, _rows(kept[0]), _rows(true[0]))


class ReplayedEvents:
    """The rows that the logs of blocks come to, in the order in which ``replay`` folds them."""

    def __init__(self, replay: LedgerReplay, directory: ContractDirectory) -> None:
        self.sums = EventSums()
        self._replay = replay
        self._directory = directory
        self._raw: dict[str, bytes] = {}

    def add(self, block: SourcedBlock) -> None:
        """A block that was folded just now."""
        if not block.logs:
            return
        number, raw = block.header.number, self._bytes
        accounts: dict[bytes, list[int]] = defaultdict(list)
        jobs: dict[bytes, list[int]] = defaultdict(list)
        names: dict[str, list[int]] = defaultdict(list)
        told: dict[int, bytes] = {}
        known = []
        for log in block.logs:
            _, contract = self._directory.owner_of(log.address)
            event = event_of(contract, log)
            if event is None:
                continue
            index = log.log_index
            known.append(
                digested(index, bytes.fromhex(log.tx_hash[2:]), raw(log.address), b"".join(log.topics), log.data)
            )
            names[event.EVENT.name].append(index)
            job = self._replay.job_told(event, log.address)
            if job is not None:
                jobs[bytes.fromhex(job[2:])].append(index)
                if event.told_job is None:
                    told[index] = bytes.fromhex(job[2:])
            folded = self._replay.jobs.get(event.job_id) if contract == "JobEscrow" and event.job_id else None
            for account in concerned_accounts(event, folded[1].terms if folded else None):
                accounts[raw(account)].append(index)
        if not known:
            return
        add, header = self.sums.add, block.header
        head = number, bytes.fromhex(header.hash[2:]), header.timestamp, len(known)
        add(_LOGS, (*head, packed_jobs(told), packed_logs(known)))
        for account_bytes, indexes in accounts.items():
            add(_ACCOUNTS, (number, account_bytes, packed(indexes)))
        for job_bytes, indexes in jobs.items():
            add(_JOBS, (number, job_bytes, packed(indexes)))
        for name, indexes in names.items():
            add(_NAMES, (number, name, packed(indexes)))

    def _bytes(self, address: Address) -> bytes:
        found = self._raw.get(address)
        if found is None:
            found = self._raw[address] = bytes.fromhex(address[2:])
        return found


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
