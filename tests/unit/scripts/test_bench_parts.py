"""A bench's parts: each tells what it found or how it failed, and none begins too late."""

from __future__ import annotations

import json
import time
from typing import Any, Never

import pytest
from scripts.gpu.parts import run_parts


def _broken() -> Never:
    raise RuntimeError("the card fell off the bus")


PARTS = {"broken": _broken, "sound": lambda: {"found": 7}}


def test_a_part_that_fails__says_how__and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    report: dict[str, Any] = {"bench": "mine"}
    run_parts(report, PARTS, until=time.monotonic() + 60, wanted=[])
    assert list(report) == ["bench", "broken", "sound"]
    assert report["broken"]["failed"] == "RuntimeError: the card fell off the bus"
    assert "in _broken" in report["broken"]["at"]
    assert report["sound"]["found"] == 7
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert told == [{"broken": report["broken"]}, {"sound": report["sound"]}]


def test_parts__that_are_named__run_alone() -> None:
    report: dict[str, Any] = {}
    run_parts(report, PARTS, until=time.monotonic() + 60, wanted=["sound"])
    assert list(report) == ["sound"]


def test_a_part__that_would_begin_too_late__is_left_out_and_it_is_said() -> None:
    report: dict[str, Any] = {}
    run_parts(report, PARTS, until=time.monotonic() - 1, wanted=[])
    assert report == {name: {"left_out": "no time was left"} for name in PARTS}
