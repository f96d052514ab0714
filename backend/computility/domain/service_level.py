"""Service levels: what a provider promises, the document behind ``Terms.sla``, and what a missed promise costs.

A template is canonical JSON (RFC 8785) of the form in ``service_level.schema.json``; its SHA-256 is in ask and terms. With what was measured, a
term's *attainment* in basis points is

    10,000                                             at the target or better
    0                                                  at the limit or worse
    ⌊10,000 · |measured − limit| / |target − limit|⌋   in between

and over the terms whose metric was measured

    reduction = ⌈Σ weight · (10,000 − attainment) / 10,000⌉ basis points
    payable   = ⌊units · (10,000 − reduction) / 10,000⌋
    quality   = ⌊Σ weight · attainment / Σ weight⌋, 10,000 if none was measured

so pay rounds down, never below nothing, as the weights add up to 10,000 at most. All numbers are integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from computility.domain.canonical_document import CanonicalDocument
from computility.domain.canonical_json import parse_canonical_json
from computility.domain.document_schema import schema_fault
from computility.domain.errors import InvalidServiceLevel
from computility.domain.units import FULL_BPS

VERSION: Final = 1
MAX_SERVICE_LEVEL_BYTES: Final = 64 * 1024


class Metric(StrEnum):
    """What a term is about, and its unit."""

    UPTIME = "uptime-bps"
    """Share of the time that the work ran, in basis points."""
    START_LATENCY = "start-latency-ms"
    """From the opening of the job to the first sign of work, in milliseconds."""
    THROUGHPUT = "throughput-units-per-hour"
    """Metered units for an hour of the time that the job took, rounded down."""


@dataclass(frozen=True)
class ServiceTerm:
    """One promise. ``weight_bps``: the share of the pay that missing it in full costs."""

    metric: Metric
    target: int
    limit: int
    weight_bps: int

    def attainment_bps(self, measured: int) -> int:
        """How far the promise was kept, from 0 to 10,000."""
        higher_is_better = self.target > self.limit
        gained = measured - self.limit if higher_is_better else self.limit - measured
        return max(0, min(FULL_BPS, FULL_BPS * gained // abs(self.target - self.limit)))


@dataclass(frozen=True)
class TermOutcome:
    """One term of a job: what was measured, None if nothing was, and how far it was kept."""

    term: ServiceTerm
    measured: int | None
    attainment_bps: int | None


@dataclass(frozen=True)
class ServiceOutcome:
    """What an attestation carries: units payable after reductions, and the share of service levels met; and why."""

    units: int
    quality_bps: int
    reduction_bps: int
    terms: tuple[TermOutcome, ...]


@dataclass(frozen=True)
class ServiceLevel(CanonicalDocument):
    """A template. ``Terms.sla`` is its digest.

    Raises:
        InvalidServiceLevel: a field that does not fit.
    """

    title: str
    text: str
    terms: tuple[ServiceTerm, ...]
    version: int = VERSION

    def __post_init__(self) -> None:
        if fault := schema_fault("service_level", self.to_document(), "the template"):
            raise InvalidServiceLevel(fault)
        if len({term.metric for term in self.terms}) < len(self.terms):
            raise InvalidServiceLevel("a template has one term a metric")
        if sum(term.weight_bps for term in self.terms) > FULL_BPS:
            raise InvalidServiceLevel(f"the weights of a template add up to {FULL_BPS} at most")
        for term in self.terms:
            lower_is_better = term.metric is Metric.START_LATENCY
            if term.target == term.limit or (term.target < term.limit) != lower_is_better:
                raise InvalidServiceLevel(f"the target of {term.metric} has to be better than its limit")

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "version": self.version,
            "title": self.title,
            "text": self.text,
            "terms": [{**asdict(term), "metric": str(term.metric)} for term in self.terms],
        }

    def outcome(self, units: int, measured: Mapping[Metric, int]) -> ServiceOutcome:
        """What ``units`` metered units pay, given what was measured of the service."""
        terms = tuple(self._term_outcome(term, measured.get(term.metric)) for term in self.terms)
        told = [found for found in terms if found.attainment_bps is not None]
        missed = sum(found.term.weight_bps * (FULL_BPS - (found.attainment_bps or 0)) for found in told)
        kept = sum(found.term.weight_bps * (found.attainment_bps or 0) for found in told)
        weights = sum(found.term.weight_bps for found in told)
        reduction_bps = -(-missed // FULL_BPS)
        return ServiceOutcome(
            units=units * (FULL_BPS - reduction_bps) // FULL_BPS,
            quality_bps=kept // weights if weights else FULL_BPS,
            reduction_bps=reduction_bps,
            terms=terms,
        )

    @staticmethod
    def _term_outcome(term: ServiceTerm, measured: int | None) -> TermOutcome:
        return TermOutcome(term, measured, None if measured is None else term.attainment_bps(measured))


def parse_service_level(data: bytes) -> ServiceLevel:
    """Read a template.

    Raises:
        InvalidServiceLevel: not canonical JSON, an unknown, missing or ill-formed field, or a version that is not known here.
    """
    document = parse_canonical_json(data, MAX_SERVICE_LEVEL_BYTES, InvalidServiceLevel)
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        raise InvalidServiceLevel(
            f"service levels of version {VERSION} are known here, not {document.get('version')!r}"
        )
    try:
        terms = tuple(ServiceTerm(**{**entry, "metric": Metric(entry["metric"])}) for entry in document["terms"])
        return ServiceLevel(**{**document, "terms": terms})
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidServiceLevel(f"a field is missing, unknown or of another type: {error}") from error


@cache
def standard_service_level() -> ServiceLevel:
    """The template that comes with Computility. Its id never changes; another version is another file."""
    return parse_service_level(files("computility.domain").joinpath("service_levels/standard-1.json").read_bytes())
