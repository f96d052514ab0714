"""Environment classes: what has to be alike for two machines to produce the same bytes and meter the same fuel.

wasi-p1/wasmtime-50.0.1/0123456789abcdef
runtime engine          first 8 bytes of the SHA-256 of the engine's and the host's settings
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from computility.domain.canonical_json import canonical_json, sha256_bytes32
from computility.domain.errors import InvalidEnvironmentClass
from computility.domain.identifiers import Bytes32

MAX_LENGTH: Final = 128
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_CONFIG_HASH: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class EnvironmentClass:
    """A parsed environment class. ``config_hash`` is 16 hex digits.

    Raises:
        InvalidEnvironmentClass: a part that does not fit.
    """

    runtime: str
    engine: str
    config_hash: str

    def __post_init__(self) -> None:
        for part in (self.runtime, self.engine):
            if not _NAME.fullmatch(part):
                raise InvalidEnvironmentClass(
                    f"the parts of an environment class are lower-case letters, digits, dots and hyphens, not {part[:60]!r}"
                )
        if not _CONFIG_HASH.fullmatch(self.config_hash):
            raise InvalidEnvironmentClass(
                f"an environment class ends with 16 hex digits in lower case, not {self.config_hash[:60]!r}"
            )
        if len(str(self)) > MAX_LENGTH:
            raise InvalidEnvironmentClass(f"an environment class has at most {MAX_LENGTH} characters")

    def __str__(self) -> str:
        return f"{self.runtime}/{self.engine}/{self.config_hash}"

    @property
    def kind(self) -> str:
        """The kind of job that it runs: ``wasm`` for WASI, else the first word of its runtime, like ``process``."""
        word = self.runtime.partition("-")[0]
        return "wasm" if word == "wasi" else word

    @property
    def digest(self) -> Bytes32:
        """SHA-256 of its spelling: what a submission names it by."""
        return sha256_bytes32(str(self).encode())


def parse_environment_class(text: str) -> EnvironmentClass:
    """Read an environment class.

    Raises:
        InvalidEnvironmentClass: not three parts, or a part that does not fit.
    """
    parts = text.split("/") if isinstance(text, str) else []
    if len(parts) != 3:
        raise InvalidEnvironmentClass(
            f"an environment class is runtime/engine/settings, like wasi-p1/wasmtime-50.0.1/0123456789abcdef, not {str(text)[:60]!r}"
        )
    return EnvironmentClass(*parts)


def config_hash_of(settings: Mapping[str, Any]) -> str:
    """The first 16 hex digits of the SHA-256 of settings in canonical JSON."""
    return sha256_bytes32(canonical_json(settings))[2:18]
