"""The command line as a user runs it: a process of its own, its answer and its error."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from computility.cli.demo.cast import password_file
from computility.cli.demo.stage import Stage


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document of ``--json``."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error of ``--json``: its code and detail."""
        assert self.code != 0, self.out
        return self.document["error"]


def computility(*words: str, folder: Path, stage: Stage | None = None, as_who: str = "buyer", **extra: str) -> Answer:
    """Run a command in ``folder``; with ``stage`` against its node and chain, as one of its cast."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **extra}
    if stage is not None:
        keys = stage.folder / "keys"
        environment = {
            "COMPUTILITY_NODE": stage.url,
            "COMPUTILITY_RPC_URL": stage.rpc_url,
            "COMPUTILITY_KEYSTORE": str(keys / f"{as_who}.json"),
            "COMPUTILITY_PASSWORD_FILE": str(password_file(keys)),
            **environment,
        }
    result = subprocess.run(
        [sys.executable, "-m", "computility", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Answer(result.returncode, result.stdout, result.stderr)
