"""Environment classes."""

from __future__ import annotations

import hashlib

import pytest

from computility.domain.environment_class import EnvironmentClass, config_hash_of, parse_environment_class
from computility.domain.errors import InvalidEnvironmentClass

TEXT = "wasi-p1/wasmtime-50.0.1/0123456789abcdef"


def test_environment_class__read_and_written__is_the_same() -> None:
    assert parse_environment_class(TEXT) == EnvironmentClass("wasi-p1", "wasmtime-50.0.1", "0123456789abcdef")
    assert str(parse_environment_class(TEXT)) == TEXT


def test_digest__is_the_sha256_of_the_spelling() -> None:
    assert parse_environment_class(TEXT).digest == "0x" + hashlib.sha256(TEXT.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wasi-p1/wasmtime-50.0.1",
        TEXT + "/x",
        TEXT.upper(),
        TEXT[:-1],
        TEXT + "\n",
        "/wasmtime/0123456789abcdef",
        "-a/wasmtime/0123456789abcdef",
        "a" * 200 + "/b/0123456789abcdef",
    ],
)
def test_parse_environment_class__ill_formed__is_refused(text: str) -> None:
    with pytest.raises(InvalidEnvironmentClass):
        parse_environment_class(text)


def test_config_hash__does_not_depend_on_the_order_of_settings() -> None:
    assert config_hash_of({"a": 1, "b": True}) == config_hash_of({"b": True, "a": 1})
    assert config_hash_of({"a": 1, "b": True}) != config_hash_of({"a": 1, "b": False})
