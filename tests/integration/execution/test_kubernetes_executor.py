"""Kubernetes, against a recorded API (no cluster runs here): the Job that holds an attempt, and an attempt's life through the official client.

a Job
├── has no network, no token, no privilege, a read-only root, bounded memory and time; its image by digest; nothing of the agent's
└── is placed again when its machine went, and ends with the job's own fault
an attempt
├── runs, hands out what it wrote and said, is billed its processors by the clock, and leaves nothing on the cluster or in the folder
├── at fault, out of images, too long, cancelled: each is told as what it is
├── survives an API server that fails for a while
├── with GPUs reports which cards the cluster gave; a cluster without any is refused
├── that an agent before this one submitted is watched, not submitted again
└── of an image that is not allowed is refused before anything is asked of the cluster
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.execution.recorded_kubernetes import RecordedCluster, recorded_cluster
from tests.integration.execution.sandbox_bench import LIMITS, SEED, needs_bubblewrap

from computility.domain.content_id import content_id_of
from computility.domain.errors import (
    ExecutorBusy,
    ExecutorCrashed,
    ExecutorUnfit,
    HostMemoryExhausted,
    JobFailed,
    RunCancelled,
    WallClockExceeded,
)
from computility.domain.identifiers import bytes32
from computility.domain.job_specification import InputFile
from computility.domain.task_specification import TaskSpecification
from computility.execution.blocking_executor import Run
from computility.execution.command_executor import CommandBounds
from computility.execution.content_store import FileContentStore
from computility.execution.executor import AttemptId, RunState
from computility.execution.kubernetes import kubernetes_executor
from computility.execution.kubernetes.cluster import KubernetesCluster
from computility.execution.kubernetes.kubernetes_executor import KubernetesExecutor, _refuse_a_fault
from computility.execution.kubernetes.manifests import PodPlan, job_manifest, network_policy
from computility.execution.kubernetes.pod_state import PodState, pod_state

needs_client = pytest.mark.skipif(
    importlib.util.find_spec("kubernetes") is None, reason="pip install 'computility[kubernetes]'"
)
IMAGE = "registry.example/tools@sha256:" + "ab" * 32
PROBE = "registry.example/probe@sha256:" + "cd" * 32
PLAN = PodPlan(
    "computility-1", IMAGE, PROBE, ("/bin/true",), {"TZ": "UTC"}, LIMITS, 2, 1_900_000_001, "spool", "x-1", "gvisor"
)


def attempt(number: int) -> AttemptId:
    """An attempt at a job of its own."""
    return AttemptId(bytes32(bytes([number]) * 32), 1)


def test_job__holds_an_attempt_by_every_refusal() -> None:
    spec = job_manifest(PLAN)["spec"]
    pod = spec["template"]["spec"]
    (job,), (collect,) = pod["initContainers"], pod["containers"]
    assert not any(
        pod[name]
        for name in ("automountServiceAccountToken", "enableServiceLinks", "hostNetwork", "hostPID", "hostIPC")
    )
    assert pod["restartPolicy"] == "Never"
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert LIMITS.wall_s < pod["activeDeadlineSeconds"] <= LIMITS.wall_s + 300
    for container in (job, collect):
        context = container["securityContext"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert not context["privileged"]
        assert container["resources"]["limits"] == container["resources"]["requests"]
        assert "@sha256:" in container["image"]
    assert job["resources"]["limits"]["cpu"] == "2000m"
    assert {mount["mountPath"]: mount.get("readOnly", False) for mount in job["volumeMounts"]} == {
        "/job": True, "/out": False, "/tmp": False, "/dev/shm": False,
    }  # fmt: skip
    assert all(
        volume["emptyDir"]["medium"] == "Memory" and int(volume["emptyDir"]["sizeLimit"]) > 0
        for volume in pod["volumes"]
        if "emptyDir" in volume
    )
    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["Ignore", "FailJob"]
    policy = network_policy()["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy
    assert policy["podSelector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_job__with_gpus__asks_for_them_and_has_a_trusted_image_name_them_first() -> None:
    pod = job_manifest(replace(PLAN, limits=replace(LIMITS, gpus=2)))["spec"]["template"]["spec"]
    names, job = pod["initContainers"]
    for container in (names, job):
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "2"
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert (names["image"], job["image"]) == (PROBE, IMAGE)
    assert names["securityContext"] == job["securityContext"]
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    (collect,) = pod["containers"]
    assert "nvidia.com/gpu" not in collect["resources"]["limits"]
    assert "tolerations" not in job_manifest(PLAN)["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (PodState(exit_code=137, reason="OOMKilled"), HostMemoryExhausted),
        (PodState(exit_code=128, reason="StartError"), JobFailed),
        (PodState(exit_code=3, reason="Error"), JobFailed),
    ],
)
def test_fault__is_told_as_what_it_is(state: PodState, error: type[Exception]) -> None:
    with pytest.raises(error):
        _refuse_a_fault(state, b"no luck")


def test_state__is_read_from_the_youngest_pod() -> None:
    now = datetime(2026, 1, 1, 0, 0, 9, tzinfo=UTC)
    assert pod_state(None, [], now).failed == "deleted"
    waiting = {"name": "job", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "back-off"}}}
    pod: dict[str, Any] = {"metadata": {"name": "a"}, "status": {"initContainerStatuses": [waiting]}}
    assert pod_state({}, [pod], now).not_pulled
    running = {"name": "job", "state": {"running": {"startedAt": "2026-01-01T00:00:02Z"}}}
    assert pod_state({}, [{**pod, "status": {"initContainerStatuses": [running]}}], now).running_s == 7
    over = {"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}}
    assert pod_state(over, [pod], now).failed == "DeadlineExceeded"


class Unplaced:
    """A cluster whose Job has a pod that fits no machine."""

    def __init__(self, **status: Any) -> None:
        self._pod = {"metadata": {"name": "a"}, "spec": {}, "status": {"phase": "Pending", **status}}

    def job(self, _: str) -> dict[str, Any]:
        return {"status": {"active": 1}}

    def pods(self, _: str) -> list[dict[str, Any]]:
        return [self._pod]


def test_attempt__whose_pod_fits_no_machine__is_given_up_when_it_has_waited_long_enough(tmp_path: Path) -> None:
    settings = KubernetesCluster("lab", "spool", tmp_path, PROBE, PROBE, poll_s=0.01, queue_s=0.05)
    executor = KubernetesExecutor(settings, api=Unplaced())  # type: ignore[arg-type]  # all that is asked of it
    with pytest.raises(ExecutorBusy, match="no machine"):
        executor._watched(Run(attempt(99)), "computility-99", LIMITS, 1)


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "NeverHeardOf"])
def test_attempt__whose_container_does_not_begin__is_given_up_with_what_the_cluster_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr(kubernetes_executor, "_PULL_S", 0.05)
    settings = KubernetesCluster("lab", "spool", tmp_path, PROBE, PROBE, poll_s=0.01, queue_s=0.05)
    waiting = [{"name": "job", "state": {"waiting": {"reason": reason, "message": "no such secret"}}}]
    executor = KubernetesExecutor(settings, api=Unplaced(initContainerStatuses=waiting))  # type: ignore[arg-type]  # as above
    with pytest.raises(ExecutorUnfit, match=f"{reason}: no such secret"):
        executor._watched(Run(attempt(98)), "computility-98", LIMITS, 1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[RecordedCluster, KubernetesExecutor]]:
    """A recorded cluster, and an agent's executor."""
    with recorded_cluster(tmp_path / "volume") as (recorded, kubeconfig):
        settings = KubernetesCluster(
            "lab", "spool", tmp_path / "volume", PROBE, PROBE, ("registry.example/",), kubeconfig, poll_s=0.1
        )
        yield recorded, KubernetesExecutor(settings)


