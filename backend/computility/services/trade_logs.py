"""The logs of one trade, as an endpoint finds them: its escrow's, and those of the institutions that its terms name."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from computility.chain.log_decoding import RawLog, decode_log, parse_raw_log
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainMisbehaved, InvalidProof
from computility.domain.events import Event, JobOpened
from computility.domain.identifiers import Address, Bytes32
from computility.domain.institution_events import BlockRecorded, DisputeOpened, FeeClaimed, MemberSlashed
from computility.services.block_ranges import BlockRanges
from computility.services.trade_events import (
    ARBITRATION,
    COMMITTEE,
    ESCROW,
    arbitration_tells,
    committee_tells,
    disputes_of,
    institution_event,
)
from computility.services.trade_proof import VerifiedTrade


class TradeLogs:
    """Asks one endpoint."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    def of_escrow(self, escrow: Address, job: Bytes32, first: int) -> list[RawLog]:
        """What an escrow wrote of a job since a block, in order."""
        newest = self._rpc.block_number()
        # Most endpoints give a job's few logs out of any range; those that bound ranges are asked for less and less.
        answers = BlockRanges(newest + 1).answers(first, newest, partial(self._ask_logs, escrow, job))
        found = sorted(itertools.chain.from_iterable(answers), key=place_of)
        events = ((log, decode_log(ESCROW, log.topics, log.data)) for log in found)
        return [log for log, event in events if event is not None and event.told_job == job]

    def of_institutions(self, logs: Sequence[RawLog], job: Bytes32) -> list[RawLog]:
        """What the terms' verifier and arbiter wrote of the job, where they are contracts. The registry's logs stand in the escrow's own receipts."""
        openings = ((log, decode_log(ESCROW, log.topics, log.data)) for log in logs)
        opened = next(((log, event.terms) for log, event in openings if isinstance(event, JobOpened)), None)
        if opened is None:
            return []
        block, terms = opened[0].block_number, opened[1]
        named = (_topic(FeeClaimed), job), (_topic(MemberSlashed), None, job), (_topic(BlockRecorded), _word(block))
        begun = (_topic(DisputeOpened), None, job)
        wanted = [*((terms.verifier, topics) for topics in named), (terms.arbiter, begun)]
        found = self._ask_all(block, wanted)
        of_committee = [log for log in found if log.address == terms.verifier and _committee_tells(log, job, block)]
        arbitration = [log for log in found if log.address == terms.arbiter]
        disputes = disputes_of((institution_event(ARBITRATION, log.topics, log.data) for log in arbitration), job)
        if not disputes:
            return of_committee
        numbers = tuple(_word(dispute) for dispute in sorted(disputes))
        told = self._ask_all(
            arbitration[0].block_number, [(terms.arbiter, (None, numbers)), (terms.arbiter, (None, None, numbers))]
        )
        return of_committee + [log for log in told if _arbitration_tells(log, disputes)]

    def _ask_all(self, first: int, wanted: Sequence[tuple[Address, Sequence[Any]]]) -> list[RawLog]:
        """All logs of these addresses and topics from a block on, each once."""
        newest = self._rpc.block_number()
        found = dict.fromkeys(
            itertools.chain.from_iterable(
                BlockRanges(newest + 1).answers(first, newest, partial(self._ask_batch, wanted))
            )
        )
        return sorted(found, key=place_of)

    def _ask_batch(self, wanted: Sequence[tuple[Address, Sequence[Any]]], first: int, last: int) -> list[RawLog]:
        asked = [("eth_getLogs", (_filter(address, topics, first, last),)) for address, topics in wanted]
        return [log for answer in self._rpc.batch(asked) for log in self._parsed(answer)]

    def _ask_logs(self, escrow: Address, job: Bytes32, first: int, last: int) -> list[RawLog]:
        return self._parsed(self._rpc.call("eth_getLogs", _filter(escrow, (None, job), first, last)))

    def _parsed(self, answer: Any) -> list[RawLog]:
        if not isinstance(answer, list):
            raise ChainMisbehaved(f"{self._rpc.name} answers a question for logs with something else")
        return [parse_raw_log(log) for log in answer]


@dataclass(frozen=True)
class LeftOut:
    """An event of a trade that its proof has not."""

    name: str
    block: int


def left_out(trade: VerifiedTrade, rpc: RpcClient) -> tuple[LeftOut, ...]:
    """What an endpoint knows of a trade after the last block of its proof: a proof is of a moment, and says nothing of later.

    A file that is verified offline cannot show that nothing is missing from it: a verdict that was left out changes no other event.

    Raises:
        InvalidProof: an event of the blocks before is not in the proof.
        ChainError: the endpoint fails.
    """
    first, last = trade.blocks[0][0], trade.blocks[-1][0]
    known = Counter((proven.block_hash, proven.address, proven.event) for proven in trade.events)
    asked = TradeLogs(rpc)
    logs = asked.of_escrow(trade.escrow, trade.job, first)
    found = [(log, decode_log(ESCROW, log.topics, log.data)) for log in logs]
    if trade.has_institutions:
        contracts = {trade.terms.verifier: COMMITTEE, trade.terms.arbiter: ARBITRATION}
        around = asked.of_institutions(logs, trade.job)
        found += [(log, institution_event(contracts[log.address], log.topics, log.data)) for log in around]
    missing = []
    for log, event in sorted(found, key=lambda each: place_of(each[0])):
        if event is None:
            continue
        key = log.block_hash, log.address, event
        if known[key]:
            known[key] -= 1
            continue
        missing.append(LeftOut(event.EVENT.name, log.block_number))
    before = [event for event in missing if event.block <= last]
    if before:
        raise InvalidProof(
            f"the proof leaves out {before[0].name} of block {before[0].block}, by {rpc.name}: get it anew, and ask who made this one"
        )
    return tuple(missing)


def _filter(address: Address, topics: Sequence[Any], first: int, last: int) -> dict[str, Any]:
    return {"fromBlock": hex(first), "toBlock": hex(last), "address": address, "topics": topics}


def _topic(event: type[Event]) -> Bytes32:
    return event.EVENT.topic


def _word(number: int) -> str:
    return f"0x{number:064x}"


def place_of(log: RawLog) -> tuple[int, int]:
    """Where in the chain a log stands."""
    return log.block_number, log.log_index


def _committee_tells(log: RawLog, job: Bytes32, opened: int) -> bool:
    event = institution_event(COMMITTEE, log.topics, log.data)
    return event is not None and committee_tells(event, job, opened)


def _arbitration_tells(log: RawLog, disputes: Collection[int]) -> bool:
    event = institution_event(ARBITRATION, log.topics, log.data)
    return event is not None and arbitration_tells(event, disputes)
