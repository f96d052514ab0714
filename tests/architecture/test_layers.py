"""The direction of imports, and names that say what a file holds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRAWERS = re.compile(r"(^|/)(utils?|helpers?|common|misc)(/|\.\w+$)")
# Generated, or one unit that reads better whole; each says why at its top.
LONG_FILES_THAT_SAY_WHY = re.compile(r"(^|/)(generated|migrations|vectors)/")
MAX_LINES = 400


def sources() -> list[str]:
    """Tracked source files, by path from the checkout's top."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listing.splitlines() if name.endswith((".py", ".sol", ".ts", ".tsx", ".mjs"))]


def test_imports_point_one_way_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--config", "pyproject.toml"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_file_is_a_drawer() -> None:
    assert [name for name in sources() if DRAWERS.search(name)] == []


def test_long_files_say_why_at_the_top() -> None:
    unexplained = []
    for name in sources():
        if LONG_FILES_THAT_SAY_WHY.search(name) or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        if text.count("\n") > MAX_LINES and "Long on purpose" not in text[:2_000]:
            unexplained.append(name)
    assert unexplained == []
