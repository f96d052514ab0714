"""What workers can be believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.verification.credibility import group_posteriors, worker_credibility


@given(st.floats(0.01, 0.5), st.integers(0, 1_000))
def test_worker_credibility__grows_with_every_check_passed(faulty: float, passed: int) -> None:
    before, after = worker_credibility(faulty, passed), worker_credibility(faulty, passed + 1)
    assert 1 - faulty <= before <= after < 1


def test_worker_credibility__is_a_bound_on_any_rate_of_cheating() -> None:
    faulty, passed = 0.2, 12
    for rate in (0.01, 1 / 13, 0.1, 0.3, 0.9):
        survives = (1 - rate) ** passed
        wrong_next = faulty * rate * survives / (faulty * survives + 1 - faulty)
        assert wrong_next <= 1 - worker_credibility(faulty, passed)


def test_group_posteriors__two_agreeing_workers__are_sarmentas_example() -> None:
    # 0.8 · 0.8 against 0.2 · 0.2.
    assert group_posteriors([[0.8, 0.8]]) == [pytest.approx(0.64 / 0.68)]


@given(st.lists(st.lists(st.floats(0.5, 0.999), min_size=1, max_size=4), min_size=1, max_size=4))
def test_group_posteriors__are_probabilities__and_a_further_worker_lifts_its_group(groups: list[list[float]]) -> None:
    before = group_posteriors(groups)
    assert 0 <= sum(before) <= 1 + 1e-9
    assert group_posteriors([[*groups[0], 0.9], *groups[1:]])[0] >= before[0] - 1e-9
