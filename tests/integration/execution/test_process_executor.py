"""Commands in the sandbox: what they are given, what comes out, and the life of an attempt."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import SEED, SandboxBench, needs_bubblewrap

from computility.domain.errors import (
    EnvironmentMismatch,
    ExecutorFailed,
    ExecutorUnfit,
    HostMemoryExhausted,
    JobFailed,
    RunCancelled,
    WallClockExceeded,
)
from computility.domain.identifiers import bytes32
from computility.domain.manifest import parse_manifest
from computility.execution.command_executor import CommandBounds
from computility.execution.executor import AttemptId, RunState
from computility.execution.sandbox.bubblewrap import Sandbox
from computility.execution.sandbox.built_sandbox import build_sandbox
from computility.execution.sandbox.process_executor import ProcessExecutor, process_environment
from computility.execution.sandbox.spare_sandboxes import SpareSandboxes

pytestmark = needs_bubblewrap

CHECKOUT = Path(__file__).resolve().parents[3]
ATTEMPT = AttemptId(bytes32(b"\x11" * 32), 1)


def test_job__artifacts_and_inputs__are_what_it_reads_and_out_is_what_it_writes(sandbox: SandboxBench) -> None:
    script = b"#!/bin/sh\ncat data/words >&2\nmkdir -p /out/a/b\ntr a-z A-Z < data/words > /out/a/b/loud\necho said\n"
    execution = sandbox.run("./go.sh", artifacts={"go.sh": script}, inputs={"data/words": b"hello"})
    assert execution.outputs == {"a/b/loud": b"HELLO", "stderr": b"hello", "stdout": b"said\n"}
    assert execution.units == 1
    assert parse_manifest(execution.manifest.to_bytes()) == execution.manifest
    assert (execution.manifest.version, execution.manifest.fuel, execution.manifest.units) == (2, None, None)


LOW_NUMBERS = """
import os
real = os.memfd_create

def by_another_thread_s_leave(name):
    # Number 3 is free for a moment, as when another thread has just closed it.
    descriptor = real(name)
    if descriptor != 3:
        os.dup2(descriptor, 3, inheritable=False)
        os.close(descriptor)
    return 3

