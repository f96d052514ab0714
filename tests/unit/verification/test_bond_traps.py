"""What a provider does not stake a bond on: equal bytes of a program that it does not know.

a policy of equal bytes or a replay
├── of WebAssembly: no trap
├── of a program that is believed, with data: none
├── of one that is not, or of which a file, the image or an input could be other code: a trap
├── whose command is no file of the program: a trap
├── with a threshold below what machines differ by, or a replay that is not the job's own command: a trap
└── below another method, at any draw: a trap
a policy of anything else: none
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.verification.scripted_executor import ENVIRONMENT, LIMITS

from computility.domain.content_id import content_id_of
from computility.domain.identifiers import ZERO_BYTES32
from computility.domain.job_specification import InputFile, Limits
from computility.domain.task_specification import TaskSpecification
from computility.execution.wasm.executor import wasm_environment
from computility.verification.bond_traps import trap

PROGRAM = b"print(1)"
BELIEVED = [hashlib.sha256(PROGRAM).hexdigest()]
SAME = {"method": "hash-equality"}
SEGMENTS = {
    "method": "segment-replay", "checkpoints": "c/", "segments": 8, "sampled": 2, "threshold_ppm": 50_000,
    "replay": ["/usr/bin/python3", "train.py", "8", "{segment}"],
}  # fmt: skip


def file(path: str, data: bytes = PROGRAM) -> InputFile:
    return InputFile(path, content_id_of(data), len(data))


def job(policy: dict[str, Any], **changes: Any) -> TaskSpecification:
    known = TaskSpecification(
        "process", ENVIRONMENT, (file("train.py"),), ("/usr/bin/python3", "train.py", "8"), (file("text", b"x"),),
        LIMITS, 0, ZERO_BYTES32, verification=policy,
    )  # fmt: skip
    return replace(known, **changes)


@pytest.mark.parametrize(
    "policy",
    [SAME, SEGMENTS, {"method": "all-of", "of": [SAME, {"method": "reexec-quorum"}]}],
)
def test_a_program_that_is_believed__is_staked_on__and_no_other(policy: dict[str, Any]) -> None:
    assert trap(job(policy), BELIEVED) is None
    refusal = trap(job(policy), [])
    assert refusal is not None
    assert BELIEVED[0] in refusal
    assert "`deterministic`" in refusal


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"artifacts": (file("train.py"), file("numpy.py", b"import time"))}, "numpy.py"),
        ({"inputs": (file("random.py", b"import time"),)}, "random.py"),
        ({"arguments": ("/usr/bin/python3", "-c", "import time", "train.py")}, "command"),
        ({"arguments": ("train.py", "train.py")}, "command"),
        ({"kind": "container", "image": "evil/image@sha256:" + "11" * 32}, "evil/image"),
    ],
)
def test_what_could_be_other_code__is_a_trap(changes: dict[str, Any], names: str) -> None:
    refusal = trap(job(SAME, **changes), BELIEVED)
    assert refusal is not None
    assert names in refusal


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"threshold_ppm": 1}, "threshold_ppm"),
        ({"threshold_ppm": 999}, "threshold_ppm"),
        ({"replay": ["/usr/bin/python3", "train.py", "9", "{segment}"]}, "replay"),
        ({"replay": ["/bin/false"]}, "replay"),
    ],
)
def test_a_replay_that_trains_otherwise__is_a_trap(change: dict[str, Any], names: str) -> None:
    refusal = trap(job({**SEGMENTS, **change}), BELIEVED)
    assert refusal is not None
    assert names in refusal


def test_a_trap_that_is_seldom_drawn__is_one() -> None:
    assert trap(job({"method": "sampled", "bps": 1, "of": [SAME]}), []) is not None


@pytest.mark.parametrize("policy", [{}, {"method": "reexec-quorum", "audit_bps": 500}, {"method": "no-such"}])
def test_what_fails_nobody__is_no_trap(policy: dict[str, Any]) -> None:
    assert trap(job(policy), []) is None


def test_webassembly_is_the_same_everywhere() -> None:
    limits = Limits(fuel=1, memory_bytes=65_536, output_bytes=0, output_files=0)
    program = TaskSpecification(
        "wasm", wasm_environment(), (file("program.wasm"),), (), (), limits, 0, ZERO_BYTES32, verification=SAME
    )
    assert trap(program, []) is None
