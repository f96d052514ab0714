"""What stands behind a result that is no manifest: an excuse, or something that must not pass for one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from computility.domain.content_id import content_id_of
from computility.domain.errors import ContentMismatch, JobExcused
from computility.domain.excuse import Excuse
from computility.domain.identifiers import Bytes32, JobId
from computility.services.outputs import Outputs

JOB = Bytes32("0x" + "a1" * 32)
EXCUSE = Excuse(JobId(JOB), "job-trapped", "unreachable was executed").to_document()


def outputs_of(raw: bytes) -> Outputs:
    """Of a job whose result on the chain names these bytes."""
    cid = content_id_of(raw)
    record = SimpleNamespace(id=JOB, result=Excuse(JobId(JOB), "x", "").digest)
    trades: Any = SimpleNamespace(
        job=lambda _: SimpleNamespace(job=SimpleNamespace(record=record, confirmation="safe"))
    )
    journal: Any = None
    content: Any = SimpleNamespace(get=lambda _: raw, has=lambda asked: asked == cid)
    return Outputs(trades, journal, content)


def test_an_excuse__is_told_with_its_reason() -> None:
    with pytest.raises(JobExcused, match=r"\(job-trapped\): unreachable was executed"):
        outputs_of(Excuse(JobId(JOB), "job-trapped", "unreachable was executed").to_bytes()).of_job(JOB)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (EXCUSE | {"job": "0x" + "b2" * 32}, "an excuse for another job, 0xb2"),
        (EXCUSE | {"reason": "<b>trust me</b>"}, "neither an output manifest nor an excuse"),
        (EXCUSE | {"reason": 7}, "neither an output manifest nor an excuse"),
        (EXCUSE | {"version": 2}, "neither an output manifest nor an excuse"),
        (EXCUSE | {"detail": "x" * 1_001}, "neither an output manifest nor an excuse"),
        (EXCUSE | {"more": 1}, "neither an output manifest nor an excuse"),
        ({"hello": 1}, "neither an output manifest nor an excuse"),
        ([1], "no output manifest"),
        ({"files": [{"path": "a"}]}, "no output manifest"),
    ],
)
def test_what_is_neither_manifest_nor_excuse__is_no_result(document: Any, told: str) -> None:
    raw = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    with pytest.raises(ContentMismatch, match=told):
        outputs_of(raw).of_job(JOB)
