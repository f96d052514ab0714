"""What a log is, apart from its place and its words: an event, of a contract, at an address. Logs name theirs by a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from computility.chain.event_decoders import Decoder, decoder_of
from computility.chain.log_decoding import job_place
from computility.domain.events import EVENTS_BY_CONTRACT, Event, JobClosed, JobPaid
from computility.domain.identifiers import Address
from computility.domain.terms import Terms
from computility.services.contract_directory import ContractDirectory

_WORD: Final = 32


@dataclass(frozen=True)
class LogKind:
    """One event of one contract. ``in_topics`` and ``in_data`` say where the accounts stand that it names itself."""

    address: Address
    address_bytes: bytes
    generation: int
    contract: str
    event: type[Event]
    topics_bytes: int
    of_job: bool
    """Whether its job, the first topic after its own, is one that the fold knows."""
    closes: bool
    told_in: slice | None
    """Where its topics name the job among whose events it is listed."""
    dispute_in: slice | None
    """Where they name the dispute that leads to that job."""
    in_topics: tuple[slice, ...]
    in_data: tuple[slice, ...]
    name: str

    @cached_property
    def decode(self) -> Decoder:
        """The event's decoder. Made when it is first asked for: few of a chain's events occur, and fetching decodes none."""
        return decoder_of(self.event)


def kinds_at(address: Address, generation: int, contract: str) -> dict[bytes, LogKind]:
    """The kinds of logs of a contract, by their first topic."""
    return {
        bytes.fromhex(event.EVENT.topic[2:]): LogKind(
            address=address,
            address_bytes=bytes.fromhex(address[2:]),
            generation=generation,
            contract=contract,
            event=event,
            topics_bytes=_WORD * (1 + len(event.EVENT.indexed)),
            # Some events name a job of which nothing changes: they say so themselves.
            of_job=event.job_id is Event.job_id and event.EVENT.fields[0].name == "job",
            closes=event in (JobClosed, JobPaid),
            told_in=job_place(event),
            dispute_in=_topic(event, "disputeId") or _topic(event, "evidenceGroupId"),
            in_topics=tuple(
                slice(_WORD * at + 12, _WORD * (at + 1))
                for at, field in enumerate(event.EVENT.indexed, 1)
                if field.type == "address"
            ),
            in_data=_addresses_in_data(event),
            name=event.EVENT.name,
        )
        for event in EVENTS_BY_CONTRACT.get(contract, ())
    }


class LogKinds:
    """The kinds of logs of all contracts of a directory."""

    def __init__(self, directory: ContractDirectory) -> None:
        self.numbered: list[LogKind] = []
        self.by_address: dict[str, dict[str, int]] = {}
        """Numbers by the address and the first topic as they come, in lower case."""
        # The same numbers in every process, in whatever order each learned of the contracts.
        for address in sorted(directory.addresses):
            numbers = self.by_address[address.lower()] = {}
            for topic, kind in kinds_at(address, *directory.owner_of(address)).items():
                numbers["0x" + topic.hex()] = len(self.numbered)
                self.numbered.append(kind)


def _topic(event: type[Event], name: str) -> slice | None:
    for at, field in enumerate(event.EVENT.indexed, 1):
        if field.name == name:
            return slice(_WORD * at, _WORD * (at + 1))
    return None


def _addresses_in_data(event: type[Event]) -> tuple[slice, ...]:
    found, at = [], 0
    for field in event.EVENT.data:
        if field.type == "address":
            found.append(slice(at + 12, at + _WORD))
        if field.type == "Terms":
            # The parties are known by the job.
            at += _WORD * len(Terms.STRUCT.fields)
        elif field.type.endswith("]"):
            at += _WORD * int(field.type[:-1].partition("[")[2])
        else:
            at += _WORD
    return tuple(found)
