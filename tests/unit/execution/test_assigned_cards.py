"""Which cards a scheduler gave to a process."""

from __future__ import annotations

import pytest

from computility.domain.errors import ExecutorUnfit
from computility.execution.gpu.assigned_cards import assigned_pool, assigned_uuids
from computility.execution.gpu.card import Card, NoCards

CARDS = [Card(f"GPU-{number}", "A Card", number, "", 1, "9.0", "580.1") for number in range(3)]


@pytest.mark.parametrize(
    ("visible", "uuids"),
    [
        ("0", ("GPU-0",)),
        ("2,0", ("GPU-2", "GPU-0")),
        ("GPU-1", ("GPU-1",)),
        (" GPU-1 , 1,2", ("GPU-1", "GPU-2")),
    ],
)
def test_cards__are_named_by_uuid_or_by_their_place(visible: str, uuids: tuple[str, ...]) -> None:
    assert assigned_uuids(CARDS, visible) == uuids


@pytest.mark.parametrize("visible", ["", "NoDevFiles", "-1", "3", "GPU-9", "0,7"])
def test_no_card__or_one_that_is_not_here__is_refused(visible: str) -> None:
    with pytest.raises(ExecutorUnfit, match="the cluster gave this job"):
        assigned_uuids(CARDS, visible)


def test_a_machine_without_a_driver__is_refused_with_the_reason() -> None:
    with pytest.raises(ExecutorUnfit, match="no GPU is on this machine of the cluster: no driver"):
        assigned_pool(NoCards("no driver"), {"CUDA_VISIBLE_DEVICES": "0"})
