"""Compute identifiers: a canonical URN for one machine or pool that a provider offers; its keccak-256 is ``Terms.resource``.

    urn:computility:<kind>:<model>:<count>x:<memory>:<region>:<operator>:<serial>:<metric>
    urn:computility:wasm:wasmtime:2x:1g:eu-west:aurora:0001:mfuel

Everything is lower case, every part is there, and there is one spelling of each resource (RFC 8141 compares URNs by spelling):

- kind      ``cpu``, ``gpu`` or ``wasm``
- model     of the processor or runtime: letters, digits, ``.`` ``_`` ``-``
- count     devices (or parallel jobs, for wasm), without leading zeros, then ``x``
- memory    of one device: a number and ``m`` (MiB) or ``g`` (GiB), in ``g`` where it is whole
- region    and
- operator  and
- serial    as model
- metric    what a unit is: ``cu`` (compute unit), ``cpu-s`` (second of processor), ``gpu-s`` (GPU second), ``mfuel`` (million WASM fuel)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from computility.domain.errors import InvalidResource
from computility.domain.identifiers import Bytes32, keccak_bytes32

KINDS: Final = ("cpu", "gpu", "wasm")
METRICS: Final = ("cu", "cpu-s", "gpu-s", "mfuel")
MAX_LENGTH: Final = 255
_PREFIX: Final = "urn:computility:"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_COUNT: Final = re.compile(r"([1-9][0-9]{0,8})x")
_MEMORY: Final = re.compile(r"([1-9][0-9]{0,8})([mg])")
_MIB_PER_GIB: Final = 1024


@dataclass(frozen=True)
class Resource:
    """A parsed compute identifier. ``memory_mib`` is of one device."""

    kind: str
    model: str
    count: int
    memory_mib: int
    region: str
    operator: str
    serial: str
    metric: str

    def __post_init__(self) -> None:
        _check_choice("kind", self.kind, KINDS)
        _check_choice("metric", self.metric, METRICS)
        for part in ("model", "region", "operator", "serial"):
            _check_name(part, getattr(self, part))
        for part in ("count", "memory_mib"):
            if not 1 <= getattr(self, part) < 10**9:
                raise InvalidResource(f"{part} has to lie between 1 and 999,999,999, not {getattr(self, part)}")
        if len(str(self)) > MAX_LENGTH:
            raise InvalidResource(f"a compute identifier has at most {MAX_LENGTH} characters; shorten its names")

    def __str__(self) -> str:
        gib, rest = divmod(self.memory_mib, _MIB_PER_GIB)
        memory = f"{self.memory_mib}m" if rest else f"{gib}g"
        parts = (self.kind, self.model, f"{self.count}x", memory, self.region, self.operator, self.serial, self.metric)
        return _PREFIX + ":".join(parts)

    @property
    def id(self) -> Bytes32:
        """keccak-256 of the URN, which is ``Terms.resource``."""
        return keccak_bytes32(str(self).encode())

    @property
    def resource_class(self) -> tuple[str, str, str]:
        """The comparable kind that it belongs to: kind, model, region."""
        return (self.kind, self.model, self.region)


def parse_resource(text: str) -> Resource:
    """Read a canonical URN.

    Raises:
        InvalidResource: not of the grammar, or not in its canonical spelling, which the message then names.
    """
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise InvalidResource(f"a compute identifier is a text of at most {MAX_LENGTH} characters")
    lowered = text.lower()
    parts = lowered.removeprefix(_PREFIX).split(":")
    if not lowered.startswith(_PREFIX) or len(parts) != 8:
        raise InvalidResource(
            f"a compute identifier is {_PREFIX}<kind>:<model>:<count>x:<memory>:<region>:<operator>:<serial>:<metric>, not {text!r}"
        )
    kind, model, count, memory, region, operator, serial, metric = parts
    counted, sized = _COUNT.fullmatch(count), _MEMORY.fullmatch(memory)
    if counted is None:
        raise InvalidResource(f"count is a number without leading zeros, then x, like 8x, not {count!r}")
    if sized is None:
        raise InvalidResource(f"memory is a number and m or g, like 80g, not {memory!r}")
    mib = int(sized[1]) * (_MIB_PER_GIB if sized[2] == "g" else 1)
    resource = Resource(kind, model, int(counted[1]), mib, region, operator, serial, metric)
    if str(resource) != text:
        raise InvalidResource(f"write the compute identifier in its one canonical spelling: {resource}")
    return resource


def _check_choice(part: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidResource(f"{part} is one of {', '.join(choices)}, not {value!r}")


def _check_name(part: str, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise InvalidResource(
            f"{part} has 1 to 64 lower-case letters, digits, '.', '_' or '-', starting and ending with a letter or digit, not {value!r}"
        )
