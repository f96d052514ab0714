"""``KubernetesExecutor``: a provider's Kubernetes cluster. Each attempt is a Job of the attempt's name, so an agent that was killed finds it again.

Standard error comes with standard output, as clusters log them together. A job is billed the processors that were reserved for it by the clock, as
no cluster has to say what a container used. Both set it apart from containers on one machine, so it has an environment class of its own.
"""

from __future__ import annotations

import contextlib
import math
import platform
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from computility.domain.environment_class import EnvironmentClass, config_hash_of
from computility.domain.errors import (
    ExecutorBusy,
    ExecutorCrashed,
    ExecutorFailed,
    ExecutorUnfit,
    JobFailed,
    JobMemoryExceeded,
    JobTimeExceeded,
    RunCancelled,
    WallClockExceeded,
)
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.blocking_executor import Run
from computility.execution.command_executor import CommandBounds, CommandExecutor, billed_units, refuse_too_much
from computility.execution.executor import Capabilities, Execution, MeterSample, Prepared, execution_of
from computility.execution.job_environment import job_environment
from computility.execution.kubernetes.cluster import KubernetesApi, KubernetesCluster
from computility.execution.kubernetes.manifests import ARCHIVE, CARDS, GPU, JOB, PodPlan, job_manifest
from computility.execution.kubernetes.pod_state import PodState, pod_state
from computility.execution.kubernetes.walls import prove_pod_walls
from computility.execution.sandbox.output_archive import longest_archive, read_output_archive
from computility.execution.spool import Spool, SpooledAttempt

HOST_VERSION: Final = 1
"""Raised with every change of what a job finds beside its image."""
_FIRST_USER: Final = 1_900_000_000
_USERS: Final = 2**24
_PULL_S: Final = 600.0
_SILENT_S: Final = 300.0
"""How long the cluster may not answer before a job that runs is given up."""
_ARRIVES_S: Final = 30.0
"""How long a shared volume may take to show what a pod wrote."""
_SAID: Final = 400
_MAX_CARDS: Final = 65_536
_UUID: Final = re.compile(r"(?:GPU|MIG)-[0-9a-f-]{36}")
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


