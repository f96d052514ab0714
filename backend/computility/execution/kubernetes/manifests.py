"""What is asked of a Kubernetes cluster: one Job an attempt with everything that holds it, and one policy that denies all jobs the network.

A pod runs the job's image first, as an init container; when that has ended, a trusted image packs what it wrote into the shared volume. Where the job
has GPUs, the trusted image runs before it too, with the same cards, and writes down which they are: Kubernetes gives an init container's devices to
those that follow, and NVIDIA's device plugin names them in the environment. The job's
container mounts its own files read-only and memory of bounded size, and nothing that outlasts it. Field names: Kubernetes API batch/v1,
networking.k8s.io/v1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from computility.domain.task_specification import CommandLimits

MANAGED: Final = {"app.kubernetes.io/managed-by": "computility"}
JOB, COLLECT, CARDS = "job", "collect", "cards"
GPU: Final = "nvidia.com/gpu"
ARCHIVE: Final = "outputs.tar"
SPARE_S: Final = 300
"""For pulling the image and collecting: the cluster's deadline has to come after the agent's."""
_KEPT_S: Final = 86_400
_LOST_PODS: Final = 3
_MIB: Final = 1024**2
# Packed under another name first, so that an archive that is there is whole.
_NAME_CARDS: Final = 'printf %s "$NVIDIA_VISIBLE_DEVICES" > /hand-over/cards'
_PACK: Final = f"tar -C /out -cf /hand-over/{ARCHIVE}.partial . && mv /hand-over/{ARCHIVE}.partial /hand-over/{ARCHIVE}"


@dataclass(frozen=True)
class PodPlan:
    """One attempt: ``folder`` is its folder in the shared volume, ``claim`` that volume's claim. ``user`` is a user id that owns nothing.
    ``queue_s`` are seconds for which it may wait for a machine."""

    name: str
    image: str
    collector: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    limits: CommandLimits
    cpus: int
    user: int
    claim: str
    folder: str
    runtime_class: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    queue_s: int = 0


def network_policy() -> dict[str, Any]:
    """No job's pod may talk or be talked to. Whether that holds is the network plug-in's: the self-test tries."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "computility-no-network", "labels": dict(MANAGED)},
        "spec": {"podSelector": {"matchLabels": dict(MANAGED)}, "policyTypes": ["Ingress", "Egress"]},
    }


def job_manifest(plan: PodPlan) -> dict[str, Any]:
    """The Job of an attempt. A pod that its machine took along is placed again; a job's own fault ends it."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": plan.name, "labels": dict(MANAGED)},
        "spec": {
            # The agent gives up before; this is for when there is no agent.
            "activeDeadlineSeconds": plan.queue_s + (_LOST_PODS + 1) * (plan.limits.wall_s + SPARE_S),
            "backoffLimit": _LOST_PODS,
            "completions": 1,
            "parallelism": 1,
            "ttlSecondsAfterFinished": _KEPT_S,
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": JOB, "operator": "NotIn", "values": [0]},
                    },
                ]
            },
            "template": {"metadata": {"labels": dict(MANAGED)}, "spec": _pod(plan)},
        },
    }


def _pod(plan: PodPlan) -> dict[str, Any]:
    limits = plan.limits
    scratch, output = max(limits.scratch_bytes, 4096), limits.output_bytes + 4096 * (limits.output_files + 8)
    pod: dict[str, Any] = {
        "activeDeadlineSeconds": limits.wall_s + SPARE_S,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "hostNetwork": False,
        "hostPID": False,
        "hostIPC": False,
        "hostname": "job",
        "restartPolicy": "Never",
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": plan.user,
            "runAsGroup": plan.user,
            "supplementalGroups": [],
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            {
                "name": JOB,
                "image": plan.image,
                "imagePullPolicy": "IfNotPresent",
                # Whatever the image starts by itself is replaced by the job's own argument vector.
                "command": list(plan.arguments),
                "workingDir": "/job",
                "env": [{"name": name, "value": value} for name, value in sorted(plan.environment.items())],
                # Files in memory count as memory of whoever wrote them.
                "resources": _resources(plan.cpus * 1000, limits.memory_bytes + 2 * scratch + output),
                "securityContext": _holds(),
                "terminationMessagePolicy": "File",
                "volumeMounts": [
                    {
                        "name": "shared",
                        "mountPath": "/job",
                        "subPath": f"{plan.folder}/files",
                        "readOnly": True,
                    },
                    {"name": "out", "mountPath": "/out"},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container
                    {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - of the container
                ],
            }
        ],
        "containers": [
            {
                "name": COLLECT,
                "image": plan.collector,
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/sh", "-c", _PACK],
                "resources": _resources(100, 32 * _MIB + output),
                "securityContext": _holds(),
                "volumeMounts": [
                    {"name": "out", "mountPath": "/out", "readOnly": True},
                    {"name": "shared", "mountPath": "/hand-over", "subPath": f"{plan.folder}/hand-over"},
                ],
            }
        ],
        "volumes": [
            {"name": "shared", "persistentVolumeClaim": {"claimName": plan.claim}},
            {"name": "out", "emptyDir": {"medium": "Memory", "sizeLimit": str(output)}},
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": str(scratch)}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": str(scratch)}},
        ],
    }
    if limits.gpus:
        job = pod["initContainers"][0]
        for amounts in job["resources"].values():
            amounts[GPU] = str(limits.gpus)
        pod["initContainers"].insert(0, _naming_cards(plan))
        # What keeps others off such machines.
        pod["tolerations"] = [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}]
    if plan.runtime_class:
        pod["runtimeClassName"] = plan.runtime_class
    if plan.node_selector:
        pod["nodeSelector"] = dict(plan.node_selector)
    return pod


def _naming_cards(plan: PodPlan) -> dict[str, Any]:
    resources = _resources(plan.cpus * 1000, 32 * _MIB)
    for amounts in resources.values():
        amounts[GPU] = str(plan.limits.gpus)
    return {
        "name": CARDS,
        "image": plan.collector,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", _NAME_CARDS],
        "resources": resources,
        "securityContext": _holds(),
        "volumeMounts": [{"name": "shared", "mountPath": "/hand-over", "subPath": f"{plan.folder}/hand-over"}],
    }


def _holds() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _resources(millicpus: int, memory_bytes: int) -> dict[str, Any]:
    amounts = {"cpu": f"{millicpus}m", "memory": str(memory_bytes), "ephemeral-storage": str(64 * _MIB)}
    # Asked for is what may be used: nothing of another's is crowded out, and the pod is the last to be evicted.
    return {"requests": dict(amounts), "limits": dict(amounts)}
