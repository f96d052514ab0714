"""Whether the stored logs, and the tables that find them, are what the chain's logs come to: of each block and table one sum.

A sum is that of its rows' hashes, so that millions of rows are compared in the memory of as many blocks as have any. The hashes are Python's of
strings of bytes, which are keyed anew for every process: whoever wrote the store could not aim at them. Those of tuples would not do: they are nearly
a sum themselves, so that two accounts of a block which exchanged their logs came to the same in four of nine cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Final

import msgspec

from computility.chain.receipt_trie import ProvenHeader
from computility.domain.events import EVENTS_BY_CONTRACT, Event
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32
from computility.services.ledger_replay import FoldedBlock, LedgerReplay
from computility.services.row_comparison import Difference
from computility.store.event_rows import EventRow
from computility.store.job_at_rest import places_of
from computility.store.raw_logs import PARTITIONED
from computility.store.stored_log import packed, packed_jobs

_MASK: Final = 2**64 - 1
_NONE: Final = 0, 0
_MOST_PARTIES: Final = 100_000
_INDEX_BYTES: Final = 4
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
        """One more row; it begins with its block's number. The events of a job count one by one: some may stand in its row, and some beside it."""
        if table != _JOBS:
            self._add(table, row)
            return
        number, job, indexes = row
        for at in range(0, len(indexes), _INDEX_BYTES):
            self._add(_JOBS, (number, job, indexes[at : at + _INDEX_BYTES]))

    def add_places(self, job: bytes, places: bytes) -> None:
        """The events of a job, by the places in its row."""
        for number, index in places_of(places):
            self._add(_JOBS, (number, job, packed((index,))))

    def _add(self, table: str, row: EventRow) -> None:
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

    def __init__(self, replay: LedgerReplay) -> None:
        self.sums = EventSums()
        self._replay = replay
        self._parties: dict[tuple[Address, ...], tuple[Address, ...]] = {}

    def add(self, header: ProvenHeader, block: FoldedBlock) -> None:
        """A block that was folded just now, of whose jobs none was let go yet."""
        if not block.events:
            return
        accounts: dict[Address, list[int]] = defaultdict(list)
        jobs: dict[Bytes32, list[int]] = defaultdict(list)
        names: dict[str, list[int]] = defaultdict(list)
        told: dict[int, bytes] = {}
        records, all_parties = self._replay.jobs, self._parties
        for index, event, form in block.events:
            values = event.__dict__
            name, names_its_job, of_job, addresses = _TELLING[event.__class__]
            names[name].append(index)
            if names_its_job:
                jobs[values["job"]].append(index)
            elif (job := self._replay.job_told(event, form.address)) is not None:
                jobs[job].append(index)
                told[index] = bytes.fromhex(job[2:])
            if of_job and (terms := records[values["job"]][1].terms) is not None:
                five = _FIVE(terms.__dict__)
                parties = all_parties.get(five)
                if parties is None:
                    if len(all_parties) >= _MOST_PARTIES:
                        all_parties.clear()
                    parties = all_parties[five] = tuple({*five} - {ZERO_ADDRESS})
                for account in parties:
                    accounts[account].append(index)
            for field in addresses:
                account = values[field]
                if account != ZERO_ADDRESS:
                    listed = accounts[account]
                    # A party of the job may be named too, or one account twice.
                    if not listed or listed[-1] != index:
                        listed.append(index)
        add, number = self.sums.add, header.number
        add(
            _LOGS,
            (
                number,
                bytes.fromhex(header.hash[2:]),
                header.timestamp,
                len(block.events),
                packed_jobs(told),
                block.logs,
            ),
        )
        for account, indexes in accounts.items():
            add(_ACCOUNTS, (number, bytes.fromhex(account[2:]), packed(indexes)))
        for job, indexes in jobs.items():
            add(_JOBS, (number, bytes.fromhex(job[2:]), packed(indexes)))
        for name, indexes in names.items():
            add(_NAMES, (number, name, packed(indexes)))


_FIVE: Final = itemgetter("buyer", "payer", "provider", "verifier", "arbiter")
_TELLING: Final = {
    event: (
        event.EVENT.name,
        "job" in event.__dataclass_fields__ and event.told_job is Event.told_job,
        "job" in event.__dataclass_fields__
        and event.job_id is Event.job_id
        and event in EVENTS_BY_CONTRACT["JobEscrow"],
        tuple(field.python_name for field in event.EVENT.fields if field.type == "address"),
    )
    for events in EVENTS_BY_CONTRACT.values()
    for event in events
}
"""Of each event: its name, whether it names the job among whose events it is listed, whether it changes one, and which fields are accounts."""


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
