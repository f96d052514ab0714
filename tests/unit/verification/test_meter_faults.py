"""Which readings of a lease's meter are believed. The web app's rule is held to the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.meter_sample import MeterSampleDocument
from computility.domain.metered_lease import MeterReading
from computility.verification.lease_heartbeat import LeasePolicy, MeterState, fault_of_reading

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "meter_faults.json").read_text())
JOB = Bytes32("0x" + "11" * 32)


def state(document: dict[str, Any] | None) -> MeterState | None:
    if document is None:
        return None
    sample = document["sample"]
    reading = MeterReading(
        JOB, 1, document["sequence"], document["previous"], document["units"], document["atMs"], ZERO_BYTES32,
        document["isLast"],
    )  # fmt: skip
    return MeterState(
        document["id"], reading, MeterSampleDocument(**{**sample, "processes": tuple(sample["processes"])})
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_reading__is_believed_or_not__as_in_the_web_app(vector: dict[str, Any]) -> None:
    now = state(vector["now"])
    assert now is not None
    policy = LeasePolicy(vector["interval_s"])
    assert fault_of_reading(state(vector["before"]), now, policy, vector["started_ms"]) == vector["fault"]
