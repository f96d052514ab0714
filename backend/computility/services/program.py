"""What a buyer wants to be run, and the specification of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from computility.domain.content_id import content_id_of
from computility.domain.job_specification import InputFile, JobSpecification, Limits
from computility.domain.task_specification import CommandLimits, TaskSpecification


@dataclass(frozen=True)
class Program:
    """What to run: a module, or a program for an interpreter, and its inputs, as bytes by name."""

    module_name: str
    module: bytes
    arguments: Sequence[str] = ()
    inputs: Mapping[str, bytes] | None = None


def specification_of(program: Program, environment: str, limits: Limits, seed: str, clock_s: int) -> JobSpecification:
    """The specification of a run of ``program``."""
    return JobSpecification(
        environment=environment,
        module=_file(program.module_name, program.module),
        arguments=tuple(program.arguments),
        inputs=tuple(_file(name, data) for name, data in sorted((program.inputs or {}).items())),
        limits=limits,
        clock_s=clock_s,
        seed=seed,
    )


def command_of(
    interpreter: Sequence[str],
    program: Program,
    environment: str,
    limits: CommandLimits,
    seed: str,
    clock_s: int,
    verification: Mapping[str, Any],
    image: str = "",
) -> TaskSpecification:
    """The specification of a command in a provider's sandbox, or in an image by digest: an interpreter that is there, a program that is sent, and its
    arguments."""
    return TaskSpecification(
        "container" if image else "process",
        environment,
        (_file(program.module_name, program.module),),
        (*interpreter, program.module_name, *program.arguments),
        tuple(_file(name, data) for name, data in sorted((program.inputs or {}).items())),
        limits,
        clock_s,
        seed,
        image=image,
        verification=verification,
    )


def _file(name: str, data: bytes) -> InputFile:
    return InputFile(name, content_id_of(data), len(data))
