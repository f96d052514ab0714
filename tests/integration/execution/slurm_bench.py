"""A real Slurm of one machine, with ports, keys and folders of its own, where its programs are installed and this process is root."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
WAIT_S = 60.0


def missing() -> str:
    """Why no Slurm starts here; empty where one does."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install slurmctld slurmd slurm-client munge"
    return "" if os.geteuid() == 0 else "Slurm is started by root only"


@contextlib.contextmanager
def slurm_cluster(folder: Path) -> Iterator[None]:
    """The cluster; the environment of this process names it meanwhile."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool", "log", "run"):
        (folder / name).mkdir()
    (folder / "run").chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    controller, daemon = _free_ports(2)
    (folder / "slurm.conf").write_text(
        f"""ClusterName=computility
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld
SlurmdLogFile={folder}/log/slurmd
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 Gres=gpu:declared:1 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
    )
    # A card that the cluster counts and that is not there.
    (folder / "gres.conf").write_text(f"NodeName={host} Name=gpu Type=declared File=/dev/full\n")
    run = folder / "run"
    commands = [
        [
            "munged",
            "--foreground",
            "--force",
            f"--key-file={key}",
            f"--socket={run}/munge.socket",
            f"--pid-file={run}/munged.pid",
            f"--log-file={folder}/log/munged",
            f"--seed-file={run}/seed",
        ],
        ["slurmctld", "-D", "-f", str(folder / "slurm.conf")],
        ["slurmd", "-D", "-f", str(folder / "slurm.conf"), "-N", host],
    ]
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    with contextlib.ExitStack() as started, pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        environment.setenv("PATH", path)
        for command in commands:
            # munged refuses to be asked before its socket is there; the others try again by themselves.
            log = started.enter_context((folder / "log" / f"{command[0]}.said").open("wb"))
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            started.callback(_end, process)
            if command[0] == "munged":
                _wait((run / "munge.socket").exists)
        _wait(lambda: "idle" in _said("sinfo", "--noheader", "--format=%T"))
        yield


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S).stdout


def _wait(reached: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WAIT_S
    while not reached():
        if time.monotonic() > give_up:
            pytest.skip("Slurm is installed and does not come up here")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in sockets]