def specification(
    executor: KubernetesExecutor, *arguments: str, wall_s: int = 60, image: str = IMAGE
) -> TaskSpecification:
    """A command on the file ``words``."""
    given = InputFile("words", content_id_of(b"hello"), 5)
    limits = replace(LIMITS, wall_s=wall_s)
    return TaskSpecification("container", executor.environment, (), arguments, (given,), limits, 7, SEED, image=image)


def start(executor: KubernetesExecutor, number: int, job: TaskSpecification, folder: Path) -> AttemptId:
    """Start an attempt."""
    content = FileContentStore(str(folder / "content"), 10**6)
    content.put(b"hello")
    executor.start(attempt(number), executor.prepare(job, content))
    return attempt(number)


@needs_client
@needs_bubblewrap
def test_attempt__from_submission_to_result(
    cluster: tuple[RecordedCluster, KubernetesExecutor], tmp_path: Path
) -> None:
    recorded, executor = cluster
    job = specification(
        executor, "/bin/sh", "-c", "tr a-z A-Z < words > /out/loud; echo $COMPUTILITY_CLOCK; echo no >&2"
    )
    recorded.failing = 1000
    with pytest.raises(ExecutorBusy, match="503"):
        executor.collect(start(executor, 9, job, tmp_path))
    recorded.failing = 0
    running = start(executor, 1, job, tmp_path)
    give_up = time.monotonic() + 60
    while not recorded.jobs and executor.status(running) is RunState.RUNNING:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    recorded.failing = 3
    execution = executor.collect(running)
    assert execution.outputs == {"loud": b"HELLO", "stdout": b"7\nno\n"}
    assert execution.units >= 1
    assert execution.samples
    assert recorded.jobs == {}
    assert list((tmp_path / "volume").iterdir()) == []


