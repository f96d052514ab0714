"""Service levels as commands print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from computility.cli.output import console

if TYPE_CHECKING:
    from computility.domain.service_level import ServiceLevel
    from computility.services.service_levels import ServiceCheck


def print_service_level(level: ServiceLevel | None) -> None:
    """What the provider promises, and what missing it costs."""
    if level is None:
        return
    console.print(f"service   {level.title}")
    for term in level.terms:
        console.print(
            f"          {term.metric}: {term.target} in full, {term.limit} not at all; missing it costs {term.weight_bps / 100:g} % of the pay"
        )


def service_record(found: ServiceCheck) -> dict[str, Any]:
    """A check of a job's service level as one record."""
    return {
        "service_level": found.level.title,
        "metered_units": found.metered_units,
        "payable_units": found.outcome.units,
        "quality_bps": found.outcome.quality_bps,
        "reduction_bps": found.outcome.reduction_bps,
        "terms": [
            {
                "metric": str(told.term.metric),
                "target": told.term.target,
                "limit": told.term.limit,
                "measured": told.measured,
                "attainment_bps": told.attainment_bps,
            }
            for told in found.outcome.terms
        ],
        "attested_units": found.attested.units if found.attested else None,
        "attested_quality_bps": found.attested.quality_bps if found.attested else None,
        "agrees": found.agrees,
    }
