"""Write the API's description to frontend/openapi.json, from which the page's types are generated."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from computility.api.app import create_app
from computility.settings import NodeSettings

_TARGET = Path(__file__).resolve().parent.parent / "frontend" / "openapi.json"


def main() -> int:
    """0 when the file is, or now is, what the application says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the file differs, and leave it alone")
    check: bool = parser.parse_args().check

    # Built without the machine's own settings, so that the document is the same everywhere.
    document = create_app(NodeSettings.model_construct()).openapi()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if check:
        if not _TARGET.exists() or _TARGET.read_text(encoding="utf-8") != text:
            print("frontend/openapi.json is out of date: run `python scripts/openapi.py`", file=sys.stderr)
            return 1
        return 0
    _TARGET.write_text(text, encoding="utf-8")
    print(f"frontend/openapi.json: {len(document['paths'])} paths")
    return 0


if __name__ == "__main__":
    sys.exit(main())
