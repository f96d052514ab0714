"""What no institution of ours can say in earnest, and an event may say all the same."""

from __future__ import annotations

import pytest

from computility.domain.errors import ChainMisbehaved
from computility.domain.event import EventOrigin
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Bytes32, chain_id_of
from computility.domain.institution_events import CallScheduled, DisputeOpened, Ruling
from computility.domain.institutions import dispute_after, operation_after

NOW = 1_790_000_000
ORIGIN = EventOrigin(chain_id_of(31337), ZERO_BYTES32, 7, 0, ZERO_BYTES32, ZERO_ADDRESS, NOW)
OPERATION, JOB = Bytes32("0x" + "0b" * 32), Bytes32("0x" + "1b" * 32)


@pytest.mark.parametrize(("delay", "ready_at"), [(60, NOW + 60), (2**255, 2**40 - 1)])
def test_an_operation_of_any_delay__is_ready_at_a_time_that_a_store_holds(delay: int, ready_at: int) -> None:
    scheduled = CallScheduled(OPERATION, 0, ZERO_ADDRESS, 0, b"", ZERO_BYTES32, delay)
    operation = operation_after(None, scheduled, ORIGIN)
    assert operation is not None
    assert operation.ready_at == ready_at


@pytest.mark.parametrize("ruling", [0, 1 + (1 << 80), 2**256 - 1])
def test_a_ruling_of_more_units_than_a_job_has__is_refused(ruling: int) -> None:
    disputed = dispute_after(None, DisputeOpened(5, JOB), ORIGIN)
    with pytest.raises(ChainMisbehaved, match="no panel can rule"):
        dispute_after(disputed, Ruling(ZERO_ADDRESS, 5, ruling), ORIGIN)
