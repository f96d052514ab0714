"""Podman's own seccomp profile lets containers mount and make namespaces, for containers in containers. A job needs neither.

Docker's built-in profile allows both only with capabilities that a job does not have, so it is left as it is.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any, Final

from computility.execution.sandbox.seccomp import refused_calls

_NEW_NAMESPACES: Final = 0x7E020080
_ENOSYS: Final = 38
_EPERM: Final = 1


def hardened_profile(profile: dict[str, Any], machine: str = platform.machine()) -> dict[str, Any]:
    """A profile without the calls that the process sandbox refuses. ``clone`` stays, without namespaces; ``clone3``, whose flags no filter
    can see, answers that it does not exist, and C libraries fall back."""
    refused = refused_calls(machine) | {"clone", "clone3"}
    kept = []
    for rule in profile["syscalls"]:
        names = [name for name in rule.get("names", ()) if name not in refused]
        if names:
            kept.append({**rule, "names": names})
    clone = {
        "names": ["clone"],
        "action": "SCMP_ACT_ALLOW",
        "args": [{"index": 0, "value": _NEW_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
    }
    absent = {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS}
    no = {"names": sorted(refused_calls(machine)), "action": "SCMP_ACT_ERRNO", "errnoRet": _EPERM}
    return {**profile, "syscalls": [*kept, clone, absent, no]}


def write_hardened(source: Path, target: Path) -> None:
    """Read a profile, and write it without what a job has no business with."""
    target.write_text(json.dumps(hardened_profile(json.loads(source.read_text()))))
