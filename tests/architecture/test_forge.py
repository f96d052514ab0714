"""forge's npm package brings a launcher that ends well whatever forge says. Whoever calls that lets failing tests pass."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_forge_that_fails_ends_badly(tmp_path: Path) -> None:
    (tmp_path / "foundry.toml").write_text('[profile.default]\nsrc = "."\n')
    (tmp_path / "Unformatted.sol").write_text("contract   Unformatted{}")
    done = subprocess.run([ROOT / "scripts/forge", "fmt", "--check"], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode != 0


def test_make_and_the_hooks_call_forge_itself() -> None:
    for name in ("Makefile", ".pre-commit-config.yaml"):
        calls = re.findall(
            r"(\S*)\bforge (?:test|fmt|build)\b", (ROOT / name).read_text().replace("name: forge fmt", "")
        )
        assert calls
        assert set(calls) == {"scripts/"}, name
