"""Rows of one projection while it is folded: those at hand, those that changed, and what they were before the block."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Generic, TypeVar

from computility.domain.errors import ChainMisbehaved, RowsExist
from computility.store.bulk_write import BulkWriter, Row
from computility.store.projected import Key, ProjectedTable

RecordT = TypeVar("RecordT")

_ROWS_IN_MEMORY: Final = 8_000
"""Of each projection."""
_MISSING: Final[Any] = object()


class Rows(Generic[RecordT]):
    """Rows by key. Records are never changed in place, so that one that was kept stays what it was."""

    def __init__(self, table: ProjectedTable[RecordT]) -> None:
        self.table = table
        self.at_hand: dict[Key, RecordT | None] = {}
        """Those that were read or changed; None where there is no row."""
        self.bring: Callable[[], None] | None = None
        """What brings others to hand with the first row that is asked for and is not: whoever sets it knows which will be."""
        self._changed: dict[Key, bool] = {}
        """Those that changed, in the order in which they did first (keys are no order), and whether the store has no row of them."""
        self._before_block: dict[Key, RecordT | None] = {}
        self._keeping = True
        self._writer: BulkWriter | None = None
        self._ledger = 0

    def begin(self, writer: BulkWriter, ledger: int) -> None:
        """Read through this transaction from now on."""
        if ledger != self._ledger:
            self.at_hand.clear()
        self._writer, self._ledger = writer, ledger

    def prefetch(self, keys: Iterable[Key]) -> None:
        """Bring rows to hand that are about to be asked for."""
        assert self._writer is not None
        missing = [key for key in dict.fromkeys(keys) if key not in self.at_hand]
        if missing:
            found = self.table.load(self._writer, self._ledger, missing)
            for key in missing:
                self.at_hand[key] = found.get(key)

    def get(self, key: Key) -> RecordT | None:
        """A row, None where there is none."""
        found = self.at_hand.get(key, _MISSING)
        if found is _MISSING:
            if self.bring is not None:
                self.bring()
            self.prefetch((key,))
            return self.at_hand[key]
        record: RecordT | None = found
        return record

    def put(self, key: Key, record: RecordT) -> None:
        """Change a row that was read before, or add it where there was none."""
        self.change(key, self.at_hand[key], record)

    def change(self, key: Key, before: RecordT | None, record: RecordT) -> None:
        """As ``put``, for whoever holds the row as it is at hand."""
        if self._keeping:
            self._before_block.setdefault(key, before)
        self._changed.setdefault(key, before is None)
        self.at_hand[key] = record

    def add(self, key: Key, record: RecordT) -> None:
        """Add a row that cannot be there yet, without asking the store: it refuses one that is.

        Raises:
            ChainMisbehaved: it is at hand.
        """
        if self.at_hand.get(key) is not None:
            raise ChainMisbehaved(f"{self.table.table.name}: {_shown(key)} began twice")
        self.change(key, None, record)

    def begin_block(self, *, keep: bool) -> None:
        """A block follows; ``keep`` the images of what it changes."""
        self._keeping = keep

    def end_block(self, number: int) -> list[Row]:
        """The images of what the block changed, if they were to be kept."""
        if not self._before_block:
            return []
        images = [
            (self._ledger, number, self.table.number, *self.table.image(self._ledger, key, before))
            for key, before in self._before_block.items()
        ]
        self._before_block.clear()
        return images

    def write(self, writer: BulkWriter) -> None:
        """Write what changed, each row once.

        Raises:
            ChainMisbehaved: something began that the store knows already: events came twice, or one before them is missing.
        """
        if not self._changed:
            return
        to_row, at_hand, ledger = self.table.to_row, self.at_hand, self._ledger
        new: list[Row] = []
        changed: list[Row] = []
        for key, is_new in self._changed.items():
            (new if is_new else changed).append(to_row(ledger, key, at_hand[key]))  # type: ignore[arg-type]  # what changed is there
        try:
            writer.insert(self.table.table, new)
        except RowsExist as error:
            raise ChainMisbehaved(
                f"{self.table.table.name}: one began twice, or something before it is missing"
            ) from error
        writer.upsert(self.table.table, changed, fixed=self.table.fixed)
        self._trim(self._changed)
        self._changed = {}

    def discard(self) -> None:
        """Forget everything at hand: the store has moved, or what changed was not kept."""
        self.at_hand.clear()
        self._changed.clear()
        self._before_block.clear()

    def _trim(self, written: Collection[Key]) -> None:
        """Forget what is not likely to be asked for. What was ``written`` just now may not be in the store yet (``write_behind``): it stays."""
        if len(self.at_hand) - len(written) <= _ROWS_IN_MEMORY:
            return
        # A row that is closed for good is not asked for again.
        self.at_hand = {
            key: row
            for key, row in self.at_hand.items()
            if key in written or (row is not None and not self.table.is_closed(row))
        }
        others = [key for key in self.at_hand if key not in written]
        for key in others[: max(0, len(others) - _ROWS_IN_MEMORY // 2)]:
            del self.at_hand[key]


def _shown(key: Key) -> str:
    return "0x" + key.hex() if isinstance(key, bytes) else str(key)
