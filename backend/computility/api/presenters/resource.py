"""Compute identifiers in the API's words."""

from __future__ import annotations

from computility.api.schemas.market import ResourceParts
from computility.domain.resource import Resource


def resource_parts(resource: Resource) -> ResourceParts:
    """A resource, taken apart."""
    return ResourceParts(
        urn=str(resource),
        kind=resource.kind,
        model=resource.model,
        count=resource.count,
        memory_mib=resource.memory_mib,
        region=resource.region,
        operator=resource.operator,
        serial=resource.serial,
        metric=resource.metric,
    )
