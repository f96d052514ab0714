"""What stands behind a reading of a lease's meter: what the job and the machine did. Canonical JSON, in the content store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import parse_canonical_json
from computility.domain.errors import InvalidMessage

VERSION: Final = 1
MAX_SAMPLE_BYTES: Final = 16 * 1024
MAX_PROCESSES: Final = 64
_MAX_INTEGER: Final = 2**53 - 1
_SOURCES: Final = frozenset({"nvml", "rapl", "none"})
_COUNTS: Final = ("cpu_ms", "memory_bytes")
_MAYBE: Final = ("energy_mj", "busy_permille", "clock_mhz")


class InvalidMeterSample(InvalidMessage):
    """Not a meter sample."""

    code = "invalid-meter-sample"


@dataclass(frozen=True)
class MeterSampleDocument(CanonicalDocument):
    """Of the job: processor milliseconds so far, bytes of memory now, and the names of its processes, sorted. Of the machine, None where nothing
    tells: millijoules since the lease began and where they were read (``nvml``: the job's own cards; ``rapl``: the processor's packages), time that
    multiprocessors or processors were busy in thousandths, their clock.

    Raises:
        InvalidMeterSample: a field that does not fit.
    """

    cpu_ms: int
    memory_bytes: int
    processes: tuple[str, ...]
    energy_mj: int | None = None
    energy_source: str = "none"
    busy_permille: int | None = None
    clock_mhz: int | None = None
    version: int = VERSION

    def __post_init__(self) -> None:
        counts = [getattr(self, name) for name in _COUNTS]
        counts += [value for name in _MAYBE if (value := getattr(self, name)) is not None]
        if any(type(value) is not int or not 0 <= value <= _MAX_INTEGER for value in counts):
            raise InvalidMeterSample("a meter counts in integers between 0 and 2^53 − 1")
        if self.version != VERSION or self.energy_source not in _SOURCES:
            raise InvalidMeterSample(
                f"a sample has version {VERSION}, and its energy one of the sources {sorted(_SOURCES)}"
            )
        if (self.energy_mj is None) != (self.energy_source == "none"):
            raise InvalidMeterSample("energy has a source exactly where it was read")
        names = self.processes
        if len(names) > MAX_PROCESSES or list(names) != sorted(names) or not all(_is_name(name) for name in names):
            raise InvalidMeterSample(f"processes are at most {MAX_PROCESSES} names of at most 64 characters, sorted")

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "processes": list(self.processes)}


def parse_meter_sample(data: bytes) -> MeterSampleDocument:
    """Read a sample.

    Raises:
        InvalidMeterSample: not canonical JSON, or an unknown, missing or ill-formed field.
    """
    document = parse_canonical_json(data, MAX_SAMPLE_BYTES, InvalidMeterSample)
    try:
        sample = MeterSampleDocument(**{**document, "processes": tuple(document["processes"])})
    except (KeyError, TypeError) as error:
        raise InvalidMeterSample(f"a field is missing, unknown or of another type: {error}") from error
    if sample.to_bytes() != data:
        raise InvalidMeterSample("processes are a list, and every field is named")
    return sample


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable()
