"""Write the table of settings in docs/node.md from `NodeSettings`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from computility.settings import NodeSettings, describe_settings

_TARGET = Path(__file__).resolve().parent.parent / "docs" / "node.md"
_FIRST, _LAST = "<!-- settings: written by scripts/settings.py -->\n", "<!-- /settings -->"


def main() -> int:
    """0 when the table is, or now is, what the settings say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the table differs, and leave it alone")
    check: bool = parser.parse_args().check

    text = _TARGET.read_text(encoding="utf-8")
    before, rest = text.split(_FIRST)
    _, after = rest.split(_LAST)
    wanted = before + _FIRST + _table() + _LAST + after
    if text == wanted:
        return 0
    if check:
        print("docs/node.md is out of date: run `python scripts/settings.py`", file=sys.stderr)
        return 1
    _TARGET.write_text(wanted, encoding="utf-8")
    return 0


def _table() -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    # Built without the machine's own settings, so that the table is the same everywhere.
    rows += [
        f"| `{setting.variable}` | `{setting.default}` | {setting.meaning} |"
        for setting in describe_settings(NodeSettings.model_construct())
    ]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
