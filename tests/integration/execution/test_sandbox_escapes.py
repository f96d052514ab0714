"""A job in the sandbox tries to get out, and to take more than it may. Each attempt is real, and is refused."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import MIB, SandboxBench, needs_bubblewrap

from computility.domain.errors import (
    ExecutorFailed,
    ExecutorUnfit,
    HostMemoryExhausted,
    JobFailed,
    JobMemoryExceeded,
    JobTimeExceeded,
    OutputTooLarge,
)
from computility.execution.sandbox import bubblewrap, process_executor
from computility.execution.sandbox.control_groups import ControlGroups
from computility.execution.sandbox.machine_masks import MASKED_FILES, MASKED_FOLDERS
from computility.execution.sandbox.process_executor import ProcessExecutor

pytestmark = needs_bubblewrap

TRY = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(what):
    try:
        what()
        print("succeeded")
    except OSError as error:
        print(error.strerror)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""
X86_64 = os.uname().machine == "x86_64"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server on the host's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_network__outside__is_not_there(sandbox: SandboxBench) -> None:
    said = sandbox.python(TRY + "attempt(lambda: socket.create_connection(('1.1.1.1', 53), timeout=3))")
    assert said == "Network is unreachable\n"


def test_network__loopback_of_the_host__is_not_there(sandbox: SandboxBench, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    said = sandbox.python(TRY + f"attempt(lambda: socket.create_connection(('127.0.0.1', {port}), timeout=3))")
    assert said == "Connection refused\n"


def test_network__abstract_socket_of_the_host__is_not_there(sandbox: SandboxBench) -> None:
    name = f"computility-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        server.listen()
        said = sandbox.python(TRY + f"s = socket.socket(socket.AF_UNIX)\nattempt(lambda: s.connect('\\0{name}'))")
    assert said == "Connection refused\n"


@pytest.mark.parametrize(("family", "name"), [(40, "vsock"), (38, "kernel crypto"), (17, "packets"), (31, "bluetooth")])
def test_network__sockets_of_another_family__are_refused(sandbox: SandboxBench, family: int, name: str) -> None:
    said = sandbox.python(TRY + f"attempt(lambda: socket.socket({family}, socket.SOCK_STREAM))")
    assert said == "Address family not supported by protocol\n", name


def test_processes__of_the_host__are_not_seen(sandbox: SandboxBench) -> None:
    assert len(sandbox.shell("ls -d /proc/[0-9]*").split()) <= 6
    assert sandbox.shell(f"kill -0 {os.getpid()} 2>&1; true") != ""


def test_files__shadow_and_home_of_the_host__are_not_there(sandbox: SandboxBench) -> None:
    said = sandbox.shell("cat /etc/shadow; ls /root /home /var /work; true")
    assert said.count("No such file or directory") == 5


def test_machine__what_tells_of_it_and_helps_no_program__is_hidden(sandbox: SandboxBench) -> None:
    there = [name for name in MASKED_FILES if Path("/proc", name).exists()]
    assert {"cmdline", "interrupts", "sys/kernel/random/boot_id"} <= set(there)
    assert sandbox.shell("cd /proc && cat " + " ".join(there)) == ""
    folders = [name for name in (*MASKED_FOLDERS, "driver") if Path("/proc", name).is_dir()]
    assert "bus" in folders
    for name in folders:
        assert sandbox.shell(f"ls -A /proc/{name}; (: > /proc/{name}/mine) 2>/dev/null && echo written; true") == ""
    # What programs need is as it was.
    assert sandbox.shell("grep -c ^MemTotal /proc/meminfo; grep -c ^processor /proc/cpuinfo").split()[0] == "1"


def test_machine__that_is_not_hidden__is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "masks", lambda _: ())
    with pytest.raises(ExecutorUnfit, match=r"machine-cmdline, machine-sys/kernel/random/boot_id, machine-interrupts"):
        ProcessExecutor().self_test()


@pytest.mark.parametrize("place", ["/", "/usr", "/usr/bin", "/job", "/dev", "/etc", "/proc/sys/kernel", "/sys"])
def test_files__outside_its_folders__cannot_be_written(sandbox: SandboxBench, place: str) -> None:
    with pytest.raises(JobFailed):
        sandbox.shell(f"echo x > {place}/mine")


def test_devices__cannot_be_made(sandbox: SandboxBench) -> None:
    said = sandbox.python(TRY + "attempt(lambda: os.mknod('/tmp/disk', 0o60600, os.makedev(254, 0)))")
    assert said == "Operation not permitted\n"


def test_pipes__can_be_made(sandbox: SandboxBench) -> None:
    assert sandbox.python(TRY + "attempt(lambda: os.mkfifo('/tmp/pipe'))") == "succeeded\n"


@pytest.mark.skipif(not X86_64, reason="numbers of system calls of x86-64")
@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        ("165, b'none', b'/tmp', b'tmpfs', 0, 0", "Operation not permitted"),  # mount
        ("272, 0x10000000", "Operation not permitted"),  # unshare a user namespace
        ("56, 0x10000000 | 17, 0, 0, 0, 0", "Operation not permitted"),  # clone with one
        ("435, 0, 88", "Function not implemented"),  # clone3
        ("101, 0, 0, 0, 0", "Operation not permitted"),  # ptrace
        ("321, 0, 0, 0", "Operation not permitted"),  # bpf
        ("425, 1, 0", "Operation not permitted"),  # io_uring_setup
        ("323, 0", "Operation not permitted"),  # userfaultfd
        ("248, b'user', b'k', b'v', 1, -3", "Operation not permitted"),  # add_key
        ("0x40000000 | 39,", "Function not implemented"),  # getpid of the x32 table
        ("319, b'held', 0", "Operation not permitted"),  # memfd_create
        ("447, 0", "Operation not permitted"),  # memfd_secret
        ("29, 0, 1 << 20, 0o1600", "Operation not permitted"),  # shmget
        ("68, 0, 0o1600", "Operation not permitted"),  # msgget
        ("1000,", "Function not implemented"),  # a call that no kernel has yet
    ],
)
def test_system_calls__that_break_sandboxes__are_refused(sandbox: SandboxBench, call: str, refusal: str) -> None:
    assert sandbox.python(TRY + f"attempt(lambda: call({call}))") == refusal + "\n"


def test_privileges__none_is_held_and_none_can_be_had(sandbox: SandboxBench) -> None:
    status = dict(line.split(":", 1) for line in sandbox.shell("cat /proc/self/status").splitlines())
    held = {name: status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert set(held.values()) == {"0" * 16}
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")


def test_processes__a_fork_bomb__is_bounded_and_ends(sandbox: SandboxBench) -> None:
    # None ends before all were refused another: the place of one that ended would be taken again.
    bomb = "import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        break\nprint(1, flush=True)\ntime.sleep(4)"
    said = sandbox.within(processes=24, wall_s=30).run("/bin/sh", "-c", f'python3 -c "{bomb}"; sleep 2').outputs
    assert 1 <= len(said["stdout"].split()) <= 28


def test_memory__more_than_allowed__is_refused_to_one_process(sandbox: SandboxBench) -> None:
    with pytest.raises((JobFailed, HostMemoryExhausted)):
        sandbox.python(f"bytearray({256 * MIB})")


def test_memory__more_than_allowed_by_many_processes__ends_the_job(sandbox: SandboxBench) -> None:
    many = f"""
