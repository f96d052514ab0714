"""The whole ledger in memory, proven: its events in order and what they add up to. For export, surveillance and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from computility.chain.deployments import Deployments
from computility.chain.log_decoding import decode_log
from computility.domain.events import Event, EventOrigin
from computility.domain.identifiers import Bytes32
from computility.services.contract_directory import ContractDirectory
from computility.services.ledger_replay import LedgerReplay
from computility.services.ledger_source import SourcedBlock

_DAY_S: Final = 86_400


@dataclass(frozen=True)
class HistoricEvent:
    """An event, where it stands, which contract of which generation emitted it, and the job among whose events it is listed."""

    event: Event
    origin: EventOrigin
    contract: str
    generation: int
    job: Bytes32 | None


@dataclass(frozen=True)
class ReadBlock:
    """A block that was read, and its UTC second."""

    number: int
    hash: str
    timestamp: int


@dataclass(frozen=True)
class LedgerHistory:
    """Events in the order of the chain, and the ledger after the last of them."""

    deployments: Deployments
    events: tuple[HistoricEvent, ...]
    ledger: LedgerReplay
    last_block: int
    last_hash: str
    last_timestamp: int
    last_of_days: Mapping[int, ReadBlock]
    """The last block of each day (UTC, counted from 1970) that has any."""

    def last_before(self, day: int) -> ReadBlock | None:
        """The last block of the days before one; None where there is none."""
        before = [known for known in self.last_of_days if known < day]
        return self.last_of_days[max(before)] if before else None


def read_history(deployments: Deployments, blocks: Iterable[SourcedBlock]) -> LedgerHistory:
    """Fold proven blocks, as ``ledger_source.walk`` yields them."""
    directory = ContractDirectory(deployments)
    replay = LedgerReplay(deployments.chain_id, directory)
    events: list[tuple[Event, EventOrigin, str, int]] = []
    last: ReadBlock | None = None
    last_of_days: dict[int, ReadBlock] = {}
    for block in blocks:
        last = ReadBlock(block.header.number, block.header.hash, block.header.timestamp)
        last_of_days[last.timestamp // _DAY_S] = last
        for log in block.logs:
            generation, contract = directory.owner_of(log.address)
            event = decode_log(contract, log.topics, log.data)
            if event is None:
                continue
            origin = EventOrigin(
                deployments.chain_id,
                log.block_hash,
                log.block_number,
                log.log_index,
                log.tx_hash,
                log.address,
                block.header.timestamp,
            )
            events.append((event, origin, contract, generation))
            replay.fold(log, block.header.timestamp)
    return LedgerHistory(
        deployments,
        # A dispute's job is known once all of them are read: its first events do not name it.
        tuple(HistoricEvent(*found, replay.job_told(found[0], found[1].address)) for found in events),
        replay,
        last.number if last else 0,
        last.hash if last else "",
        last.timestamp if last else 0,
        last_of_days,
    )
