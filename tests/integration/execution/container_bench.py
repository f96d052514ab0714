"""What the container tests share: an engine that starts containers here, and an image made of this machine's own shell."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import LIMITS, SEED

from computility.domain.errors import ComputilityError
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.container.container_executor import ContainerExecutor
from computility.execution.container.engine import Engine, find_engine
from computility.execution.content_store import FileContentStore
from computility.execution.executor import Execution

PROGRAMS = (
    "sh",
    "cat",
    "head",
    "id",
    "ls",
    "mkdir",
    "mknod",
    "mount",
    "sleep",
    "touch",
    "tr",
    "true",
    "unshare",
    "dd",
    "env",
)
_LIBRARY = re.compile(r"(/\S+)")


@dataclass(frozen=True)
class ContainerBench:
    """Runs commands in one image. ``limits`` are small, so that tests reach them."""

    content: FileContentStore
    executor: ContainerExecutor
    image: str
    limits: CommandLimits = LIMITS

    def specification(self, *arguments: str) -> TaskSpecification:
        """The specification of a command."""
        return TaskSpecification(
            "container",
            self.executor.environment,
            (),
            arguments,
            (),
            self.limits,
            1_790_000_000,
            SEED,
            image=self.image,
        )

    def run(self, *arguments: str) -> Execution:
        """Run a command."""
        return self.executor.run(self.specification(*arguments), self.content)

    def shell(self, script: str) -> str:
        """What a shell script prints; where it wrote to standard error, that follows."""
        outputs = self.run("/bin/sh", "-c", script).outputs
        return (outputs.get("stdout", b"") + outputs.get("stderr", b"")).decode()

    def within(self, **limits: int) -> ContainerBench:
        """The bench with other limits."""
        return replace(self, limits=replace(self.limits, **limits))


def image_of_this_machine(engine: Engine, folder: Path) -> str:
    """An image with a shell and a few programs, by digest: copies of this machine's, with their libraries."""
    root = folder / "root"
    for name in ("bin", "tmp", "etc", "proc", "sys", "dev", "usr"):
        (root / name).mkdir(parents=True)
    for program in PROGRAMS:
        path = shutil.which(program)
        assert path is not None, program
        shutil.copy(path, root / "bin" / program)
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for line in listed.splitlines():
            if found := _LIBRARY.search(line.partition("=>")[2] or line):
                library = Path(found[1])
                target = root / library.relative_to("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, target)
    archive = folder / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(root, arcname=".")
    engine.ask("import", str(archive), "localhost/computility-test:1")
    digest = engine.ask("image", "inspect", "--format", "{{.Digest}}", "localhost/computility-test:1").strip()
    return f"localhost/computility-test@{digest}"


@contextlib.contextmanager
def container_engine(folder: Path) -> Iterator[tuple[Engine, str]]:
    """A Podman that starts containers, with storage of its own, and an image by digest; skips where there is none.

    Engines share their locks whatever their storage is, so another process of these tests waits for its turn.
    """
    settings = folder / "storage.conf"
    settings.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n')
    with (
        (Path(tempfile.gettempdir()) / "computility-containers.lock").open("w") as turn,
        pytest.MonkeyPatch.context() as environment,
    ):
        fcntl.flock(turn, fcntl.LOCK_EX)
        environment.setenv("CONTAINERS_STORAGE_CONF", str(settings))
        reason = "no container engine"
        image = ""
        for runtime in ("", "crun", "runc"):
            found, reason = working_engine(runtime)
            if found is None:
                continue
            try:
                image = image or image_of_this_machine(found, folder)
                made = ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
                found.ask("run", "--rm", *made, image, "/bin/true")
            except ComputilityError as error:
                reason = str(error)
                continue
            try:
                yield found, image
            finally:
                subprocess.run([found.path, "system", "reset", "--force"], capture_output=True, env=found.environment())
            return
        pytest.skip(f"no container starts here: {reason}")


def working_engine(runtime: str) -> tuple[Engine | None, str]:
    """Podman with a runtime, or why there is none. Only Podman can import an image and name it by digest."""
    if runtime and shutil.which(runtime) is None:
        return None, f"{runtime} is not installed"
    try:
        return find_engine("podman", runtime), ""
    except ComputilityError as error:
        return None, str(error)
