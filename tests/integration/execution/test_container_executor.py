"""Containers: the command line that holds a job, for both engines; and, where Podman starts containers here, the walls themselves.

a container
├── its command line (recorded): every refusal, GPUs by UUID, an image by digest alone
├── runs a command, hands out what it wrote, is metered
├── refuses: network, a writable root, capabilities, namespaces, mounts, more memory, more output, more time
├── is gone when its job is over or cancelled
└── an image that is neither here nor allowed is refused
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.execution.container_bench import ContainerBench, container_engine
from tests.integration.execution.sandbox_bench import LIMITS, MIB

from computility.domain.errors import (
    ExecutorUnfit,
    HostMemoryExhausted,
    JobFailed,
    OutputTooLarge,
    RunCancelled,
    WallClockExceeded,
)
from computility.domain.identifiers import bytes32
from computility.execution.container.container_command import ContainerPlan, ContainerUser, create_command
from computility.execution.container.container_executor import ContainerExecutor
from computility.execution.container.engine import Engine, find_engine
from computility.execution.container.seccomp_profile import hardened_profile
from computility.execution.content_store import FileContentStore
from computility.execution.executor import AttemptId, RunState

# Its turn with the container engine may be long in coming.
pytestmark = pytest.mark.timeout(1_200)

IMAGE = "docker.io/library/debian@sha256:" + "ab" * 32
PLAN = ContainerPlan(
    name="computility-1",
    labels={"computility.agent": "7"},
    image=IMAGE,
    arguments=("/bin/sh", "-c", "echo hi"),
    environment={"HOME": "/tmp"},
    limits=LIMITS,
    user=ContainerUser(1_900_000_001, 1_900_000_001),
    job=Path("/run/x/job"),
    out=Path("/run/x/out"),
    seccomp="/run/x/seccomp.json",
    gpus=("GPU-a", "GPU-b"),
)
HOLDS = (
    "--network none --cap-drop all --security-opt no-new-privileges --security-opt seccomp=/run/x/seccomp.json --ipc private "
    "--user 1900000001:1900000001 --read-only --memory 134217728 --memory-swap 134217728 --pids-limit 34 --ulimit core=0:0 "
    "--ulimit nofile=4096:4096 --ulimit cpu=21:21 --ulimit fsize=2097152:2097152 --tmpfs /tmp:rw,nosuid,nodev,size=2097152,mode=1777 "
    "--shm-size 2097152 --mount type=bind,src=/run/x/job,dst=/job,ro --mount type=bind,src=/run/x/out,dst=/out --workdir /job --log-driver none"
)
END = f"--entrypoint=/bin/sh {IMAGE} -c"


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("docker", "--no-healthcheck --runtime runsc --env HOME=/tmp --gpus"),
        ("podman", "--read-only-tmpfs=false --http-proxy=false --no-healthcheck"),
    ],
)
def test_command_line__holds_a_job_by_every_refusal(name: str, own: str) -> None:
    engine = Engine(f"/usr/bin/{name}", name, "1", rootless=False, runtime="runsc")
    command = create_command(engine, PLAN)
    line = " ".join(command)
    assert HOLDS in line
    assert "--pull never" in line
    assert own in line
    assert END in line
    assert command[-1] == "echo hi"
    assert ("--runtime runsc create" in line) == (name == "podman")
    gpus = ['"device=GPU-a,GPU-b"'] if name == "docker" else ["nvidia.com/gpu=GPU-a", "nvidia.com/gpu=GPU-b"]
    assert [part for part in command if "GPU-" in part] == gpus
    assert not {"--privileged", "--cap-add", "--publish", "--volume"} & {*command}


def test_seccomp__what_the_sandbox_refuses_is_allowed_by_no_rule() -> None:
    allowed = {
        "names": ["read", "mount", "unshare", "clone", "clone3", "ptrace"],
        "action": "SCMP_ACT_ALLOW",
        "args": [],
    }
    rules = hardened_profile({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [allowed]}, "x86_64")["syscalls"]
    free = {
        name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args") for name in rule["names"]
    }
    assert free == {"read"}
    (clone,) = [rule for rule in rules if rule["names"] == ["clone"]]
    assert clone["args"][0]["value"] & 0x10000000


def test_engine__that_is_not_there__says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ExecutorUnfit, match=r"podman is not installed; docker is not installed"):
        find_engine()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, str]]:
    """Podman, and an image by digest."""
    with container_engine(tmp_path_factory.mktemp("containers")) as found:
        yield found


@pytest.fixture
def box(engine: tuple[Engine, str], tmp_path: Path) -> ContainerBench:
    """Containers with small limits and an empty content store."""
    found, image = engine
    store = FileContentStore(str(tmp_path / "content"), 10**8)
    return ContainerBench(store, ContainerExecutor(found, probe=image), image)


def left(box: ContainerBench) -> list[str]:
    """Containers that are there."""
    return box.executor._engine.ask("ps", "--all", "--quiet").split()


def test_job__writes_says_and_is_metered(box: ContainerBench) -> None:
    script = (
        "mkdir /out/a; cat /proc/self/status > /out/a/status; echo $COMPUTILITY_CLOCK; echo no >&2; "
        "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done"
    )
    execution = box.run("/bin/sh", "-c", script)
    status = execution.outputs["a/status"].decode()
    assert execution.outputs["stdout"] == b"1790000000\n"
    assert execution.outputs["stderr"] == b"no\n"
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert execution.units >= 1
    assert execution.manifest.fuel is None
    assert left(box) == []


def test_walls__stand(box: ContainerBench) -> None:
    box.executor.self_test()


@pytest.mark.parametrize("place", ["", "/etc", "/usr", "/job"])
def test_files__outside_its_folders__cannot_be_written(box: ContainerBench, place: str) -> None:
    with pytest.raises(JobFailed):
        box.shell(f"echo x > {place}/mine")


def test_network_and_namespaces__are_refused(box: ContainerBench) -> None:
    said = box.shell("cat /proc/net/dev; unshare --user true; unshare --net true; mount -t tmpfs none /tmp; true")
    assert "eth0" not in said
    assert said.count("not permitted") + said.count("denied") + said.count("must be superuser") >= 3


def test_memory_time_and_output__are_bounded(box: ContainerBench) -> None:
    with pytest.raises((HostMemoryExhausted, JobFailed)):
        box.within(memory_bytes=32 * MIB).run("dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1")
    with pytest.raises(WallClockExceeded):
        box.within(wall_s=1).run("sleep", "50")
    with pytest.raises((OutputTooLarge, JobFailed)):
        box.run("/bin/sh", "-c", f"head -c {4 * MIB} /dev/zero > /out/a && head -c {4 * MIB} /dev/zero > /out/b")
    with pytest.raises(OutputTooLarge):
        box.run("head", "-c", str(8 * MIB), "/dev/zero")
    assert left(box) == []


def test_job__that_fails__says_what_it_said(box: ContainerBench) -> None:
    with pytest.raises(JobFailed, match="exit code 3 and said: no luck"):
        box.shell("echo no luck >&2; exit 3")
    assert box.run("/bin/sh", "-c", "echo x > /out/x").outputs == {"x": b"x\n"}


def test_program__that_the_image_does_not_have__is_the_jobs_fault(box: ContainerBench) -> None:
    with pytest.raises(JobFailed):
        box.run("no-such-program")


def test_cancel__ends_the_container(box: ContainerBench) -> None:
    attempt = AttemptId(bytes32(b"\x44" * 32), 1)
    box.executor.start(attempt, box.executor.prepare(box.specification("sleep", "50"), box.content))
    threading.Timer(1, box.executor.cancel, (attempt,)).start()
    with pytest.raises(RunCancelled):
        box.executor.collect(attempt)
    assert box.executor.status(attempt) is RunState.CANCELLED
    assert left(box) == []


def test_image__that_is_neither_here_nor_allowed__is_refused(box: ContainerBench) -> None:
    other = box.specification("true").to_document() | {"image": IMAGE}
    with pytest.raises(ExecutorUnfit, match="may not be pulled"):
        box.executor.check(specification_from(other))


def specification_from(document: dict[str, Any]) -> Any:
    """A specification from its document."""
    from computility.domain.canonical_json import canonical_json
    from computility.domain.task_specification import parse_task_specification

    assert json.dumps(document)
    return parse_task_specification(canonical_json(document))
