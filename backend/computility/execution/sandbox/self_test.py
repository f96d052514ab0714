"""Proof, before any stranger's job runs here, that the walls of the sandbox stand on this very machine."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from computility.domain.errors import ComputilityError, ExecutorUnfit
from computility.domain.identifiers import bytes32
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.executor import AttemptId, Executor, Prepared
from computility.execution.sandbox.machine_masks import MASKED_FILES

_MIB: Final = 1024**2
_LIMITS: Final = CommandLimits(
    cpu_s=5,
    # A busy machine or a cluster may take its time to begin.
    wall_s=120,
    memory_bytes=64 * _MIB,
    scratch_bytes=_MIB,
    processes=16,
    output_bytes=_MIB,
    output_files=8,
)
# Prints the name of every wall that does not stand. Builtins where possible: a missing tool must not look like a refusal.
_PROBES: Final = r"""
broken() { echo "$1"; }
while read -r key value; do case $key in
  CapInh:|CapPrm:|CapEff:|CapBnd:|CapAmb:) case $value in *[1-9a-f]*) broken capabilities;; esac;;
  NoNewPrivs:) [ "$value" = 1 ] || broken no-new-privileges;;
  Seccomp:) [ "$value" = 2 ] || broken seccomp;;
esac; done < /proc/self/status
while read -r device rest; do case $device in Inter-*|face*|lo:*) ;; *) broken network;; esac; done < /proc/net/dev
count=0; for process in /proc/[0-9]*; do count=$((count + 1)); done; [ $count -le 8 ] || broken host-processes
if [ -z "$1" ]; then
  [ -e /etc/shadow ] && broken shadow
  for file in MASKED_FILES; do
    [ -e /proc/$file ] && { IFS= read -r line < /proc/$file || [ -n "$line" ]; } 2>/dev/null && broken "machine-$file"
  done
fi
for place in / /usr /job /dev /etc /proc/sys/kernel; do (: > $place/computility-probe) 2>/dev/null && broken "write-$place"; done
(echo x > /proc/sys/kernel/hostname) 2>/dev/null && broken hostname
if command -v unshare >/dev/null; then unshare --user true 2>/dev/null && broken nested-namespace; fi
if command -v mount >/dev/null; then mount -t tmpfs none /tmp 2>/dev/null && broken mount; fi
if command -v mknod >/dev/null; then mknod /tmp/device c 1 3 2>/dev/null && broken mknod; fi
head -c 4000000 /dev/zero > /tmp/fill 2>/dev/null && broken scratch-limit
started=0
(while [ $started -lt 64 ]; do sleep 5 & started=$((started + 1)); done; : > /tmp/unlimited) 2>/dev/null
[ -e /tmp/unlimited ] && broken process-limit
exit 0
""".replace("MASKED_FILES", " ".join(MASKED_FILES))


def prove_walls(
    executor: Executor, kind: str = "process", image: str = "", held_otherwise: Sequence[str] = (), gpus: int = 0
) -> None:
    """Try from inside what a job must not be able to do. ``image`` is a container's, which may have a /etc/shadow of its own.
    ``held_otherwise`` names walls that somebody else proves. ``gpus``: cards that the job holds meanwhile, which a cluster has to have.

    Raises:
        ExecutorUnfit: something was not refused, or no sandbox came up at all.
    """
    command = ("/bin/sh", "-c", _PROBES, "probe", image)
    specification = TaskSpecification(
        kind, executor.environment, (), command, (), replace(_LIMITS, gpus=gpus), 0, "0x" + "00" * 32, image=image
    )
    attempt = AttemptId(bytes32(secrets.token_bytes(32)), 0)
    try:
        executor.start(attempt, Prepared(specification, {}))
        outputs = executor.collect(attempt).outputs
    except ExecutorUnfit:
        raise
    except ComputilityError as error:
        raise ExecutorUnfit(f"no job runs in the sandbox of this machine: {error}") from error
    broken = [wall for wall in outputs.get("stdout", b"").decode().split() if wall not in held_otherwise]
    if broken:
        raise ExecutorUnfit(f"the sandbox does not hold on this machine ({', '.join(broken)}): it is not offered")
