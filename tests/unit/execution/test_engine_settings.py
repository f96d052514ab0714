"""What the environment class stands for."""

from __future__ import annotations

import pytest

from computility.domain.environment_class import config_hash_of, parse_environment_class
from computility.execution.wasm import engine_settings
from computility.execution.wasm.executor import wasm_environment


def test_environment__is_a_class_of_wasi_and_wasmtime() -> None:
    parsed = parse_environment_class(wasm_environment())
    assert (parsed.runtime, parsed.engine) == ("wasi-p1", "wasmtime-50.0.1")
    assert parsed.config_hash == config_hash_of(engine_settings.class_settings())


def test_environment__on_the_processor_that_most_have__is_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # A change here makes every older node answer "no fault": raise HOST_VERSION, and say so in the changelog.
    monkeypatch.setattr(engine_settings.platform, "machine", lambda: "x86_64")
    assert wasm_environment() == "wasi-p1/wasmtime-50.0.1/7d5f688aeccc9123"


@pytest.mark.parametrize(
    "name", ["HOST_VERSION", "CALL_FUEL", "BYTE_FUEL", "NODE_FUEL", "MAX_OPEN_FILES", "STACK_BYTES"]
)
def test_environment__one_setting_changed__is_another_class(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = wasm_environment()
    monkeypatch.setattr(engine_settings, name, getattr(engine_settings, name) + 1)
    assert wasm_environment() != before


def test_environment__on_another_processor__is_another_class(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = set()
    for machine in ("x86_64", "aarch64"):
        monkeypatch.setattr(engine_settings.platform, "machine", lambda machine=machine: machine)
        classes.add(wasm_environment())
    assert len(classes) == 2
