"""The compiler's syntax trees and ABIs of contracts/, without code: seconds, where compiling takes minutes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.compile import ARTIFACTS, COMPILER, SETTINGS, SOLC, collect_sources  # noqa: E402  # the path is set above

CACHE: Final = ROOT / ".cache" / "prove"
_TIMEOUT_S: Final = 300


def standard_json(sources: dict[str, str]) -> dict[str, Any]:
    """Compiler input that asks for trees and ABIs alone."""
    return {
        "language": "Solidity",
        "sources": {name: {"content": content} for name, content in sources.items()},
        "settings": {**SETTINGS, "outputSelection": {"*": {"": ["ast"], "*": ["abi"]}}},
    }


def analyse(sources: dict[str, str]) -> dict[str, Any]:
    """The compiler's output, kept by the digest of its input."""
    given = json.dumps(standard_json(sources), sort_keys=True)
    kept = CACHE / f"trees-{hashlib.sha256(given.encode()).hexdigest()[:16]}.json"
    if not kept.is_file():
        done = subprocess.run(
            [str(SOLC), "--standard-json"],
            input=given,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        output = json.loads(done.stdout)
        errors = [error["formattedMessage"] for error in output.get("errors", []) if error["severity"] == "error"]
        if errors:
            raise SystemExit("\n".join(errors))
        CACHE.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout)
    loaded: dict[str, Any] = json.loads(kept.read_text())
    return loaded


__all__ = ["ARTIFACTS", "CACHE", "COMPILER", "ROOT", "analyse", "collect_sources", "standard_json"]
