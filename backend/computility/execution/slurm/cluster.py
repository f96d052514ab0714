"""A Slurm cluster by its command line: ``sbatch``, ``squeue``, ``scancel``. No database of accounts is needed.

``--export=NONE`` keeps the agent's environment at home; what a job may use is Slurm's to hold as well, a margin above what the sandbox holds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorBusy, ExecutorCrashed, ExecutorUnfit

_ANSWER_S: Final = 60.0
_MAX_SAID: Final = 400
_COMMANDS: Final = ("sbatch", "squeue", "scancel")
_NOT_KNOWN: Final = "Invalid job id"
_NO_SUCH_CARDS: Final = ("invalid generic resource", "node configuration is not available")
_NEVER: Final = (
    "BadConstraints",
    "PartitionConfig",
    "PartitionNodeLimit",
    "PartitionTimeLimit",
    "InvalidAccount",
    "InvalidQOS",
)
_MIB: Final = 1024**2
SANDBOX_MIB: Final = 256
"""What Python and the sandbox take beside the job."""
SPARE_S: Final = 120
"""How long a job may take beside its own time: Slurm's limit has to come after the sandbox's."""


@dataclass(frozen=True)
class SlurmCluster:
    """Where jobs go. ``shared`` is a folder that the agent and every machine see by the same path; ``python`` is a Python on the machines with this
    package. ``options`` are more of ``sbatch``'s, like ``--qos=low``. ``cpus``: the most of a job. ``gpu_type``: what the cluster calls its
    cards among its generic resources, where it has several. ``queue_s``: the longest wait for a machine."""

    shared: Path
    partition: str = ""
    account: str = ""
    options: Sequence[str] = ()
    python: str = sys.executable
    cpus: int = 1
    gpu_type: str = ""
    poll_s: float = 1.0
    queue_s: float = 3600.0


@dataclass(frozen=True)
class BatchRequest:
    """One batch job: its name, its folder, and what it takes. ``argument`` follows the folder on the command line of the node's program."""

    name: str
    folder: Path
    argument: str
    wall_s: int
    memory_bytes: int
    cpus: int
    gpus: int = 0


@dataclass(frozen=True)
class SlurmQueue:
    """The cluster's commands, found on this machine.

    Raises:
        ExecutorUnfit: they are not here.
    """

    cluster: SlurmCluster
    paths: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _COMMANDS:
            found = shutil.which(name)
            if found is None:
                raise ExecutorUnfit(f"{name} is not installed: this machine submits no jobs to Slurm (slurm-client)")
            self.paths[name] = found

    def version(self) -> str:
        """As Slurm says.

        Raises:
            ExecutorCrashed: it does not answer.
        """
        return self._ask("sbatch", "--version").strip()

    def submit(self, request: BatchRequest) -> str:
        """Submit a job. Its number.

        Raises:
            ExecutorUnfit: the cluster has no such cards.
            ExecutorCrashed: Slurm refuses.
        """
        try:
            said = self._ask(*submission(self.cluster, request), given=script(self.cluster, request))
        except ExecutorCrashed as error:
            if request.gpus and any(words in str(error).lower() for words in _NO_SUCH_CARDS):
                raise ExecutorUnfit(
                    f"the Slurm cluster has no {request.gpus} GPUs of type {self.cluster.gpu_type or 'any'}: {error}"
                ) from error
            raise
        return said.strip().partition(";")[0]

    def find(self, name: str) -> str | None:
        """The number of this user's job of that name that waits or runs; the youngest, where there are several."""
        listed = self._ask("squeue", "--me", "--noheader", f"--name={name}", "--format=%i").split()
        return listed[-1] if listed else None

    def state(self, number: str) -> str:
        """``PENDING``, ``RUNNING``, ``COMPLETED`` …, as Slurm names them; ``GONE`` where it has forgotten it, ``NEVER`` where no machine fits."""
        try:
            said = self._ask("squeue", "--noheader", "--states=all", f"--jobs={number}", "--format=%T %r")
        except ExecutorCrashed as error:
            if _NOT_KNOWN in str(error):
                return "GONE"
            raise
        state, *reason = said.split() or ["GONE"]
        return "NEVER" if state == "PENDING" and reason and reason[0] in _NEVER else state

    def cancel(self, number: str) -> None:
        """End a job, and every process of it."""
        self._ask("scancel", "--full", number)

    def _ask(self, command: str, *arguments: str, given: str = "") -> str:
        try:
            done = subprocess.run(
                [self.paths[command], *arguments],
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_ANSWER_S,
                check=False,
                cwd="/",
            )
        except subprocess.TimeoutExpired as error:
            raise ExecutorBusy(f"{command} did not answer within {_ANSWER_S:g} s") from error
        except OSError as error:
            raise ExecutorCrashed(f"{command} cannot be started: {error.strerror}") from error
        if done.returncode:
            raise ExecutorCrashed(f"{command} refused: {done.stderr.strip()[-_MAX_SAID:]}")
        return done.stdout


def submission(cluster: SlurmCluster, request: BatchRequest) -> list[str]:
    """The command line of ``sbatch``."""
    command = ["sbatch", "--parsable", "--export=NONE", "--no-requeue", "--propagate=NONE", "--input=none"]
    command += [f"--job-name={request.name}", f"--chdir={request.folder}", f"--output={request.folder}/said"]
    command += ["--nodes=1", "--ntasks=1", f"--cpus-per-task={request.cpus}"]
    command += [
        f"--mem={-(-request.memory_bytes // _MIB) + SANDBOX_MIB}M",
        f"--time={-(-(request.wall_s + SPARE_S) // 60)}",
    ]
    if request.gpus:
        # Slurm tells the job which ones they are, by CUDA_VISIBLE_DEVICES.
        command.append(f"--gres=gpu:{f'{cluster.gpu_type}:' if cluster.gpu_type else ''}{request.gpus}")
    if cluster.partition:
        command.append(f"--partition={cluster.partition}")
    if cluster.account:
        command.append(f"--account={cluster.account}")
    return [*command, *cluster.options]


def script(cluster: SlurmCluster, request: BatchRequest) -> str:
    """The batch script: nothing of a stranger's is in it, the job is data in the folder."""
    return f"#!/bin/sh\nexec '{cluster.python}' -I -m computility.execution.slurm.node '{request.folder}' '{request.argument}'\n"
