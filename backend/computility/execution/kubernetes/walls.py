"""Proof that a pod holds a job: the walls of the sandbox, and the network tried for real, as a policy is only as good as the cluster's plug-in."""

from __future__ import annotations

import secrets
from typing import Final

from computility.domain.errors import ComputilityError, ExecutorUnfit
from computility.domain.identifiers import bytes32
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.executor import AttemptId, Executor, Prepared
from computility.execution.sandbox.self_test import prove_walls

_MIB: Final = 1024**2
_LIMITS: Final = CommandLimits(10, 120, 64 * _MIB, _MIB, 64, _MIB, 8)
_HELD_OTHERWISE: Final = ("network", "process-limit")
"""A pod has an interface of its own, and its number of processes is the machine's setting."""
# The API server is what every pod could reach; whatever can try is tried.
_PROBE: Final = r"""
host=$KUBERNETES_SERVICE_HOST port=${KUBERNETES_SERVICE_PORT:-443}
[ -n "$host" ] || { echo untried; exit; }
if command -v bash >/dev/null; then bash -c "exec 3<>/dev/tcp/$host/$port" 2>/dev/null & tried=$!
elif command -v nc >/dev/null; then nc -w 3 "$host" "$port" </dev/null >/dev/null 2>&1 & tried=$!
elif command -v curl >/dev/null; then curl -ks -m 3 "https://$host:$port/" >/dev/null 2>&1 & tried=$!
else echo untried; exit; fi
(sleep 5; kill $tried 2>/dev/null) &
if wait $tried; then echo reached; else echo refused; fi
"""


def prove_pod_walls(executor: Executor, image: str, gpus: int = 0) -> None:
    """Try from inside a pod what a job must not be able to do, while it holds so many ``gpus``.

    Raises:
        ExecutorUnfit: something was not refused, could not be tried, or nothing runs at all.
    """
    prove_walls(executor, "container", image, _HELD_OTHERWISE, gpus)
    specification = TaskSpecification(
        "container", executor.environment, (), ("/bin/sh", "-c", _PROBE), (), _LIMITS, 0, "0x" + "00" * 32, image=image
    )
    attempt = AttemptId(bytes32(secrets.token_bytes(32)), 0)
    try:
        executor.start(attempt, Prepared(specification, {}))
        said = executor.collect(attempt).outputs.get("stdout", b"").decode(errors="replace").strip()
    except ComputilityError as error:
        raise ExecutorUnfit(f"no job runs on the cluster: {error}") from error
    if said == "untried":
        raise ExecutorUnfit("the probe cannot try the network: name an image with bash, nc or curl")
    if said != "refused":
        raise ExecutorUnfit(
            "a pod reaches the network though a policy denies it: the cluster's network plug-in enforces no policies"
        )
