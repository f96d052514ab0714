"""What a process of our own does whose parent was killed."""

from __future__ import annotations

import socket
import subprocess
import sys

SAYING = "from computility.services.framed_process import send; send((0, bytes(1_000_000)))"


def test_a_process_whose_parent_was_killed__ends_without_a_word() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        ended = subprocess.run(
            [sys.executable, "-c", SAYING], stdout=theirs.fileno(), stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr == b""