class KubernetesExecutor(CommandExecutor):
    """Runs ``container`` jobs on a cluster."""

    kind = "container"

    def __init__(
        self,
        cluster: KubernetesCluster,
        bounds: CommandBounds | None = None,
        api: KubernetesApi | None = None,
        *,
        toolset: Mapping[str, str] | None = None,
    ) -> None:
        """``toolset`` names what machines have beside the image, like ``gpu`` and ``nvidia-driver``: part of the environment class."""
        super().__init__(bounds)
        self._toolset = dict(toolset or {})
        self._cluster = cluster
        self._api = api or KubernetesApi(cluster)
        self._spool = Spool(cluster.shared)

    @cached_property
    def environment(self) -> str:
        """The environment class: what surrounds the image, on machines of this one's processor. The image itself is named by the job."""
        machine = platform.machine()
        settings: dict[str, Any] = {"host_version": HOST_VERSION, "machine": machine}
        if self._toolset:
            settings["toolset"] = self._toolset
        runtime = f"container-linux-{machine}".lower().replace("_", "-")
        return str(EnvironmentClass(runtime, "kubernetes", config_hash_of(settings)))

    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job there."""
        return replace(super().capabilities(), image=self._cluster.probe)

    def check(self, specification: Specification) -> None:
        """Refuse what the cluster must not run: another class, an image that is not allowed, more than a job may ask for."""
        super().check(specification)
        assert isinstance(specification, TaskSpecification)
        if specification.image != self._cluster.probe and not specification.image.startswith(
            self._cluster.images or ("\0",)
        ):
            allowed = ", ".join(self._cluster.images) or "none"
            raise ExecutorUnfit(f"the image {specification.image} may not be used here (allowed: {allowed})")

    def self_test(self) -> None:
        """Deny jobs the network, and try to break out of a pod.

        Raises:
            ExecutorUnfit: something is not refused, or nothing runs; such a cluster must not be offered.
        """
        try:
            self._api.deny_network()
        except ExecutorFailed as error:
            raise ExecutorUnfit(f"the cluster takes no network policy: {error}") from error
        gpus = min(1, self._bounds.gpus)
        if gpus and self._api.most_gpus() == 0:
            raise ExecutorUnfit(f"no machine of the cluster has a {GPU}: is NVIDIA's device plugin installed?")
        prove_pod_walls(self, self._cluster.probe, gpus)

    def _safeguards(self) -> dict[str, str]:
        return {
            "network": "none, by a policy that was tried",
            "root": "read-only",
            "seccomp": "the runtime's default",
            "runtime": self._cluster.runtime_class or "the cluster's",
            "processes": "as many as the machines' podPidsLimit allows",
            "images": ", ".join(self._cluster.images) or "only the probe",
        }

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        specification = prepared.specification
        assert isinstance(specification, TaskSpecification)
        limits = specification.limits
        assert isinstance(limits, CommandLimits)
        name = f"computility-{run.attempt}"
        spooled = self._spool.of(run.attempt)
        _make_readable(spooled, prepared)
        cpus = min(self._cluster.cpus, max(1, -(-limits.cpu_s // limits.wall_s)))
        try:
            self._api.create(job_manifest(self._plan(name, run, specification, limits, cpus)))
            with run.stopped_by(lambda: self._end(name)):
                state = self._watched(run, name, limits, cpus)
                said = self._api.log(state.pod, JOB, limits.output_bytes + 1)
                _refuse_a_fault(state, said)
                outputs = self._outputs(spooled, limits)
                cards = _cards(spooled) if limits.gpus else ()
        finally:
            self._end(name)
            spooled.remove()
        if said:
            outputs["stdout"] = said
        refuse_too_much(outputs, limits)
        run.sample(replace(_sample(run, state.ran_s or 0.0, cpus), cards=cards))
        units = billed_units(run, limits)
        return execution_of(specification.digest, self.environment, None, outputs, units=units)

    def _watched(self, run: Run, name: str, limits: CommandLimits, cpus: int) -> PodState:
        """The state when the job's container has ended, and what it wrote is handed over."""
        began = heard_at = seen_running_at = time.monotonic()
        while not run.cancelled.wait(self._cluster.poll_s):
            try:
                state = pod_state(self._api.job(name), self._api.pods(name), datetime.now(UTC))
                heard_at = time.monotonic()
            except ExecutorFailed:
                # An API server may be restarted while pods run on.
                if time.monotonic() - heard_at > _SILENT_S:
                    raise
                continue
            if state.running_s is not None:
                seen_running_at = time.monotonic()
                run.sample(_sample(run, state.running_s, cpus))
                if state.running_s > limits.wall_s:
                    raise JobTimeExceeded(f"the job took longer than the {limits.wall_s} s that it may")
            if state.collected or state.exit_code or state.not_started:
                return state
            if state.failed == "DeadlineExceeded":
                raise WallClockExceeded("the cluster ended the job: it took longer than it may")
            if state.failed:
                raise ExecutorCrashed(f"the cluster gave the job up: {state.failed} {state.reason}".rstrip())
            waited = time.monotonic() - began
            if state.not_pulled and waited > _PULL_S:
                raise ExecutorUnfit(f"the image cannot be fetched: {state.fault[:_SAID]}")
            idle = time.monotonic() - seen_running_at
            if state.not_begun and not state.placed and idle > self._cluster.queue_s:
                # Its pod may be there for long: one that fits no machine waits for one.
                raise ExecutorBusy(f"no machine of the cluster was free for {self._cluster.queue_s:g} s")
            if state.not_begun and idle > self._cluster.queue_s + _PULL_S:
                why = state.fault[:_SAID] or "the cluster does not say why"
                raise ExecutorUnfit(f"the job's container does not begin: {why}")
        raise RunCancelled(f"attempt {run.attempt} was cancelled")

    def _plan(self, name: str, run: Run, specification: TaskSpecification, limits: CommandLimits, cpus: int) -> PodPlan:
        cluster = self._cluster
        architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
        return PodPlan(
            name=name,
            image=specification.image,
            collector=cluster.collector,
            arguments=specification.arguments,
            environment=job_environment(run.attempt, specification),
            limits=limits,
            cpus=cpus,
            user=_FIRST_USER + secrets.randbelow(_USERS),
            claim=cluster.claim,
            queue_s=math.ceil(cluster.queue_s),
            folder=str(run.attempt),
            runtime_class=cluster.runtime_class,
            node_selector={"kubernetes.io/arch": architecture, "kubernetes.io/os": "linux", **cluster.node_selector},
        )

    def _outputs(self, spooled: SpooledAttempt, limits: CommandLimits) -> dict[str, bytes]:
        archive = spooled.folder / "hand-over" / ARCHIVE
        give_up = time.monotonic() + _ARRIVES_S
        while not archive.is_file():
            if time.monotonic() > give_up:
                raise ExecutorCrashed(
                    "the pod handed nothing over: is the claim's volume the folder that the settings share?"
                )
            time.sleep(0.2)
        if archive.stat().st_size > longest_archive(limits.output_bytes, limits.output_files):
            raise ExecutorCrashed("the pod hands over more than the job could write")
        return read_output_archive(archive.read_bytes(), limits.output_bytes, limits.output_files)

    def _end(self, name: str) -> None:
        with contextlib.suppress(ExecutorFailed):
            self._api.delete(name)


def _cards(spooled: SpooledAttempt) -> tuple[str, ...]:
    """The cards that the cluster gave, as far as its device plugin names them by UUID."""
    try:
        said = (spooled.folder / "hand-over" / CARDS).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ()
    return tuple(name for name in said[:_MAX_CARDS].split(",") if _UUID.fullmatch(name))


def _make_readable(spooled: SpooledAttempt, prepared: Prepared) -> None:
    """Files for a user of the job's own, who owns nothing; a place for what the collecting container, which is that user, hands over."""
    spooled.write(prepared, {})
    spooled.folder.chmod(0o711)
    files = spooled.folder / "files"
    for path in (files, *files.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o555)
    hand_over = spooled.folder / "hand-over"
    hand_over.mkdir(exist_ok=True)
    hand_over.chmod(0o777)


def _refuse_a_fault(state: PodState, said: bytes) -> None:
    if state.reason == "OOMKilled":
        raise JobMemoryExceeded("the job used more memory than it may")
    if state.not_started:
        raise JobFailed(f"the image does not start the command: {(state.fault or state.reason)[:_SAID]}")
    if state.exit_code:
        last = said[-_SAID:].decode(errors="replace").strip()
        raise JobFailed(f"the command ended with exit code {state.exit_code}" + (f" and said: {last}" if last else ""))


def _sample(run: Run, seconds: float, cpus: int) -> MeterSample:
    at_ms = round(seconds * 1000)
    return MeterSample(max(at_ms, run.samples[-1].at_ms if run.samples else 0), cpus * at_ms)
