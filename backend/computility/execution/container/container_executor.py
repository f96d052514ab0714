"""``ContainerExecutor``: runs commands in OCI images that are named by digest, each in a container of its own, behind the walls of the sandbox."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Final

from computility.domain.environment_class import EnvironmentClass, config_hash_of
from computility.domain.errors import (
    ExecutorCrashed,
    ExecutorUnfit,
    JobFailed,
    JobMemoryExceeded,
    JobTimeExceeded,
    OutputTooLarge,
)
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.blocking_executor import Run
from computility.execution.command_executor import CommandBounds, CommandExecutor, billed_units, refuse_too_much
from computility.execution.container.container_command import ContainerPlan, ContainerUser, create_command
from computility.execution.container.container_usage import ContainerUsage
from computility.execution.container.engine import Engine, images_here, pull, remove_containers
from computility.execution.container.output_folder import OutputFolder
from computility.execution.container.seccomp_profile import write_hardened
from computility.execution.content_store import ContentStore
from computility.execution.executor import Capabilities, Execution, MeterSample, Prepared, execution_of
from computility.execution.gpu.card_pool import CardPool, HeldCards
from computility.execution.job_environment import job_environment
from computility.execution.job_files import write_job_file
from computility.execution.sandbox.self_test import prove_walls

HOST_VERSION: Final = 1
"""Raised with every change of what a job finds beside its image."""
_FIRST_USER: Final = 1_900_000_000
_USERS: Final = 2**24
_WATCH_S: Final = 0.2
_SAMPLE_S: Final = 1.0
_START_S: Final = 60.0
_UNMETERED_S: Final = 10.0
"""A job that has ended before may have had no control group yet; it costs one unit."""
_SAID: Final = 400
_LABEL: Final = "computility.agent"
_PROFILES: Final = (Path("/etc/containers/seccomp.json"), Path("/usr/share/containers/seccomp.json"))
_NOT_THERE: Final = ("executable file", "exec format error", 'exec: "')
"""How runtimes say that an image has no such program."""


class ContainerExecutor(CommandExecutor):
    """Runs ``container`` jobs.

    ``images`` are prefixes of image names that may be pulled, such as ``docker.io/library/``; other images run only where they are here already.
    ``probe`` is an image by digest with a shell in it, to prove the walls with; without one nothing is offered.
    """

    kind = "container"

    def __init__(
        self,
        engine: Engine,
        bounds: CommandBounds | None = None,
        *,
        probe: str,
        images: Sequence[str] = (),
        pull_s: float = 600.0,
        gpus: CardPool | None = None,
    ) -> None:
        super().__init__(bounds, gpus)
        self._engine = engine
        self._probe = probe
        self._images = tuple(images)
        self._pull_s = pull_s
        self._kept = tempfile.TemporaryDirectory(prefix="computility-containers-")
        self._folder = Path(self._kept.name)
        self._folder.chmod(0o711)
        self._seccomp = self._profile()

    @cached_property
    def environment(self) -> str:
        """The environment class: what surrounds the image. The image itself is named by the job."""
        return container_environment(self._gpus.toolset if self._gpus else None)

    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job here."""
        return replace(super().capabilities(), image=self._probe)

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run: another class, an image that is neither here nor allowed, more than this machine gives."""
        super().check(specification)
        assert isinstance(specification, TaskSpecification)
        if not specification.image.startswith(self._images or ("\0",)) and not images_here(
            self._engine, specification.image
        ):
            allowed = ", ".join(self._images) or "none"
            raise ExecutorUnfit(
                f"the image {specification.image} is not here, and may not be pulled (allowed: {allowed})"
            )

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """Check, fetch what the job names, and pull its image."""
        prepared = super().prepare(specification, content)
        assert isinstance(specification, TaskSpecification)
        if not images_here(self._engine, specification.image):
            pull(self._engine, specification.image, self._pull_s)
        return prepared

    def self_test(self) -> None:
        """End what an agent before this one left behind, then try to break out.

        Raises:
            ExecutorUnfit: something is not refused, or nothing runs or is metered; such an executor must not be offered.
        """
        self._sweep()
        if not images_here(self._engine, self._probe):
            pull(self._engine, self._probe, self._pull_s)
        prove_walls(self, kind="container", image=self._probe)

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        specification = prepared.specification
        assert isinstance(specification, TaskSpecification)
        limits = specification.limits
        assert isinstance(limits, CommandLimits)
        with self._held_cards(run, limits) as held, self._folders(prepared, limits) as (job, out):
            run.started = time.monotonic()
            container = _Container(self._engine, run, limits, out)
            plan = ContainerPlan(
                name=f"computility-{run.attempt}-{secrets.token_hex(4)}",
                labels={_LABEL: str(os.getpid())},
                image=specification.image,
                arguments=specification.arguments,
                environment=job_environment(run.attempt, specification),
                limits=limits,
                user=_user(self._engine),
                job=job,
                out=out.path,
                seccomp=self._seccomp,
                gpus=held.uuids if held else (),
            )
            streams = container.run(plan, held)
            outputs = {**out.read(), **streams}
        refuse_too_much(outputs, limits)
        units = billed_units(run, limits)
        return execution_of(specification.digest, self.environment, None, outputs, units=units)

    def _safeguards(self) -> Mapping[str, str]:
        engine = self._engine
        return {
            "engine": f"{engine.name} {engine.version}{' rootless' if engine.rootless else ''}",
            "runtime": engine.runtime or "the engine's",
            "network": "none",
            "root": "read-only",
            "seccomp": "the engine's, hardened" if self._seccomp else "the engine's",
            "output": "in memory, of bounded size" if os.geteuid() == 0 else "a folder, watched five times a second",
            "images": ", ".join(self._images) or "only those that are here",
        }

    @contextlib.contextmanager
    def _folders(self, prepared: Prepared, limits: CommandLimits) -> Iterator[tuple[Path, OutputFolder]]:
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            Path(name).chmod(0o711)
            job = Path(name) / "job"
            job.mkdir(mode=0o755)
            for path, data in prepared.files.items():
                file = job / path
                file.parent.mkdir(parents=True, exist_ok=True)
                write_job_file(file, data)
                for folder in file.relative_to(job).parents:
                    (job / folder).chmod(0o755)
            out = OutputFolder(Path(name) / "out", limits.output_bytes, limits.output_files)
            try:
                yield job, out
            finally:
                out.remove()

    def _profile(self) -> str:
        source = next((path for path in _PROFILES if path.is_file()), None)
        if self._engine.name != "podman" or source is None:
            return ""
        target = self._folder / "seccomp.json"
        write_hardened(source, target)
        return str(target)

    def _sweep(self) -> None:
        found = self._engine.ask("ps", "--all", "--quiet", "--filter", f"label={_LABEL}").split()
        form = f'{{{{index .Config.Labels "{_LABEL}"}}}}'
        listed = self._engine.ask("inspect", "--type", "container", "--format", form, *found) if found else ""
        for agent in {line.strip() for line in listed.splitlines() if line.strip().isdecimal()}:
            if not Path(f"/proc/{agent}").exists():
                remove_containers(self._engine, [f"{_LABEL}={agent}"])


class _Container:
    """One container: made, started, watched, removed."""

    def __init__(self, engine: Engine, run: Run, limits: CommandLimits, out: OutputFolder) -> None:
        self._engine = engine
        self._run = run
        self._limits = limits
        self._out = out
        self._streams = {"stdout": bytearray(), "stderr": bytearray()}
        self._overflowed = threading.Event()

    def run(self, plan: ContainerPlan, cards: HeldCards | None) -> dict[str, bytes]:
        """What it said on standard output and error, where it said anything.

        Raises:
            JobFailed: it ended with another exit code than 0.
            ExecutorFailed: too long, too much memory, cancelled, or it never started.
        """
        engine = self._engine
        try:
            made = engine.ask(*create_command(engine, plan)[len(engine.command()) :]).strip()
            with self._run.stopped_by(lambda: self._kill(plan.name)):
                self._watched(plan.name, made, cards)
            state = engine.state(plan.name)
            return self._ended(state)
        finally:
            with contextlib.suppress(ExecutorCrashed):
                engine.ask("rm", "--force", plan.name)

    def _watched(self, name: str, container: str, cards: HeldCards | None) -> None:
        end = self._run.started + self._limits.wall_s
        meter = cards.meter(lambda _: True) if cards else None
        uuids = cards.uuids if cards else ()
        usage: ContainerUsage | None = None
        next_sample = 0.0
        seen_at: list[float] = []
        with subprocess.Popen(
            self._engine.command("start", "--attach", name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._engine.environment(),
            # Where a job runs out of memory, the engine's monitor writes a file of that name into its working directory.
            cwd=self._out.path.parent,
            start_new_session=True,
        ) as attached:
            listeners = [
                threading.Thread(target=self._listen, args=(stream, self._streams[which]), daemon=True)
                for which, stream in (("stdout", attached.stdout), ("stderr", attached.stderr))
            ]
            for listener in listeners:
                listener.start()
            try:
                while attached.poll() is None:
                    self._check(end, usage)
                    if usage is None or not usage.readable:
                        pid = int(self._engine.state(name).get("Pid") or 0)
                        if pid:
                            seen_at.append(time.monotonic())
                        usage = ContainerUsage(pid, container) if pid else None
                    if usage is not None and time.monotonic() >= next_sample:
                        energy = (meter.use().energy_mj if meter else None) or 0
                        self._run.sample(
                            MeterSample(self._run.elapsed_ms(), *usage.now(), energy_mj=energy, cards=uuids)
                        )
                        next_sample = time.monotonic() + _SAMPLE_S
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        attached.wait(_WATCH_S)
            except BaseException:
                self._kill(name)
                attached.kill()
                raise
            for listener in listeners:
                listener.join(_START_S)
        # Only what was seen to run counts: on a busy machine an engine takes its time before and after.
        unmetered_s = seen_at[-1] - seen_at[0] if seen_at else 0.0
        if (usage is None or not usage.metered) and unmetered_s > _UNMETERED_S:
            raise ExecutorCrashed(
                f"{self._engine.name} gives its containers no control group that can be read: nothing is metered"
            )
        spent = usage.now()[0] if usage else 0
        energy = (meter.use().energy_mj if meter else None) or 0
        self._run.sample(MeterSample(self._run.elapsed_ms(), spent, energy_mj=energy, cards=uuids))

    def _check(self, end: float, usage: ContainerUsage | None) -> None:
        if time.monotonic() >= end:
            raise JobTimeExceeded(f"the job took longer than the {self._limits.wall_s} s that it may")
        if usage is not None and usage.now()[0] > self._limits.cpu_s * 1000:
            raise JobTimeExceeded(f"the job took more processor time than the {self._limits.cpu_s} s that it may")
        if self._overflowed.is_set():
            raise OutputTooLarge(
                f"the job said more than the {self._limits.output_bytes} bytes that it may: allow more output"
            )
        self._out.check()

    def _ended(self, state: Mapping[str, object]) -> dict[str, bytes]:
        code = int(str(state.get("ExitCode") or 0))
        said = self._streams["stderr"][-_SAID:].decode(errors="replace").strip()
        if state.get("OOMKilled"):
            raise JobMemoryExceeded(f"the job used more than the {self._limits.memory_bytes} bytes that it may")
        if str(state.get("StartedAt") or "0001").startswith("0001"):
            why = f"{state.get('Error') or ''} {said}".strip()
            if any(reason in why.lower() for reason in _NOT_THERE):
                raise JobFailed(f"the image does not start the command: {why[-_SAID:]}")
            raise ExecutorCrashed(f"the container did not start: {why[-_SAID:]}")
        if self._overflowed.is_set():
            raise OutputTooLarge(f"the job said more than the {self._limits.output_bytes} bytes that it may")
        if code:
            raise JobFailed(f"the command ended with exit code {code}" + (f" and said: {said}" if said else ""))
        return {name: bytes(data) for name, data in self._streams.items() if data}

    def _listen(self, stream: IO[bytes], kept: bytearray) -> None:
        while chunk := stream.read1(65536):  # type: ignore[attr-defined]  # a pipe is a BufferedReader
            if len(kept) + len(chunk) > self._limits.output_bytes + _SAID:
                self._overflowed.set()
                continue
            kept += chunk

    def _kill(self, name: str) -> None:
        with contextlib.suppress(ExecutorCrashed):
            self._engine.ask("kill", name)


def container_environment(toolset: Mapping[str, str] | None = None) -> str:
    """The environment class of container jobs on this machine."""
    machine = platform.machine()
    settings = {"host_version": HOST_VERSION, "machine": machine, "toolset": dict(toolset or {})}
    runtime = f"container-linux-{machine}".lower().replace("_", "-")
    return str(EnvironmentClass(runtime, "oci", config_hash_of(settings)))


def _user(engine: Engine) -> ContainerUser:
    """A user of the job's own where the agent can still read what it wrote; else the agent's, in a namespace where there is one."""
    if os.geteuid() == 0 and not engine.rootless:
        user = _FIRST_USER + secrets.randbelow(_USERS)
        return ContainerUser(user, user)
    if engine.name == "docker" and engine.rootless:
        return ContainerUser(0, 0)
    return ContainerUser(os.getuid(), os.getgid(), keep_id=engine.rootless)
