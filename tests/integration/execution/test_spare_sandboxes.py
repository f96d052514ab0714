"""Sandboxes that wait for their jobs: each runs one, whatever it is told, and holds it as one that was built for it."""

from __future__ import annotations

import os
import secrets
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.integration.execution.sandbox_bench import SandboxBench, needs_bubblewrap

from computility.domain.errors import JobFailed
from computility.execution.sandbox import job_folder
from computility.execution.sandbox.built_sandbox import BuiltSandbox
from computility.execution.sandbox.job_folder import JobFolder, folders_hold, sweep_folders
from computility.execution.sandbox.process_executor import ProcessExecutor

pytestmark = needs_bubblewrap

SHOW = "import sys; sys.stdout.buffer.write(b'\\0'.join(word.encode() for word in sys.argv[1:]))"
FILES: Mapping[str, bytes] = {"words": b"hello", "below/more": b"more"}


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    """One of its own."""
    executor = ProcessExecutor()
    yield executor
    executor.close()


@pytest.fixture(params=["a folder of the host's memory", "memory of its own"])
def either(request: pytest.FixtureRequest, sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch) -> SandboxBench:
    """Both ways in which files come to a job."""
    if request.param == "memory of its own":
        monkeypatch.setattr("computility.execution.sandbox.process_executor.folders_hold", lambda _: False)
    return sandbox


def test_arguments__of_any_characters__arrive_as_they_are(sandbox: SandboxBench) -> None:
    words = [
        "", "'", "it's", '"', "$HOME `id` $(id)", "a\nb\n\n", "\n", "\\", "a\\nb", "; exit 3", "-n", " lead and trail ", "*", "\t",
        "".join(map(chr, range(1, 0x250))), "ключ 鍵 🔑",
    ]  # fmt: skip
    outputs = sandbox.run("python3", "-c", SHOW, *words).outputs
    assert outputs["stdout"].split(b"\0") == [word.encode() for word in words]


@pytest.mark.parametrize("word", ["exit", "eval", "exec", "ulimit", "trap"])
def test_arguments__that_are_words_of_the_shell__are_programs_like_others(sandbox: SandboxBench, word: str) -> None:
    with pytest.raises(JobFailed, match="exit code 127"):
        sandbox.run(word, "true")


def test_files__are_there_and_cannot_be_changed(either: SandboxBench) -> None:
    script = "cat words below/more; for f in words below/more new; do (echo x > $f) 2>/dev/null && echo written; done; rm words || echo kept"
    said = either.run("/bin/sh", "-c", script + "; chmod 0777 words || echo kept", inputs=FILES).outputs["stdout"]
    assert said == b"hellomorekept\nkept\n"


def test_files__of_one_job__are_gone_with_it(sandbox: SandboxBench) -> None:
    marker = secrets.token_bytes(32)
    sandbox.run("cat", "secret", inputs={"secret": marker})
    assert sandbox.run("ls", "/job").outputs == {}
    folders = Path(job_folder._MEMORY)
    give_up = time.monotonic() + 30
    while any(file.read_bytes() == marker for file in folders.glob("computility-job-*/secret")):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_spare__runs_one_job_and_no_other(sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun = BuiltSandbox.begin, []

    def seen(self: BuiltSandbox, *given: Any) -> None:
        begun.append(self.process)
        begin(self, *given)

    # By their processes: the kernel gives the number of a namespace that is gone to the next.
    monkeypatch.setattr(BuiltSandbox, "begin", seen)
    for _ in range(5):
        sandbox.run("true")
    assert len(begun) == len(set(begun)) == 5


def test_spare__what_a_job_left__is_not_found_by_the_next(sandbox: SandboxBench) -> None:
    for _ in range(4):
        assert sandbox.shell("ls -A /tmp /out /dev/shm; echo x > /tmp/left; echo x > /dev/shm/left").count("left") == 0


def test_prepared__a_sandbox_is_built_meanwhile(executor: ProcessExecutor, sandbox: SandboxBench) -> None:
    executor.prepare(sandbox.specification("true"), sandbox.content)
    assert len(executor._spares._waiting) == 1


def test_spare__that_died__is_passed_over(executor: ProcessExecutor, sandbox: SandboxBench) -> None:
    specification = sandbox.specification("echo", "well")
    executor.prepare(specification, sandbox.content)
    spare = executor._spares._waiting[0][1].result()
    spare.process.kill()
    spare.process.wait()
    assert executor.run(specification, sandbox.content).outputs == {"stdout": b"well\n"}


def test_spares__of_an_executor_that_nobody_holds__end(sandbox: SandboxBench) -> None:
    executor = ProcessExecutor()
    executor.prepare(sandbox.specification("true"), sandbox.content)
    process = executor._spares._waiting[0][1].result().process
    del executor
    assert process.wait(30) != 0


def test_folders__of_a_process_that_is_gone__are_swept_and_others_kept(tmp_path: Path) -> None:
    mine, left = JobFolder(None, tmp_path), JobFolder(None, tmp_path)
    left.fill({"a/b": b"x"})
    os.close(left._lock)
    sweep_folders(tmp_path)
    assert list(tmp_path.iterdir()) == [mine.path]
    mine.remove()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("left", [True, False])
def test_folders__that_are_swept__take_what_is_left_of_their_sandboxes_along(tmp_path: Path, left: bool) -> None:
    folder = JobFolder(None, tmp_path)
    if left:
        os.close(folder._lock)
    waits, never = os.pipe()
    command = f"bwrap --ro-bind / / --ro-bind {folder.path} {folder.path} --block-fd {waits} true".split()
    with subprocess.Popen(command, pass_fds=[waits]) as sandbox:
        sweep_folders(tmp_path)
        if left:
            assert sandbox.wait(30) == -signal.SIGKILL
        else:
            time.sleep(0.5)
            assert sandbox.poll() is None
            sandbox.kill()
    os.close(waits)
    os.close(never)


# Bubblewrap that is ended between telling of its sandbox and letting it go on.
STUCK_BWRAP = """#!/bin/bash
while [ "$1" != --info-fd ]; do shift; done
sleep 86404.5 <&- >&- 2>&- &
echo "{ \\"child-pid\\": $! }" >&$2
wait
"""


def test_closed__before_bubblewrap_let_the_sandbox_go_on__ends(
    sandbox: SandboxBench, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bwrap = open_folder / "bwrap"
    bwrap.write_text(STUCK_BWRAP)
    bwrap.chmod(0o755)
    monkeypatch.setenv("PATH", str(open_folder), prepend=os.pathsep)
    executor = ProcessExecutor()
    executor.prepare(sandbox.specification("true"), sandbox.content)
    built = executor._spares._waiting[0][1].result()
    inner = os.dup(built._inner)
    ended = select.poll()
    ended.register(inner, select.POLLIN)
    executor.close()
    assert ended.poll(30_000)
    os.close(inner)


def test_folders__are_for_what_fits__into_memory(tmp_path: Path) -> None:
    assert not folders_hold(0, tmp_path / "none")
    assert not folders_hold(2**40)


def test_a_spare_that_ends_before_its_job_begins__is_replaced(
    sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, ended = BuiltSandbox.begin, []

    def end_the_first(self: BuiltSandbox, *given: Any) -> None:
        if not ended:
            ended.append(self)
            self.process.kill()
            nobody_reads = select.poll()
            nobody_reads.register(self._lifeline, 0)
            assert nobody_reads.poll(30_000)
        begin(self, *given)

    monkeypatch.setattr(BuiltSandbox, "begin", end_the_first)
    assert sandbox.shell("echo there") == "there\n"
    assert len(ended) == 1