import os, time
for _ in range(8):
    if os.fork() == 0:
        held = bytearray({100 * MIB})
        for page in range(0, len(held), 4096):
            held[page] = 1
        time.sleep(20)
        os._exit(0)
time.sleep(20)
"""
    with pytest.raises(JobMemoryExceeded):
        sandbox.python(many)


HIDDEN = {
    "files in memory": f"""
import os
held = [os.memfd_create("held") for _ in range(4)]
for file in held:
    for _ in range(100):
        os.write(file, bytes({MIB}))
""",
    "segments that nobody has attached": TRY
    + f"""
libc.shmat.restype = ctypes.c_void_p
for _ in range(4):
    segment = libc.shmget(0, {100 * MIB}, 0o1600)
    if segment < 0:
        raise OSError(ctypes.get_errno(), "refused")
    place = libc.shmat(segment, None, 0)
    ctypes.memset(place, 1, {100 * MIB})
    libc.shmdt(ctypes.c_void_p(place))
""",
}


@pytest.mark.parametrize("how", HIDDEN)
def test_memory__of_no_process__cannot_be_held_without_control_groups(
    sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(process_executor, "find_control_groups", lambda _: ControlGroups(0, {}))
    without = replace(
        sandbox, executor=ProcessExecutor(spares=0), limits=replace(sandbox.limits, memory_bytes=64 * MIB)
    )
    with pytest.raises(JobFailed, match=r"not permitted|refused"):
        without.python(HIDDEN[how] + "\nimport time\ntime.sleep(3)\nprint('held')")


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_disk__scratch_is_filled__no_further_than_allowed(sandbox: SandboxBench, place: str) -> None:
    said = sandbox.shell(f"head -c {8 * MIB} /dev/zero > {place}/fill; du -sk {place} | cut -f1")
    assert "No space left on device" in said or "size limit exceeded" in said
    assert int(said.split()[0]) <= 2 * 1024


def test_disk__output_is_filled__the_job_is_at_fault(sandbox: SandboxBench) -> None:
    with pytest.raises((OutputTooLarge, JobFailed)):
        sandbox.shell(f"head -c {4 * MIB} /dev/zero > /out/a && head -c {4 * MIB} /dev/zero > /out/b")


def test_disk__more_files_than_allowed__the_job_is_at_fault(sandbox: SandboxBench) -> None:
    with pytest.raises(OutputTooLarge):
        sandbox.shell("for i in 1 2 3 4 5 6 7 8 9; do echo x > /out/$i; done")


def running(marker: str) -> list[str]:
    """Command lines of the host that hold a marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def gone(marker: str, timeout_s: float = 30) -> bool:
    """Whether no process of the host holds the marker any more."""
    give_up = time.monotonic() + timeout_s
    while running(marker):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def test_survivors__daemons_of_a_job_that_ended__end_as_well(sandbox: SandboxBench) -> None:
    assert sandbox.shell("setsid nohup sleep 86400.25 >/dev/null 2>&1 & echo left") == "left\n"
    assert gone("86400.25")


