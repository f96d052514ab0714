"""A Kubernetes cluster by its API, through the official client: jobs, pods, logs and one network policy of one namespace."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tenacity

from computility.domain.errors import ExecutorBusy, ExecutorCrashed, ExecutorUnfit
from computility.execution.kubernetes.manifests import GPU, network_policy

_ANSWER_S: Final = 30.0
_ATTEMPTS: Final = 4
_CONFLICT, _NOT_FOUND, _TOO_MANY, _SERVER = 409, 404, 429, 500
_MAX_SAID: Final = 400


@dataclass(frozen=True)
class KubernetesCluster:
    """Where jobs go. The kubeconfig and its ``context`` are kubectl's own where none is named; inside a pod, that pod's service account.
    ``claim`` is a volume claim in the ``namespace`` that many pods may mount, and ``shared`` is where this machine sees it.
    ``collector`` is a trusted image by digest with ``sh`` and ``tar``; ``probe`` one with a shell and bash, busybox or curl, to prove the walls with.
    ``images`` are prefixes of image names that jobs may use."""

    namespace: str
    claim: str
    shared: Path
    collector: str
    probe: str
    images: tuple[str, ...] = ()
    kubeconfig: Path | None = None
    context: str = ""
    runtime_class: str = ""
    node_selector: dict[str, str] = field(default_factory=dict)
    cpus: int = 1
    poll_s: float = 1.0
    queue_s: float = 3600.0


class KubernetesApi:
    """The calls that jobs need.

    Raises:
        ExecutorUnfit: the client is not installed, or no cluster is configured.
    """

    def __init__(self, cluster: KubernetesCluster) -> None:
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise ExecutorUnfit(
                "the Kubernetes client is not installed: pip install 'computility[kubernetes]'"
            ) from error
        configuration = client.Configuration()
        try:
            file = str(cluster.kubeconfig.expanduser()) if cluster.kubeconfig else None
            if file is None and not cluster.context:
                config.load_config(client_configuration=configuration)
            else:
                config.load_kube_config(file, cluster.context or None, client_configuration=configuration)
        except (config.ConfigException, OSError) as error:
            raise ExecutorUnfit(f"no cluster is configured: {error}") from error
        # Each call has a deadline of its own, and what failed is asked again below.
        configuration.retries = False
        api = client.ApiClient(configuration)
        self._namespace = cluster.namespace
        self._refused = client.ApiException
        self._batch, self._core, self._networking = (
            client.BatchV1Api(api),
            client.CoreV1Api(api),
            client.NetworkingV1Api(api),
        )
        self._version = client.VersionApi(api)

    def version(self) -> str:
        """Of the API server."""
        return str(self._asked(self._version.get_code)["gitVersion"])

    def deny_network(self) -> None:
        """Put the policy in its place."""
        policy = network_policy()
        try:
            self._asked(self._networking.create_namespaced_network_policy, self._namespace, policy)
        except _Conflict:
            self._asked(
                self._networking.replace_namespaced_network_policy, policy["metadata"]["name"], self._namespace, policy
            )

    def most_gpus(self) -> int | None:
        """The most GPUs that one machine of the cluster has for pods; None where this account may not look at machines."""
        try:
            nodes = self._asked(self._core.list_node)["items"]
        except ExecutorCrashed:
            return None
        return max((int(node["status"].get("allocatable", {}).get(GPU, 0)) for node in nodes), default=0)

    def create(self, job: dict[str, Any]) -> bool:
        """Create a job; False where one of its name is there already."""
        try:
            self._asked(self._batch.create_namespaced_job, self._namespace, job)
        except _Conflict:
            return False
        return True

    def job(self, name: str) -> dict[str, Any] | None:
        """A job, or None where there is none."""
        try:
            return self._asked(self._batch.read_namespaced_job, name, self._namespace)
        except _NotThere:
            return None

    def pods(self, name: str) -> list[dict[str, Any]]:
        """The pods of a job, the youngest last."""
        listed = self._asked(
            self._core.list_namespaced_pod, self._namespace, label_selector=f"batch.kubernetes.io/job-name={name}"
        )
        return sorted(listed["items"], key=lambda pod: str(pod["metadata"].get("creationTimestamp")))

    def log(self, pod: str, container: str, limit_bytes: int) -> bytes:
        """What a container said, on both streams."""
        return self._raw(
            self._core.read_namespaced_pod_log, pod, self._namespace, container=container, limit_bytes=limit_bytes
        )

    def delete(self, name: str) -> None:
        """End a job and its pods, now."""
        try:
            self._raw(
                self._batch.delete_namespaced_job,
                name,
                self._namespace,
                propagation_policy="Background",
                grace_period_seconds=0,
            )
        except _NotThere:
            return

    def _asked(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._raw(call, *arguments, **options))
        except ValueError as error:
            raise ExecutorCrashed(f"the cluster answers with something that is no JSON: {error}") from error
        return answer

    def _raw(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> bytes:
        # Asking twice changes nothing: what is created has a name, and what is deleted is gone.
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=2.0),
            retry=tenacity.retry_if_exception_type(ExecutorBusy),
            reraise=True,
        )
        return retrying(self._once, call, *arguments, **options)

    def _once(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> bytes:
        # The answers themselves, not the client's objects: those refuse what a newer cluster adds.
        from urllib3.exceptions import HTTPError

        try:
            response = call(*arguments, **options, _preload_content=False, _request_timeout=_ANSWER_S)
            return bytes(response.data)
        except self._refused as error:
            raise _refusal(error.status, str(error.body or error.reason)) from error
        except HTTPError as error:
            raise ExecutorBusy(f"the cluster does not answer ({type(error).__name__})") from error


class _Conflict(ExecutorCrashed):
    pass


class _NotThere(ExecutorCrashed):
    pass


def _refusal(status: int, body: str) -> ExecutorBusy | ExecutorCrashed:
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        said = body
    said = said[:_MAX_SAID]
    if status == _CONFLICT:
        return _Conflict(said)
    if status == _NOT_FOUND:
        return _NotThere(f"the cluster has no such thing: {said}")
    if status == _TOO_MANY or status >= _SERVER:
        return ExecutorBusy(f"the cluster is busy or fails (HTTP {status}): {said}")
    return ExecutorCrashed(f"the cluster refuses (HTTP {status}): {said}")
