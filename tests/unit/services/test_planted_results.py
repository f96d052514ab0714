"""A result that is spoiled on purpose is another one, and looks like the right one."""

from __future__ import annotations

import pytest

from computility.domain.identifiers import ZERO_BYTES32
from computility.execution.executor import execution_of
from computility.services.planted_results import spoiled

ENVIRONMENT = "process-linux-x86-64/debian-12/0123456789abcdef"


@pytest.mark.parametrize(
    ("fuel", "outputs"),
    [(7, {"a": b"x", "b": b"longer"}), (7, {"empty": b""}), (7, {}), (None, {}), (None, {"a": b"x"})],
)
def test_a_spoiled_result__differs__in_as_many_bytes(fuel: int | None, outputs: dict[str, bytes]) -> None:
    ran = execution_of(ZERO_BYTES32, ENVIRONMENT, fuel, outputs, units=3)
    planted = spoiled(ran)
    assert planted.manifest.digest != ran.manifest.digest
    assert planted.units == ran.units
    if any(outputs.values()):
        assert {path: len(data) for path, data in planted.outputs.items()} == {
            path: len(data) for path, data in outputs.items()
        }
