"""A job specification of any version: what stands behind ``Terms.spec``."""

from __future__ import annotations

from computility.domain.canonical_json import parse_canonical_json
from computility.domain.errors import InvalidJobSpecification
from computility.domain.job_specification import MAX_SPECIFICATION_BYTES, JobSpecification, parse_job_specification
from computility.domain.task_specification import TaskSpecification, parse_task_specification

Specification = JobSpecification | TaskSpecification


def parse_specification(data: bytes) -> Specification:
    """Read a specification.

    Raises:
        InvalidJobSpecification: not canonical JSON, an unknown, missing or ill-formed field, or a version that is not known here.
    """
    version = parse_canonical_json(data, MAX_SPECIFICATION_BYTES, InvalidJobSpecification).get("version")
    if version == 2 and not isinstance(version, bool):
        return parse_task_specification(data)
    return parse_job_specification(data)
