"""The API of a Kubernetes cluster, as far as jobs meet it: over HTTP, in the shapes that API servers and kubelets write (API reference v1.33).

No cluster runs in these tests. What stands in for a machine does what the pod asks for: it runs the job's container in a sandbox with its mounts,
then the collecting one, and tells of both as a kubelet does. What a cluster enforces (policies, limits, security contexts) is not enforced here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_JOBS = re.compile(r"/apis/batch/v1/namespaces/lab/jobs(?:/([a-z0-9-]+))?")
_POLICIES = re.compile(r"/apis/networking.k8s.io/v1/namespaces/lab/networkpolicies(?:/([a-z0-9-]+))?")
_LOG = re.compile(r"/api/v1/namespaces/lab/pods/([a-z0-9-]+)/log")


class RecordedCluster:
    """One namespace, ``lab``, whose shared volume is ``volume``. The next ``failing`` calls fail; with a ``fault`` no container begins."""

    def __init__(self, volume: Path) -> None:
        self.volume = volume
        self.jobs: dict[str, dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, bytes] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.failing = 0
        self.gpus: list[str] = []
        self.fault: dict[str, Any] | None = None
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*cluster.answer("GET", self.path, b"", self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                self._answer(*cluster.answer("POST", self.path, self._body(), self.headers.get("Authorization", "")))

            def do_PUT(self) -> None:
                self._answer(*cluster.answer("PUT", self.path, self._body(), self.headers.get("Authorization", "")))

            def do_DELETE(self) -> None:
                self._body()
                self._answer(*cluster.answer("DELETE", self.path, b"", self.headers.get("Authorization", "")))

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def _answer(self, status: int, document: Any) -> None:
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def answer(self, method: str, target: str, body: bytes, authorization: str) -> tuple[int, Any]:
        """One exchange."""
        path, _, query = target.partition("?")
        self.calls.append(f"{method} {path}")
        if authorization != "Bearer of-a-test":
            return 401, refusal(401, "Unauthorized")
        if self.failing:
            self.failing -= 1
            return 503, refusal(503, "etcdserver: leader changed")
        if path == "/api/v1/nodes":
            allocatable = {"cpu": "8", **({"nvidia.com/gpu": str(len(self.gpus))} if self.gpus else {})}
            return 200, {"kind": "NodeList", "apiVersion": "v1", "items": [{"status": {"allocatable": allocatable}}]}
        if path == "/version/":
            return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.1"}
        if found := _POLICIES.fullmatch(path):
            policy = json.loads(body)
            if method == "POST" and policy["metadata"]["name"] in self.policies:
                return 409, refusal(
                    409, f'networkpolicies.networking.k8s.io "{policy["metadata"]["name"]}" already exists'
                )
            self.policies[policy["metadata"]["name"]] = policy
            return (201 if method == "POST" else 200), policy
        if found := _JOBS.fullmatch(path):
            return self._job(method, found[1], body)
        if path == "/api/v1/namespaces/lab/pods":
            name = query.partition("job-name%3D")[2].partition("&")[0]
            return 200, {"kind": "PodList", "apiVersion": "v1", "items": [self.pods[name]] if name in self.pods else []}
        if found := _LOG.fullmatch(path):
            limit = int(re.search(r"limitBytes=(\d+)", query)[1])  # type: ignore[index]  # every call has one
            return 200, self.logs.get(found[1].removesuffix("-x7k2p"), b"")[:limit]
        return 404, refusal(404, f"the server could not find the requested resource {path}")

    def _job(self, method: str, name: str | None, body: bytes) -> tuple[int, Any]:
        if method == "POST":
            job = json.loads(body)
            name = str(job["metadata"]["name"])
            if name in self.jobs:
                return 409, refusal(409, f'jobs.batch "{name}" already exists')
            self.jobs[name] = job | {"status": {"active": 1}}
            threading.Thread(target=self._run, args=(name, job["spec"]["template"]["spec"]), daemon=True).start()
            return 201, self.jobs[name]
        if name not in self.jobs:
            return 404, refusal(404, f'jobs.batch "{name}" not found')
        if method == "DELETE":
            del self.jobs[name]
            self.pods.pop(name, None)
            if (process := self.running.pop(name, None)) and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    # With what bubblewrap has not let go on yet.
                    os.killpg(process.pid, signal.SIGKILL)
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        return 200, self.jobs[name]

    def _run(self, name: str, spec: dict[str, Any]) -> None:
        if self.fault is not None:
            self._tell(name, {"waiting": self.fault}, {"waiting": {"reason": "PodInitializing"}})
            return
        with tempfile.TemporaryDirectory() as out:
            began = _now()
            self._tell(name, {"running": {"startedAt": began}}, {"waiting": {"reason": "PodInitializing"}})
            *before, job = spec["initContainers"]
            for container in before:
                self._contained(name, container, Path(out))
            code, self.logs[name] = self._contained(name, job, Path(out))
            ended = {
                "exitCode": code,
                "reason": "Error" if code else "Completed",
                "startedAt": began,
                "finishedAt": _now(),
            }
            if code:
                self._tell(name, {"terminated": ended}, {"waiting": {"reason": "PodInitializing"}})
                self._end(name, "Failed", "PodFailurePolicy")
                return
            packed, _ = self._contained(name, spec["containers"][0], Path(out))
            self._tell(name, {"terminated": ended}, {"terminated": {"exitCode": packed, "reason": "Completed"}})
            self._end(name, "Complete", "CompletionsReached")

    def _contained(self, name: str, container: dict[str, Any], out: Path) -> tuple[int, bytes]:
        mounts = []
        for mount in container["volumeMounts"]:
            if mount["name"] in ("tmp", "shm"):
                mounts += ["--tmpfs", mount["mountPath"]]
                continue
            source = out if mount["name"] == "out" else self.volume / mount["subPath"]
            mounts += ["--ro-bind" if mount.get("readOnly") else "--bind", str(source), mount["mountPath"]]
        variables = [part for entry in container.get("env", ()) for part in ("--setenv", entry["name"], entry["value"])]
        if count := int(container["resources"]["limits"].get("nvidia.com/gpu", 0)):
            # As NVIDIA's device plugin does.
            variables += ["--setenv", "NVIDIA_VISIBLE_DEVICES", ",".join(self.gpus[:count])]
        command = [
            "bwrap",
            "--unshare-all",
            "--die-with-parent",
            "--clearenv",
            "--setenv",
            "PATH",
            "/usr/bin:/bin",
            *variables,
        ]
        command += ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"]
        command += ["--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", *mounts]
        command += ["--chdir", container.get("workingDir", "/"), *container["command"]]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.running[name] = process
        said, _ = process.communicate()
        return process.returncode, said

    def _tell(self, name: str, job: dict[str, Any], collect: dict[str, Any]) -> None:
        if name in self.jobs:
            self.pods[name] = {
                "metadata": {"name": f"{name}-x7k2p", "creationTimestamp": _now()},
                "status": {
                    "initContainerStatuses": [{"name": "job", "state": job}],
                    "containerStatuses": [{"name": "collect", "state": collect}],
                },
            }

    def _end(self, name: str, kind: str, reason: str) -> None:
        if name in self.jobs:
            self.jobs[name]["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason}]}


def refusal(status: int, message: str) -> dict[str, Any]:
    """A ``Status``, as API servers refuse."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def recorded_cluster(volume: Path) -> Iterator[tuple[RecordedCluster, Path]]:
    """The cluster, and a kubeconfig for it."""
    cluster = RecordedCluster(volume)
    thread = threading.Thread(target=cluster.server.serve_forever, daemon=True)
    thread.start()
    config = volume.parent / "kubeconfig"
    user = {"name": "agent", "user": {"token": "of-a-test"}}
    where = {"name": "lab", "cluster": {"server": f"http://127.0.0.1:{cluster.server.server_port}"}}
    context = {"name": "lab", "context": {"cluster": "lab", "user": "agent", "namespace": "lab"}}
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "lab",
                "clusters": [where],
                "users": [user],
                "contexts": [context],
            }
        )
    )
    try:
        yield cluster, config
    finally:
        cluster.server.shutdown()
        cluster.server.server_close()
        thread.join(5)
