"""``ProcessExecutor``: runs commands, each in a sandbox of its own."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from computility.domain.environment_class import EnvironmentClass, config_hash_of
from computility.domain.errors import JobFailed
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import Run
from computility.execution.command_executor import CommandBounds, CommandExecutor, billed_units
from computility.execution.content_store import ContentStore
from computility.execution.executor import Execution, Prepared, execution_of, fetch_all
from computility.execution.gpu.card_pool import CardPool, HeldCards
from computility.execution.sandbox.bubblewrap import Sandbox, Shape, find_bubblewrap
from computility.execution.sandbox.built_sandbox import SandboxGone, build_sandbox
from computility.execution.sandbox.control_groups import find_control_groups
from computility.execution.sandbox.job_folder import folders_hold, sweep_folders
from computility.execution.sandbox.output_archive import read_output_archive
from computility.execution.sandbox.sandboxed_run import SandboxedRun
from computility.execution.sandbox.seccomp import seccomp_filter
from computility.execution.sandbox.self_test import prove_walls
from computility.execution.sandbox.spare_sandboxes import SpareSandboxes

HOST_VERSION: Final = 5
"""Raised with every change of what a job finds in its sandbox."""
_SAID: Final = 400


class ProcessExecutor(CommandExecutor):
    """Runs ``process`` jobs.

    ``tools`` are host folders that jobs see read-only, by where they see them; ``toolset`` names and versions what is in them, for the environment
    class: two providers that say the same have to offer the same. As root, each job runs as a user of its own that owns nothing. ``spares`` sandboxes
    wait for the next jobs.
    """

    kind = "process"
    tells_processes = True

    def __init__(
        self,
        bounds: CommandBounds | None = None,
        *,
        tools: Mapping[str, str] | None = None,
        toolset: Mapping[str, str] | None = None,
        cgroup_parent: Path | None = None,
        gpus: CardPool | None = None,
        spares: int = 4,
    ) -> None:
        super().__init__(bounds, gpus)
        self._sandbox = Sandbox(find_bubblewrap(), dict(tools or {}))
        self._toolset = {**(toolset or {}), **(gpus.toolset if gpus else {})}
        self._groups = find_control_groups(cgroup_parent)
        self._filter = seccomp_filter()
        _allow_descriptors()
        sweep_folders()
        self._build = partial(build_sandbox, self._sandbox, self._filter, self._groups)
        self._spares = SpareSandboxes(self._build, spares)

    @cached_property
    def environment(self) -> str:
        """The environment class: sandbox, processor, distribution and toolset."""
        return process_environment(self._toolset)

    def self_test(self) -> None:
        """Try to break out.

        Raises:
            ExecutorUnfit: something is not refused; such an executor must not be offered.
        """
        prove_walls(self)

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """Check, and build a sandbox while what is named is fetched. Raises as the protocol says."""
        self.check(specification)
        limits = specification.limits
        assert isinstance(limits, CommandLimits)
        if not limits.gpus:
            self._spares.expect(_shape(limits, None))
        return Prepared(specification, fetch_all(specification, content))

    def close(self) -> None:
        """End the sandboxes that wait for a job."""
        self._spares.close()

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        limits = prepared.specification.limits
        assert isinstance(limits, CommandLimits)
        with self._held_cards(run, limits) as held:
            run.started = time.monotonic()
            files = prepared.files
            in_spare = held is None and folders_hold(sum(map(len, files.values())))
            if in_spare:
                built = self._spares.take(_shape(limits, None))
            else:
                built = self._spares.build(partial(self._build, _shape(limits, held), files))
                files = {}
            # The job is over when its result is there. To take a sandbox down takes the kernel longer, and nobody waits for it; but a card is let go
            # when nothing holds it any more.
            run.afterwards(built.close)
            try:
                running = SandboxedRun(run, prepared, limits, self._sandbox.tools, held)
                try:
                    code, archive = running.archive(built, files)
                except SandboxGone:
                    if not in_spare or run.cancelled.is_set():
                        raise
                    # One that had waited, and was ended meanwhile. Nothing of the job ran in it, so another may.
                    built = self._spares.build(partial(self._build, _shape(limits, None)))
                    run.afterwards(built.close)
                    code, archive = running.archive(built, files)
            finally:
                if held is not None:
                    built.close()
        outputs = read_output_archive(archive, limits.output_bytes, limits.output_files) if archive else {}
        if code:
            said = outputs.get("stderr", b"")[-_SAID:].decode(errors="replace").strip()
            raise JobFailed(f"the command ended with exit code {code}" + (f" and said: {said}" if said else ""))
        units = billed_units(run, limits)
        return execution_of(prepared.specification.digest, self.environment, None, outputs, units=units)

    def _safeguards(self) -> Mapping[str, str]:
        return {
            "network": "none",
            "files": "in memory, of bounded size",
            "user": "of its own" if os.geteuid() == 0 else "the agent's, in a namespace",
            "seccomp": f"{len(self._filter) // 8} instructions",
            "cgroup": str(self._groups),
        }


def _shape(limits: CommandLimits, cards: HeldCards | None) -> Shape:
    return Shape(
        limits.scratch_bytes,
        limits.output_bytes,
        limits.output_files,
        tuple(cards.files.nodes) if cards else (),
        tuple(cards.files.bound.items()) if cards else (),
    )


def process_environment(toolset: Mapping[str, str] | None = None) -> str:
    """The environment class of process jobs on this machine, with a toolset."""
    release = platform.freedesktop_os_release()
    engine = f"{release.get('ID', 'linux')}-{release.get('VERSION_ID', 'rolling')}".lower()
    machine = platform.machine()
    settings = {
        "host_version": HOST_VERSION,
        "machine": machine,
        "distribution": engine,
        "libc": "-".join(platform.libc_ver()),
        "toolset": dict(toolset or {}),
    }
    runtime = f"process-linux-{machine}".lower().replace("_", "-")
    return str(EnvironmentClass(runtime, engine.replace("_", "-"), config_hash_of(settings)))


def _allow_descriptors() -> None:
    """Every artifact and input of a job is a descriptor for a moment."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
