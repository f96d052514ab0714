"""The container engine of this machine: Docker or Podman, whichever answers, by its command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from computility.domain.errors import ExecutorCrashed, ExecutorUnfit

ENGINES: Final = ("podman", "docker")
_ANSWER_S: Final = 60.0
_MAX_SAID: Final = 600
_ASKED: Final = 5
_ASK_AGAIN_S: Final = 0.3


@dataclass(frozen=True)
class Engine:
    """``name`` is ``docker`` or ``podman``; ``runtime`` is the OCI runtime to start containers with, the engine's own where it is empty;
    ``rootless`` says whether the engine itself runs without root."""

    path: str
    name: str
    version: str
    rootless: bool
    runtime: str = ""

    def command(self, *arguments: str) -> list[str]:
        """The engine with arguments."""
        if self.name == "podman" and self.runtime:
            # Podman has to be told each time: it asks the runtime for states, too.
            return [self.path, "--runtime", self.runtime, *arguments]
        return [self.path, *arguments]

    def ask(self, *arguments: str, timeout_s: float = _ANSWER_S) -> str:
        """What the engine answers.

        Raises:
            ExecutorCrashed: it refuses, or takes too long.
        """
        try:
            done = subprocess.run(
                self.command(*arguments),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
                stdin=subprocess.DEVNULL,
                env=self.environment(),
            )
        except subprocess.TimeoutExpired as error:
            raise ExecutorCrashed(f"{self.name} {arguments[0]} took longer than {timeout_s:g} s") from error
        except OSError as error:
            raise ExecutorCrashed(f"{self.name} cannot be started: {error.strerror}") from error
        if done.returncode:
            raise ExecutorCrashed(f"{self.name} {arguments[0]} refused: {done.stderr.strip()[-_MAX_SAID:]}")
        return done.stdout

    def state(self, container: str) -> dict[str, Any]:
        """Where a container stands, as the engine says. Podman refuses while a process of it is just ending, so it is asked again.

        Raises:
            ExecutorCrashed: it refuses each time.
        """
        for attempt in range(_ASKED):
            try:
                state: dict[str, Any] = json.loads(self.ask("inspect", "--type", "container", container))[0]["State"]
            except ExecutorCrashed:
                if attempt == _ASKED - 1:
                    raise
                time.sleep(_ASK_AGAIN_S)
            else:
                return state
        raise AssertionError

    def environment(self) -> dict[str, str]:
        """Its environment variables: where the engine is, and no proxy, which it would hand on to jobs."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "XDG_RUNTIME_DIR", "LANG", "TMPDIR")
            or name.startswith(("DOCKER_", "CONTAINERS_", "CONTAINER_HOST"))
        }
        if self.name == "docker":
            # The client's settings may name proxies as well.
            kept.setdefault("DOCKER_CONFIG", str(_empty_folder()))
        return kept


def find_engine(name: str = "", runtime: str = "") -> Engine:
    """The engine of this name, or the first that answers.

    Raises:
        ExecutorUnfit: there is none, or it does not answer.
    """
    reasons = []
    for candidate in (name,) if name else ENGINES:
        path = shutil.which(candidate)
        if path is None:
            reasons.append(f"{candidate} is not installed")
            continue
        kind = "podman" if Path(path).resolve().name.startswith("podman") else "docker"
        engine = Engine(path, kind, "", rootless=False, runtime=runtime)
        try:
            document = json.loads(engine.ask("info", "--format", "{{json .}}"))
            return _described(engine, document)
        except (ExecutorCrashed, json.JSONDecodeError, KeyError, TypeError) as error:
            reasons.append(f"{candidate} does not answer ({str(error)[:200]})")
    raise ExecutorUnfit(f"no container engine: {'; '.join(reasons)}")


def _described(engine: Engine, info: dict[str, Any]) -> Engine:
    if engine.name == "podman":
        return Engine(
            engine.path,
            "podman",
            str(info["version"]["Version"]),
            bool(info["host"]["security"]["rootless"]),
            engine.runtime,
        )
    if not info.get("ServerVersion"):
        raise ExecutorCrashed("the daemon does not run")
    rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
    return Engine(engine.path, "docker", str(info["ServerVersion"]), rootless, engine.runtime)


def images_here(engine: Engine, image: str) -> bool:
    """Whether an image, by digest, is on this machine."""
    try:
        engine.ask("image", "inspect", image)
    except ExecutorCrashed:
        return False
    return True


def pull(engine: Engine, image: str, timeout_s: float) -> None:
    """Fetch an image by digest, which the engine checks.

    Raises:
        ExecutorCrashed: no registry has it, or it takes too long.
    """
    engine.ask("pull", "--quiet", image, timeout_s=timeout_s)


def remove_containers(engine: Engine, filters: Sequence[str]) -> int:
    """End and remove containers that carry every label of ``filters``. How many."""
    chosen = [part for label in filters for part in ("--filter", f"label={label}")]
    found = engine.ask("ps", "--all", "--quiet", *chosen).split()
    if found:
        engine.ask("rm", "--force", *found)
    return len(found)


def _empty_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"computility-no-settings-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