def test_survivors__daemons_of_a_job_that_takes_too_long__end_as_well(sandbox: SandboxBench) -> None:
    with pytest.raises(JobTimeExceeded):
        sandbox.within(wall_s=1).shell("setsid nohup sleep 86400.75 >/dev/null 2>&1 & sleep 86400.75")
    assert gone("86400.75")


EXECUTOR = """
import sys
from pathlib import Path
from computility.domain.specification import parse_specification
from computility.execution.content_store import FileContentStore
from computility.execution.sandbox.process_executor import ProcessExecutor
specification = parse_specification(Path(sys.argv[1]).read_bytes())
ProcessExecutor().run(specification, FileContentStore(sys.argv[2], 10**6))
"""
# What bubblewrap knows of its parent's death is left out; where a file is named, it starts when its parent is gone.
LATE_BWRAP = """#!/bin/bash
[ -n "{file}" ] && while [ ! -e "{file}" ]; do sleep 0.05; done
options=()
for option in "$@"; do [ "$option" = --die-with-parent ] || options+=("$option"); done
exec "{bwrap}" "${{options[@]}}"
"""


def killed_in_the_middle(
    sandbox: SandboxBench, folder: Path, seconds: str, begun: Callable[[], bool], path: str | None = None
) -> None:
    """Start an executor with a long job of its own, and kill it once it has ``begun``."""
    specification = folder / "specification"
    specification.write_bytes(sandbox.within(wall_s=600).specification("sleep", seconds).to_bytes())
    environment = {**os.environ, **({"PATH": path} if path else {})}
    command = [sys.executable, "-c", EXECUTOR, str(specification), str(folder / "content")]
    with subprocess.Popen(command, env=environment) as executor:
        give_up = time.monotonic() + 60
        while not begun():
            assert time.monotonic() < give_up
            assert executor.poll() is None
            time.sleep(0.05)
        executor.kill()


def late_bwrap(folder: Path, file: Path | None) -> str:
    """A search path on which bubblewrap starts when ``file`` is there, and does not watch its parent."""
    script = folder / "bwrap"
    script.write_text(LATE_BWRAP.format(bwrap=shutil.which("bwrap"), file=file or ""))
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_survivors__an_executor_that_is_killed__takes_its_jobs_along(sandbox: SandboxBench, tmp_path: Path) -> None:
    killed_in_the_middle(sandbox, tmp_path, "86401.5", lambda: "sleep 86401.5 " in running("86401.5"))
    assert gone("86401.5")


def test_survivors__an_executor_that_is_killed__ends_its_job_without_help_of_the_kernel(
    sandbox: SandboxBench, tmp_path: Path, open_folder: Path
) -> None:
    path = late_bwrap(open_folder, None)
    killed_in_the_middle(sandbox, tmp_path, "86402.5", lambda: "sleep 86402.5 " in running("86402.5"), path)
    assert gone("86402.5")


def test_survivors__an_executor_that_is_killed_before_its_sandbox_is_up__starts_no_job(
    sandbox: SandboxBench, tmp_path: Path, open_folder: Path
) -> None:
    may_start = open_folder / "may-start"
    waiting = f"{open_folder}/bwrap --unshare-all"
    path = late_bwrap(open_folder, may_start)
    killed_in_the_middle(sandbox, tmp_path, "86403.5", lambda: bool(running(waiting)), path)
    assert running(waiting), "bubblewrap waits"
    may_start.touch()
    assert gone(str(open_folder))
    assert gone("86403.5")


def test_time__processor_beyond_what_is_allowed__ends_the_job(sandbox: SandboxBench) -> None:
    with pytest.raises((ExecutorFailed, JobFailed)):
        sandbox.within(cpu_s=1).shell("while :; do :; done")
