"""Files of a job are not ready while anybody has them open for writing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from computility.domain.errors import ExecutorCrashed
from computility.execution import job_files
from computility.execution.job_files import write_job_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")


def also_written_by_another(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Descriptors for writing that stay when a file is written, as those that a process just started inherits."""
    kept: list[int] = []
    write_bytes = Path.write_bytes

    def seen(self: Path, data: bytes) -> int:
        kept.append(os.open(self, os.O_WRONLY | os.O_CREAT))
        return write_bytes(self, data)

    monkeypatch.setattr(Path, "write_bytes", seen)
    return kept


def test_file__that_another_still_writes__is_ready_when_it_has_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = also_written_by_another(monkeypatch)
    program = tmp_path / "go.sh"
    ready = threading.Thread(target=write_job_file, args=(program, b"#!/bin/sh\necho ran\n"))
    ready.start()
    time.sleep(0.2)
    assert ready.is_alive()
    os.close(kept[0])
    ready.join(10)
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"ran\n"


def test_file__that_another_goes_on_to_write__is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = also_written_by_another(monkeypatch)
    monkeypatch.setattr(job_files, "_LET_GO_S", 0.05)
    with pytest.raises(ExecutorCrashed, match=r"still open for writing after 0\.05 s: go"):
        write_job_file(tmp_path / "go", b"x")
    os.close(kept[0])
