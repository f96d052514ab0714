"""The command line of one container: what a job gets, and every refusal that holds it.

The same as in the process sandbox: no network, no capability, no new privilege, a read-only root, ``/job`` to read, ``/out``, ``/tmp`` and
``/dev/shm`` to write, each of bounded size. Images are named by digest alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from computility.domain.task_specification import CommandLimits
from computility.execution.container.engine import Engine

_SPARE_PROCESSES = 2
"""The runtime's own, for a moment."""


@dataclass(frozen=True)
class ContainerUser:
    """Who a job is. ``keep_id``: the engine's user namespace leaves this user as it is, so that the agent can read what the job wrote."""

    uid: int
    gid: int
    keep_id: bool = False


@dataclass(frozen=True)
class ContainerPlan:
    """One container: ``job`` and ``out`` are folders of the host, ``seccomp`` a profile, or empty for the engine's own; ``gpus`` are UUIDs."""

    name: str
    labels: Mapping[str, str]
    image: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    limits: CommandLimits
    user: ContainerUser
    job: Path
    out: Path
    seccomp: str = ""
    gpus: Sequence[str] = ()


def create_command(engine: Engine, plan: ContainerPlan) -> list[str]:
    """``create`` with everything that holds the job."""
    limits = plan.limits
    scratch = max(limits.scratch_bytes, 4096)
    command = ["create", "--name", plan.name, "--pull", "never", "--hostname", "job"]
    for name, value in sorted(plan.labels.items()):
        command += ["--label", f"{name}={value}"]
    command += ["--network", "none", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
    if plan.seccomp:
        command += ["--security-opt", f"seccomp={plan.seccomp}"]
    command += ["--ipc", "private", "--user", f"{plan.user.uid}:{plan.user.gid}", "--read-only"]
    command += ["--memory", str(limits.memory_bytes), "--memory-swap", str(limits.memory_bytes)]
    command += ["--pids-limit", str(limits.processes + _SPARE_PROCESSES)]
    command += ["--ulimit", "core=0:0", "--ulimit", "nofile=4096:4096"]
    command += ["--ulimit", f"cpu={limits.cpu_s + 1}:{limits.cpu_s + 1}"]
    largest = max(limits.output_bytes, limits.scratch_bytes, 1)
    command += ["--ulimit", f"fsize={largest}:{largest}"]
    scratch_folder = f"/tmp:rw,nosuid,nodev,size={scratch},mode=1777"  # noqa: S108 - of the container
    command += ["--tmpfs", scratch_folder, "--shm-size", str(scratch)]
    command += ["--mount", f"type=bind,src={plan.job},dst=/job,ro", "--mount", f"type=bind,src={plan.out},dst=/out"]
    command += ["--workdir", "/job", "--log-driver", "none"]
    if engine.name == "podman":
        # Podman would mount writable folders of its own, hand the host's proxies on, and write health checks of the image.
        command += ["--read-only-tmpfs=false", "--http-proxy=false", "--no-healthcheck"]
        command += [
            "--ulimit",
            f"nproc={limits.processes + 64}:{limits.processes + 64}",
            "--timeout",
            str(limits.wall_s + 60),
        ]
        if plan.user.keep_id:
            command += ["--userns", "keep-id"]
    else:
        command += ["--no-healthcheck"]
        if engine.runtime:
            command += ["--runtime", engine.runtime]
    for name, value in plan.environment.items():
        command += ["--env", f"{name}={value}"]
    if plan.gpus and engine.name == "docker":
        command += ["--gpus", f'"device={",".join(plan.gpus)}"']
    for uuid in plan.gpus if engine.name == "podman" else ():
        command += ["--device", f"nvidia.com/gpu={uuid}"]
    # Whatever the image starts by itself is replaced by the job's own argument vector.
    return engine.command(*command, f"--entrypoint={plan.arguments[0]}", plan.image, *plan.arguments[1:])
