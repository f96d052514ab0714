"""forge's npm package brings a launcher that ends well whatever forge says. Whoever calls that lets failing tests pass."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_forge_that_fails_ends_badly(tmp_path: Path) -> None:
    (tmp_path / "foundry.toml").write_text('[profile.default]\nsrc = "."\n')
    (tmp_path / "Unformatted.sol").write_text("contract   Unformatted{}")
    done = subprocess.run([ROOT / "scripts/forge", "fmt", "--check"], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode != 0


def test_forge_tests_no_contract_that_was_changed_since_it_was_packaged(tmp_path: Path) -> None:
    artifacts = Path("backend/computility/chain/artifacts")
    for folder in ("contracts", artifacts):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "scripts").mkdir()
    for script in ("forge", "compile.py"):
        shutil.copy(ROOT / "scripts" / script, tmp_path / "scripts")
    for link in (".venv", "node_modules"):
        (tmp_path / link).symlink_to(ROOT / link)
    changed = tmp_path / "contracts" / "JobEscrow.sol"
    changed.write_text(changed.read_text() + "// changed")
    done = subprocess.run(["scripts/forge", "test"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "run scripts/compile.py" in done.stderr


def test_make_and_the_hooks_call_forge_itself() -> None:
    for name in ("Makefile", ".pre-commit-config.yaml"):
        calls = re.findall(
            r"(\S*)\bforge (?:test|fmt|build)\b", (ROOT / name).read_text().replace("name: forge fmt", "")
        )
        assert calls
        assert set(calls) == {"scripts/"}, name
