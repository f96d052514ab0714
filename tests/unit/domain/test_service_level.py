"""Service levels: one template, one id; pay reduced by exactly what was missed."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.errors import InvalidServiceLevel
from computility.domain.service_level import (
    Metric,
    ServiceLevel,
    ServiceTerm,
    parse_service_level,
    standard_service_level,
)
from computility.domain.service_record import record_of_run

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "service_level.json").read_text(encoding="utf-8"))
STANDARD = standard_service_level()


def terms() -> st.SearchStrategy[tuple[ServiceTerm, ...]]:
    """Sound terms: distinct metrics, weights of 10,000 at most."""

    def of(metric: Metric) -> st.SearchStrategy[ServiceTerm]:
        pairs = st.lists(st.integers(0, 10**12), min_size=2, max_size=2, unique=True).map(sorted)
        worse_first = metric is not Metric.START_LATENCY
        return st.builds(
            lambda pair, weight: ServiceTerm(
                metric, pair[1 if worse_first else 0], pair[0 if worse_first else 1], weight
            ),
            pairs,
            st.integers(1, 3_333),
        )

    return st.lists(st.sampled_from(Metric), min_size=1, max_size=3, unique=True).flatmap(
        lambda metrics: st.tuples(*(of(metric) for metric in metrics))
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_golden_vectors__come_out_to_the_unit(vector: Any) -> None:
    level = parse_service_level(
        json.dumps(vector["template"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert level.digest == vector["digest"]
    found = level.outcome(vector["units"], {Metric(name): value for name, value in vector["measured"].items()})
    assert (found.units, found.quality_bps, found.reduction_bps) == (
        vector["payable"],
        vector["quality_bps"],
        vector["reduction_bps"],
    )


def test_the_standard_template__has_the_id_that_it_always_had() -> None:
    assert STANDARD.digest == "0xbb8a50b6511c29eabdb47bec45b72f7273d2b441df93339a8acfd1a481b4e2f4"
    assert STANDARD.cid == "bafkreif3rjilmui4fhvl3nd35rc3ol3sopjliqo7smzzvcwp2gsidnhc6q"
    assert parse_service_level(STANDARD.to_bytes()) == STANDARD


def test_kept_in_full__costs_nothing() -> None:
    measured = {Metric.UPTIME: 10_000, Metric.START_LATENCY: 0, Metric.THROUGHPUT: 10**9}
    found = STANDARD.outcome(12_345, measured)
    assert (found.units, found.quality_bps, found.reduction_bps) == (12_345, 10_000, 0)


def test_missed_in_full__costs_every_weight() -> None:
    found = STANDARD.outcome(12_345, {Metric.UPTIME: 0, Metric.START_LATENCY: 10**9, Metric.THROUGHPUT: 0})
    assert (found.units, found.quality_bps, found.reduction_bps) == (0, 0, 10_000)


def test_what_was_not_measured__costs_nothing() -> None:
    found = STANDARD.outcome(100, {})
    assert (found.units, found.quality_bps) == (100, 10_000)
    assert [term.attainment_bps for term in found.terms] == [None, None, None]


@given(terms(), st.integers(0, 2**64 - 1), st.lists(st.integers(0, 10**12), min_size=3, max_size=3))
def test_any_template__pays_the_exact_formula_rounded_down(
    found_terms: tuple[ServiceTerm, ...], units: int, values: list[int]
) -> None:
    level = ServiceLevel("t", "t", found_terms)
    measured = {term.metric: value for term, value in zip(found_terms, values, strict=False)}
    outcome = level.outcome(units, measured)
    exact_loss = Fraction(0)
    for term, value in zip(found_terms, values, strict=False):
        share = Fraction(value - term.limit, term.target - term.limit)
        exact_loss += Fraction(term.weight_bps, 10_000) * (1 - max(Fraction(0), min(Fraction(1), share)))
    exact = units * (1 - exact_loss)
    assert 0 <= outcome.units <= exact
    # An attainment rounds down by less than a basis point of its weight, the reduction up by less than one.
    assert exact - outcome.units <= units * Fraction(len(found_terms) + 1, 10_000) + 1
    assert 0 <= outcome.quality_bps <= 10_000


@given(terms(), st.integers(0, 10**6), st.integers(0, 10**12), st.integers(0, 10**9))
def test_a_better_service__never_pays_less(
    found_terms: tuple[ServiceTerm, ...], units: int, value: int, better_by: int
) -> None:
    level = ServiceLevel("t", "t", found_terms)
    metric = found_terms[0].metric
    better = value - better_by if metric is Metric.START_LATENCY else value + better_by
    before, after = level.outcome(units, {metric: value}), level.outcome(units, {metric: better})
    assert after.units >= before.units
    assert after.quality_bps >= before.quality_bps


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version"),
        ({"title": ""}, "title"),
        ({"extra": 1}, "field"),
        ({"terms": []}, "terms"),
        ({"terms": [{"metric": "uptime-bps", "target": 9000, "limit": 9900, "weight_bps": 1}]}, "better"),
        ({"terms": [{"metric": "uptime-bps", "target": 9000, "limit": 9000, "weight_bps": 1}]}, "better"),
        ({"terms": [{"metric": "start-latency-ms", "target": 9, "limit": 8, "weight_bps": 1}]}, "better"),
        ({"terms": [{"metric": "cosiness", "target": 9, "limit": 8, "weight_bps": 1}]}, "cosiness"),
        ({"terms": [{"metric": "uptime-bps", "target": 9, "limit": 8, "weight_bps": 6_000}] * 2}, "one term a metric"),
        (
            {
                "terms": [
                    {"metric": "uptime-bps", "target": 9, "limit": 8, "weight_bps": 6_000},
                    {"metric": "start-latency-ms", "target": 8, "limit": 9, "weight_bps": 4_001},
                ]
            },
            "add up",
        ),
    ],
)
def test_an_unsound_template__is_refused(change: dict[str, Any], says: str) -> None:
    document = {**STANDARD.to_document(), **change}
    data = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(InvalidServiceLevel, match=says):
        parse_service_level(data)


def test_a_template_with_white_space__is_refused() -> None:
    with pytest.raises(InvalidServiceLevel, match="canonical"):
        parse_service_level(json.dumps(STANDARD.to_document(), indent=1, sort_keys=True).encode())


def test_a_run__is_measured_by_its_throughput() -> None:
    assert record_of_run(1_000, 1_060, 30) == {Metric.THROUGHPUT: 1_800}
    assert record_of_run(1_000, 1_000, 2) == {Metric.THROUGHPUT: 7_200}
