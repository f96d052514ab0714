"""``Attestation``: a verifier's signed statement on a job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

from computility.domain.eip712 import Field, Message, StructType
from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Bytes32


class Verdict(IntEnum):
    """What a verifier says. The zero value harms nobody."""

    NO_FAULT = 0
    PASS = 1
    FAIL = 2


@dataclass(frozen=True)
class Attestation(Message):
    """As ``contracts/types/Attestation.sol``."""

    STRUCT: ClassVar[StructType] = StructType(
        "Attestation(bytes32 job,uint8 verdict,bytes32 result,uint64 units,bool isFinal,uint16 qualityBps,bytes32 meterRoot,bytes32 evidence)"
    )

    job: Bytes32
    verdict: Verdict
    result: Bytes32
    units: int
    is_final: bool
    quality_bps: int
    meter_root: Bytes32
    evidence: Bytes32

    def _canonical(self, field: Field, value: Any) -> Any:
        checked = super()._canonical(field, value)
        if field.name != "verdict":
            return checked
        try:
            return Verdict(checked)
        except ValueError as error:
            raise InvalidMessage(f"verdict is 0 (no fault), 1 (pass) or 2 (fail), not {checked}") from error
