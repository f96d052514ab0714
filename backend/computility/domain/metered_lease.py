"""What provider and buyer of a metered lease say to each other: readings, each over the one before it, and contests.

The buyer co-signs a reading by an attestation of its units that is not final, and whose ``meterRoot`` is the reading's digest. So the last of them,
which alone has to reach the chain, stands for the whole chain of readings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from computility.domain.eip712 import Message, StructType
from computility.domain.identifiers import Bytes32

LEASE_HEARTBEAT: Final = "lease-heartbeat"
"""The verification method of a lease."""


@dataclass(frozen=True)
class MeterReading(Message):
    """The provider's meter. ``sequence`` counts from 1; ``previous`` is the digest of the reading before, zero for the first; ``units`` are seconds
    since the start, ``at_ms`` UTC milliseconds; ``sample`` is the SHA-256 of what was measured (`domain.meter_sample`); ``is_last``: the job ended by
    itself."""

    STRUCT: ClassVar[StructType] = StructType(
        "MeterReading(bytes32 job,uint32 attempt,uint32 sequence,bytes32 previous,uint64 units,uint64 atMs,bytes32 sample,bool isLast)"
    )

    job: Bytes32
    attempt: int
    sequence: int
    previous: Bytes32
    units: int
    at_ms: int
    sample: Bytes32
    is_last: bool


@dataclass(frozen=True)
class MeterContest(Message):
    """The buyer does not believe a reading, and pays for none after the last that it signed. ``reason`` is a slug."""

    STRUCT: ClassVar[StructType] = StructType("MeterContest(bytes32 job,bytes32 reading,string reason,uint40 at)")

    job: Bytes32
    reading: Bytes32
    reason: str
    at: int