os.memfd_create = by_another_thread_s_leave
import sys
from tests.integration.execution.sandbox_bench import SandboxBench
from computility.execution.content_store import FileContentStore
from computility.execution.sandbox.process_executor import ProcessExecutor
bench = SandboxBench(FileContentStore(sys.argv[1], 10**8), ProcessExecutor(spares=0))
print(bench.run("/bin/cat", "in", inputs={"in": b"words"}).outputs["stdout"].decode(), end="")
"""


def test_job__whose_files_are_under_the_shells_own_numbers__runs_all_the_same(tmp_path: Path) -> None:
    script = [sys.executable, "-c", LOW_NUMBERS, str(tmp_path)]
    ran = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False, cwd=CHECKOUT)
    assert (ran.returncode, ran.stdout) == (0, "words"), ran.stderr


def test_job__twice__comes_to_the_same_manifest(sandbox: SandboxBench) -> None:
    runs = [sandbox.run("/bin/sh", "-c", 'echo "$COMPUTILITY_SEED $COMPUTILITY_CLOCK"') for _ in range(2)]
    assert runs[0].manifest == runs[1].manifest
    assert runs[0].outputs["stdout"] == f"{SEED} 1790000000\n".encode()


def test_job__links_and_devices_among_its_outputs__are_left_out(sandbox: SandboxBench) -> None:
    outputs = sandbox.run("/bin/sh", "-c", "ln -s /etc/passwd /out/link; mkfifo /out/pipe; echo x > /out/x").outputs
    assert outputs == {"x": b"x\n"}


def test_job__that_fails__says_what_it_said(sandbox: SandboxBench) -> None:
    with pytest.raises(JobFailed, match="exit code 3 and said: no luck"):
        sandbox.shell("echo no luck >&2; exit 3")


def test_job__that_is_no_program__fails(sandbox: SandboxBench) -> None:
    with pytest.raises(JobFailed, match="exit code 127"):
        sandbox.run("no-such-program")


def test_job__environment_variables_of_the_agent__are_not_passed_on(
    sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPUTILITY_PASSWORD", "hunter2")
    assert "hunter2" not in sandbox.shell("env; cat /proc/*/environ 2>/dev/null; true")


def test_tools__of_the_provider__are_read_only_first_on_the_path_and_part_of_the_class(
    sandbox: SandboxBench,
) -> None:
    # Jobs run as a user of their own, so the folder has to be open to all.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "bin").mkdir(mode=0o755)
        (folder / "bin" / "greet").write_text("#!/bin/sh\necho greetings\n: > /opt/tools/bin/mine\n")
        (folder / "bin" / "greet").chmod(0o755)
        executor = ProcessExecutor(tools={"/opt/tools": name}, toolset={"greet": "1"})
        outputs = replace(sandbox, executor=executor).run("/bin/sh", "-c", "greet; true").outputs
    assert outputs["stdout"] == b"greetings\n"
    assert b"Read-only file system" in outputs["stderr"]
    assert executor.environment == process_environment({"greet": "1"}) != sandbox.executor.environment


def test_attempt__started_twice__runs_once(sandbox: SandboxBench) -> None:
    specification = sandbox.specification("/bin/sh", "-c", "od -An -N8 -x /dev/urandom")
    prepared = sandbox.executor.prepare(specification, sandbox.content)
    sandbox.executor.start(ATTEMPT, prepared)
    sandbox.executor.start(ATTEMPT, prepared)
    first = sandbox.executor.collect(ATTEMPT)
    sandbox.executor.start(ATTEMPT, prepared)
    assert sandbox.executor.collect(ATTEMPT) == first
    assert sandbox.executor.status(ATTEMPT) is RunState.SUCCEEDED
    other = AttemptId(ATTEMPT.job, 2)
    sandbox.executor.start(other, prepared)
    assert sandbox.executor.collect(other).manifest != first.manifest


def test_attempt__that_nobody_started__is_unknown(sandbox: SandboxBench) -> None:
    attempt = AttemptId(bytes32(b"\x22" * 32), 1)
    assert sandbox.executor.status(attempt) is RunState.UNKNOWN
    with pytest.raises(ExecutorFailed, match="was not started here"):
        sandbox.executor.collect(attempt)
    sandbox.executor.cancel(attempt)


def test_meter__while_it_runs__streams_and_ends_with_it(sandbox: SandboxBench) -> None:
    attempt = AttemptId(bytes32(b"\x33" * 32), 1)
    spin = "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass"
    specification = sandbox.specification("python3", "-c", spin)
    sandbox.executor.start(attempt, sandbox.executor.prepare(specification, sandbox.content))
    samples = []
    for sample in sandbox.executor.meter(attempt):
        if not samples:
            assert sandbox.executor.status(attempt) is RunState.RUNNING
        samples.append(sample)
    execution = sandbox.executor.collect(attempt)
    assert tuple(samples) == execution.samples
    assert [sample.at_ms for sample in samples] == sorted(sample.at_ms for sample in samples)
    assert max(sample.memory_bytes for sample in samples) > 0
    assert 0 < samples[-1].cpu_ms <= execution.units * 1000


def test_cancel__while_it_runs__ends_it(sandbox: SandboxBench) -> None:
    attempt = AttemptId(bytes32(b"\x44" * 32), 1)
    specification = sandbox.specification("sleep", "50")
    sandbox.executor.start(attempt, sandbox.executor.prepare(specification, sandbox.content))
    threading.Timer(0.3, sandbox.executor.cancel, (attempt,)).start()
    with pytest.raises(RunCancelled):
        sandbox.executor.collect(attempt)
    assert sandbox.executor.status(attempt) is RunState.CANCELLED


def test_check__more_than_this_machine_gives__is_refused(sandbox: SandboxBench) -> None:
    small = ProcessExecutor(CommandBounds(memory_bytes=2**20, wall_s=5))
    with pytest.raises(HostMemoryExhausted):
        small.check(sandbox.specification("true"))
    with pytest.raises(WallClockExceeded):
        small.check(sandbox.within(memory_bytes=2**20).specification("true"))
    with pytest.raises(ExecutorUnfit, match="no GPU"):
        sandbox.executor.check(sandbox.within(gpus=1).specification("true"))
    with pytest.raises(EnvironmentMismatch):
        ProcessExecutor(toolset={"other": "1"}).check(sandbox.specification("true"))


def test_self_test__of_a_sound_sandbox__passes(sandbox: SandboxBench) -> None:
    sandbox.executor.self_test()


class HoleySandbox(Sandbox):
    """A sandbox that lost its seccomp filter and shares the host's network."""

    def command(self, *arguments: object, **keywords: object) -> list[str]:
        command = super().command(*arguments, **keywords)  # type: ignore[arg-type]  # handed on as they came
        command.insert(command.index("--cap-drop"), "--share-net")
        return command


def test_self_test__of_a_sandbox_with_a_hole__names_it(sandbox: SandboxBench) -> None:
    executor = ProcessExecutor()
    holey = HoleySandbox(executor._sandbox.bwrap)
    executor._spares = SpareSandboxes(partial(build_sandbox, holey, executor._filter, executor._groups), 1)
    with pytest.raises(ExecutorUnfit, match="network"):
        executor.self_test()