@needs_client
@needs_bubblewrap
def test_attempt__that_goes_wrong__is_told_as_what_it_is(
    cluster: tuple[RecordedCluster, KubernetesExecutor], tmp_path: Path
) -> None:
    recorded, executor = cluster
    failing = start(executor, 2, specification(executor, "/bin/sh", "-c", "echo no luck; exit 3"), tmp_path)
    with pytest.raises(JobFailed, match="exit code 3 and said: no luck"):
        executor.collect(failing)
    slow = start(executor, 3, specification(executor, "sleep", "60", wall_s=1), tmp_path)
    with pytest.raises(WallClockExceeded):
        executor.collect(slow)
    cancelled = start(executor, 4, specification(executor, "sleep", "60"), tmp_path)
    executor.cancel(cancelled)
    with pytest.raises((RunCancelled, ExecutorCrashed)):
        executor.collect(cancelled)
    recorded.fault = {"reason": "CreateContainerError", "message": "no such file"}
    with pytest.raises(JobFailed, match="does not start"):
        executor.collect(start(executor, 5, specification(executor, "absent"), tmp_path))
    assert recorded.jobs == {}


@needs_client
@needs_bubblewrap
def test_attempt__that_an_agent_before_submitted__is_watched_and_not_submitted_again(
    cluster: tuple[RecordedCluster, KubernetesExecutor], tmp_path: Path
) -> None:
    recorded, executor = cluster
    job = specification(executor, "/bin/sh", "-c", "sleep 1; echo once")
    # An agent that is killed looks no more: to this one, nothing ever comes of it.
    executor._cluster = replace(executor._cluster, poll_s=1000)
    before = start(executor, 6, job, tmp_path)
    give_up = time.monotonic() + 60
    while not recorded.pods:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    name = f"computility-{before}"
    user = recorded.jobs[name]["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    after = KubernetesExecutor(replace(executor._cluster, poll_s=0.1))
    assert after._api.job(name) is not None
    assert after.collect(start(after, 6, job, tmp_path)).outputs == {"stdout": b"once\n"}
    assert user >= 1_900_000_000
    assert recorded.calls.count("POST /apis/batch/v1/namespaces/lab/jobs") == 2, "the second was told that it is there"
    executor.cancel(before)


@needs_client
@needs_bubblewrap
def test_attempt__with_gpus__reports_the_cards_that_the_cluster_gave(
    cluster: tuple[RecordedCluster, KubernetesExecutor], tmp_path: Path
) -> None:
    recorded, plain = cluster
    toolset = {"gpu": "nvidia-h100-80gb-hbm3", "nvidia-driver": "580"}
    executor = KubernetesExecutor(plain._cluster, CommandBounds(gpus=2), toolset=toolset)
    assert executor.environment != plain.environment
    job = specification(executor, "/bin/sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES")
    job = replace(job, limits=replace(LIMITS, gpus=2))
    with pytest.raises(ExecutorUnfit, match="no machine of the cluster has a nvidia"):
        executor.self_test()
    recorded.gpus = [f"GPU-{number:08}-0000-0000-0000-000000000000" for number in range(3)]
    assert executor._api.most_gpus() == 3
    execution = executor.collect(start(executor, 7, job, tmp_path))
    assert execution.outputs["stdout"].decode().strip().split(",") == recorded.gpus[:2]
    assert execution.samples[-1].cards == tuple(recorded.gpus[:2])
    with pytest.raises(ExecutorUnfit, match="wants 3 GPUs"):
        executor.check(replace(job, limits=replace(LIMITS, gpus=3)))


@needs_client
def test_image__that_is_not_allowed__is_refused(cluster: tuple[RecordedCluster, KubernetesExecutor]) -> None:
    recorded, executor = cluster
    other = "elsewhere.example/x@sha256:" + "ab" * 32
    with pytest.raises(ExecutorUnfit, match="may not be used here"):
        executor.check(specification(executor, "true", image=other))
    assert recorded.calls == []


@needs_client
def test_policy__is_put_in_its_place_each_time(cluster: tuple[RecordedCluster, KubernetesExecutor]) -> None:
    recorded, executor = cluster
    executor._api.deny_network()
    executor._api.deny_network()
    assert list(recorded.policies) == ["computility-no-network"]
    assert executor._api.version() == "v1.33.1"
