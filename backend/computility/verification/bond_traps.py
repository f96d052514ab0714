"""Policies by which an honest provider could lose its bond, because their buyer wrote the program: what a provider asks before it signs terms.

Where a kind of jobs is not the same bit for bit on every machine, a program can look at the clock: the verifier's runs then agree with each other
and differ from the provider's. So who stakes a bond on equal bytes, or on a replay, has to believe the program. A provider lists which it believes,
by the SHA-256 of their files; what they are given as inputs and arguments is theirs to read as data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Final

from computility.domain.content_id import digest_of_content_id
from computility.domain.specification import Specification
from computility.domain.task_specification import TaskSpecification
from computility.verification.composition import leaves_of_any_draw
from computility.verification.hash_equality import EQUAL_BIT_FOR_BIT
from computility.verification.segment_replay import PLACE, PPM, SegmentPolicy

LEAST_THRESHOLD_PPM: Final = 1_000
"""Honest machines differ by some 10⁻⁶ over a segment of a program that is written for it: a thousand times as much is no fault of theirs."""
_CODE: Final = frozenset({".py", ".pyc", ".pyo", ".so", ".pth", ".zip", ".egg", ".sh"})


def trap(specification: Specification, believed: Collection[str]) -> str | None:
    """How a job's policy could fail who runs its program honestly, in a sentence; None where it could not. ``believed`` are the SHA-256, in hex, of
    files of programs, and images by digest, that the provider takes for deterministic."""
    for policy in leaves_of_any_draw(specification.verification):
        method = policy.get("method")
        if method == "segment-replay" and (read := SegmentPolicy.read(policy)) is not None:
            if read.threshold * PPM < LEAST_THRESHOLD_PPM:
                return f"threshold_ppm is {LEAST_THRESHOLD_PPM} or more: below, honest machines fail by their rounding"
            if list(read.arguments) != [*_arguments(specification), PLACE]:
                return f"`replay` is the job's own command with {PLACE} behind it: another may train otherwise"
        elif method != "hash-equality" or specification.kind in EQUAL_BIT_FOR_BIT:
            continue
        unknown = next(_unbelieved(specification, believed), None)
        if unknown is not None:
            return (
                f"{method} fails whoever ran a program that depends on the clock or on chance, and {unknown}. Name no policy (it is then run again, "
                "and a difference is no fault), or have the provider list the program under `deterministic` of `[trust]` in its settings"
            )
    return None


def _arguments(specification: Specification) -> tuple[str, ...]:
    return tuple(specification.arguments)


def _unbelieved(specification: Specification, believed: Collection[str]) -> Iterator[str]:
    """What of a program the provider did not say that it believes."""
    arguments = _arguments(specification)
    paths = {file.path for file in specification.artifacts}
    if len(arguments) < 2 or arguments[1] not in paths or arguments[0] in paths:
        yield "its command does not begin with an interpreter and a file of the program"
    for file in specification.artifacts:
        digest = digest_of_content_id(file.cid)[2:]
        if digest not in believed:
            yield f"I do not know {file.path} (sha256 {digest})"
    if isinstance(specification, TaskSpecification) and specification.image and specification.image not in believed:
        yield f"I do not know the image {specification.image}"
    for file in specification.inputs:
        if PurePosixPath(file.path).suffix.lower() in _CODE:
            yield f"its input {file.path} could be code"
