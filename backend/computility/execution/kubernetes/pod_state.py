"""Where an attempt stands, read from what a cluster says of its Job and its pod. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from computility.execution.kubernetes.manifests import COLLECT, JOB

_CANNOT_PULL: Final = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
)
_CANNOT_START: Final = ("StartError", "ContainerCannotRun", "CreateContainerError", "RunContainerError")


@dataclass(frozen=True)
class PodState:
    """``running_s`` and ``ran_s`` are seconds since the job's container began, and from its beginning to its end. ``fault`` says why it cannot begin.
    ``exit_code`` is None before its end. ``failed`` is why the cluster gave the attempt up; empty while it has not. ``placed``: it has a machine."""

    pod: str = ""
    running_s: float | None = None
    ran_s: float | None = None
    exit_code: int | None = None
    reason: str = ""
    fault: str = ""
    collected: bool = False
    failed: str = ""
    placed: bool = False

    @property
    def not_begun(self) -> bool:
        """Whether the job's container neither runs nor has run."""
        return self.running_s is None and self.exit_code is None

    @property
    def not_pulled(self) -> bool:
        """Whether its image cannot be fetched."""
        return self.fault.split(":")[0] in _CANNOT_PULL

    @property
    def not_started(self) -> bool:
        """Whether its image does not start the command: the job's own fault."""
        return self.fault.split(":")[0] in _CANNOT_START or self.reason in _CANNOT_START


def pod_state(job: dict[str, Any] | None, pods: list[dict[str, Any]], now: datetime) -> PodState:
    """The state of an attempt, by its youngest pod."""
    if job is None:
        return PodState(failed="deleted")
    status = job.get("status") or {}
    failed = next(
        (
            str(condition.get("reason") or "Failed")
            for condition in status.get("conditions") or ()
            if condition.get("type") in ("Failed", "FailureTarget") and condition.get("status") == "True"
        ),
        "",
    )
    if not pods:
        return PodState(failed=failed)
    pod = pods[-1]
    said = pod.get("status") or {}
    ran = _container(said.get("initContainerStatuses"), JOB)
    packed = _container(said.get("containerStatuses"), COLLECT)
    state, packing = ran.get("state") or {}, packed.get("state") or {}
    waiting, running, ended = (state.get(name) or {} for name in ("waiting", "running", "terminated"))
    stuck = waiting or (packing.get("waiting") or {})
    fault = f"{stuck['reason']}: {stuck.get('message') or ''}" if stuck.get("reason") else ""
    return PodState(
        pod=str(pod["metadata"]["name"]),
        running_s=(now - _time(running["startedAt"])).total_seconds() if running.get("startedAt") else None,
        ran_s=_between(ended),
        exit_code=int(ended["exitCode"]) if "exitCode" in ended else None,
        reason=str(ended.get("reason") or ""),
        fault=fault,
        placed=bool((pod.get("spec") or {}).get("nodeName")) or bool(said.get("initContainerStatuses")),
        collected=(packing.get("terminated") or {}).get("exitCode") == 0,
        failed=failed or ("Evicted" if said.get("reason") == "Evicted" and status.get("active", 0) == 0 else ""),
    )


def _container(statuses: list[dict[str, Any]] | None, name: str) -> dict[str, Any]:
    return next((entry for entry in statuses or () if entry.get("name") == name), {})


def _between(ended: dict[str, Any]) -> float | None:
    if not ended.get("startedAt") or not ended.get("finishedAt"):
        return 0.0 if "exitCode" in ended else None
    return (_time(ended["finishedAt"]) - _time(ended["startedAt"])).total_seconds()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
