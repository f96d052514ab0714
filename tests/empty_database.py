"""An empty SQLite database of the newest schema: made once a test process and copied, as the revisions take 0.1 s and have tests of their own."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from computility.store.engine import Database, open_database


def open_empty(path: Path) -> Database:
    """The database at ``path``, which is made there."""
    with path.open("xb") as file:
        file.write(_content())
    return open_database(f"sqlite:///{path}")


@cache
def _content() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        open_database(f"sqlite:///{path}").close()
        return path.read_bytes()
