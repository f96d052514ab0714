"""The demo's offer of commands (jobs of kind ``process``): a provider with a sandbox and a Python for jobs, and a verifier that runs them again.

Both are the product's own agents with one settings file, which is there to be looked at. They join when the three trades are over, as nobody in these
needs them. Where bubblewrap is missing or its walls do not hold, there is no such offer, and the demo says why.
"""

from __future__ import annotations

import atexit
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from computility.cli.demo.cast import COMMAND_PROVIDER, COMMAND_VERIFIER, Player, password_file
from computility.cli.demo.processes import COMMAND_LINE, Processes
from computility.domain.resource import Resource
from computility.execution.sandbox.bubblewrap import find_bubblewrap
from computility.execution.sandbox.process_executor import ProcessExecutor
from computility.execution.sandbox.python_tools import PLACE, gather_python

COMMAND_RESOURCE: Final = Resource(
    "cpu", platform.machine().lower().replace("_", "-"), 2, 1024, "local", "cirrus", "0001", "cpu-s"
)
PACKAGES: Final = ("numpy", "py3langid")
"""What the examples import. One that is not installed is left out: nothing is downloaded for a demo."""

_SETTINGS: Final = """\
# The demo's provider of commands, and its verifier: `computility provider serve --config` and `computility verifier serve --config`.

[connection]
node = {node}
rpc = {rpc}
keystore = {keystore}
password_file = {password_file}

[trust]
verifiers = [{verifier}]
# The examples: their authors say that they come to the same bytes everywhere, and this provider stakes its bond on it.
deterministic = {deterministic}

[work]
parallel = 2
timeout_s = 7200
memory_mib = 2048
held = {held}

[collect]
patience_s = 180

[[offer]]
kind = "process"
resource = {resource}
price = "0.001"
max_units = 86400
max_concurrent = 4
dispute_window_s = {dispute_window_s}
tools = {tools}
toolset = {toolset}
"""


def offer_commands(
    processes: Processes,
    cast: dict[str, Player],
    folder: Path,
    url: str,
    rpc_url: str,
    dispute_window_s: int,
    deterministic: Sequence[str],
) -> dict[str, str]:
    """Start the provider, which believes the programs ``deterministic``, and its verifier. What their toolset has, by name and version.

    Raises:
        ExecutorUnfit: no command can be offered on this machine; nothing was started.
    """
    find_bubblewrap()
    python, toolset = _python_for_jobs(folder)
    _prove(python, toolset)
    settings = folder / f"{COMMAND_PROVIDER}.toml"
    provider = cast[COMMAND_PROVIDER]
    secret = password_file(folder / "keys")
    settings.write_text(
        _SETTINGS.format(
            node=json.dumps(url),
            rpc=json.dumps(rpc_url),
            keystore=json.dumps(str(provider.keystore)),
            password_file=json.dumps(str(secret)),
            verifier=json.dumps(cast[COMMAND_VERIFIER].address),
            deterministic=json.dumps(list(deterministic)),
            held=json.dumps(str(folder / "held")),
            resource=json.dumps(str(COMMAND_RESOURCE)),
            dispute_window_s=dispute_window_s,
            tools=_table({PLACE: str(python)}),
            toolset=_table(toolset),
        ),
        encoding="utf-8",
    )
    processes.start(COMMAND_PROVIDER, COMMAND_LINE, ["provider", "serve", "--config", str(settings)])
    processes.start(
        COMMAND_VERIFIER,
        COMMAND_LINE,
        [
            "verifier", "serve",
            "--config", str(settings),
            "--node", url,
            "--rpc", rpc_url,
            "--keystore", str(cast[COMMAND_VERIFIER].keystore),
            "--password-file", str(secret),
        ],
    )  # fmt: skip
    return toolset


def _python_for_jobs(folder: Path) -> tuple[Path, dict[str, str]]:
    """A folder with a Python that jobs can reach, and what is in it."""
    place = folder / "python"
    if os.geteuid() == 0 and not _others_reach(folder):
        # As root, jobs run as users of their own, and nobody else can look below /root, say.
        beyond = Path(tempfile.mkdtemp(prefix="computility-python-"))
        atexit.register(shutil.rmtree, beyond, ignore_errors=True)
        beyond.chmod(0o755)
        place = beyond / "python"
    return place, gather_python(place, [name for name in PACKAGES if _is_installed(name)])


def _others_reach(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(part.stat().st_mode & 0o001 for part in (resolved, *resolved.parents))


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _prove(python: Path, toolset: dict[str, str]) -> None:
    executor = ProcessExecutor(tools={PLACE: str(python)}, toolset=toolset)
    try:
        executor.self_test()
    finally:
        executor.close()


def has_bubblewrap() -> bool:
    """Whether it is worth to give a provider of commands a stake."""
    return shutil.which("bwrap") is not None


def _table(entries: dict[str, str]) -> str:
    """An inline table of TOML."""
    return "{ " + ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in entries.items()) + " }"
