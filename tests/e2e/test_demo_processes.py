"""The demo's processes end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Starts one child, says its process id, and waits.
_DEMO = """
import sys, time
from pathlib import Path
from computility.cli.demo.processes import Processes, warm_up
if __name__ == "__main__":
    warm_up()
    print(Processes(Path(sys.argv[1])).start("sleeper", "sleeper", []).process.pid, flush=True)
    time.sleep(600)
"""
_ENDS_WITHIN_S = 60.0


@pytest.mark.skipif(sys.platform != "linux", reason="tells the state of a process by /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_demo_that_is_ended__takes_its_processes_with_it(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "demo.py").write_text(_DEMO)
    (tmp_path / "sleeper.py").write_text("import time\ntime.sleep(600)\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    demo = subprocess.Popen(
        [sys.executable, str(tmp_path / "demo.py"), str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert demo.stdout is not None
        child = int(demo.stdout.readline())
        assert is_running(child)
    finally:
        demo.send_signal(how)
        demo.wait(_ENDS_WITHIN_S)
    give_up = time.monotonic() + _ENDS_WITHIN_S
    while is_running(child):
        assert time.monotonic() < give_up, "the demo has ended, and its process runs on"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
