"""The process of a job: it ends with its executor, and when it ends alone the executor says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.execution.workbench import ENDLESS, Bench, assembled

EXECUTOR = """
import sys
from computility.domain.errors import ExecutionError
from computility.domain.job_specification import parse_job_specification
from computility.execution.content_store import FileContentStore
from computility.execution.wasm.executor import WasmExecutor

specification = parse_job_specification(sys.stdin.buffer.read())
try:
    WasmExecutor(timeout_s=100).run(specification, FileContentStore(sys.argv[1], 10**6))
except ExecutionError as error:
    print(error.code)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def executor(bench: Bench, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs a job without end."""
    specification = bench.within(fuel=2**53 - 1).specification(assembled(ENDLESS))
    command = [sys.executable, "-c", EXECUTOR, str(tmp_path / "content")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(specification.to_bytes())
        process.stdin.close()
        yield process
        process.kill()


def wait_for(what: Callable[[], int | None], timeout_s: float = 30) -> int:
    """What it answers, once it is something else than None."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if (answer := what()) is not None:
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def job_of(executor: subprocess.Popen[bytes]) -> int | None:
    """The process id of its job, once it computes."""
    tasks = Path(f"/proc/{executor.pid}/task").glob("*/children")
    for child in [child for task in tasks for child in task.read_text().split()]:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        seconds = int(fields[11]) / os.sysconf("SC_CLK_TCK")
        if seconds > 0.5:
            return int(child)
    return None


def gone(pid: int) -> int | None:
    """The process id, once the process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return pid
    return pid if state == "Z" else None


def test_job__its_executor_is_killed__ends_as_well(executor: subprocess.Popen[bytes]) -> None:
    job = wait_for(lambda: job_of(executor))
    executor.kill()
    wait_for(lambda: gone(job))


def test_executor__its_job_is_killed__could_not_tell(executor: subprocess.Popen[bytes]) -> None:
    os.kill(wait_for(lambda: job_of(executor)), signal.SIGKILL)
    assert executor.stdout is not None
    assert executor.stdout.read() == b"executor-crashed\n"


def test_job__inherits__no_environment_no_right_to_write_files_and_no_core_dumps(
    executor: subprocess.Popen[bytes],
) -> None:
    job = wait_for(lambda: job_of(executor))
    assert Path(f"/proc/{job}/environ").read_bytes() == b""
    limits = Path(f"/proc/{job}/limits").read_text()
    softs = {line[:25].strip(): line[25:].split()[0] for line in limits.splitlines()[1:]}
    assert softs["Max file size"] == "0"
    assert softs["Max core file size"] == "0"
    assert softs["Max cpu time"] == "105"
    assert int(softs["Max data size"]) < 2 * 1024**3
