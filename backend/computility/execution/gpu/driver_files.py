"""What of the host a sandboxed job needs to reach its GPUs: device nodes of those cards alone, and the driver's libraries, read-only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorUnfit
from computility.execution.gpu.card import Card

LIBRARY_FOLDER: Final = "/opt/nvidia/lib"
"""Where a job sees libraries that the host keeps outside ``/usr``."""
_CONTROL_NODES: Final = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
_NEEDED_NODES: Final = ("nvidiactl", "nvidia-uvm")
_LIBRARIES: Final = re.compile(r"lib(cuda|cudadebugger|nvcuvid|nvidia-[a-z0-9-]+)\.so(\.[0-9.]+)?")
_USUAL_FOLDERS: Final = (
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/run/opengl-driver/lib",
    "/usr/lib/wsl/lib",
)


@dataclass(frozen=True)
class DriverFiles:
    """``nodes`` are device files; ``bound`` are files of the host by where a job sees them; ``search`` are folders for its dynamic linker."""

    nodes: tuple[str, ...]
    bound: Mapping[str, str] = field(default_factory=dict)
    search: tuple[str, ...] = ()

    def environment(self, uuids: Iterable[str]) -> dict[str, str]:
        """Environment variables of a job that holds these cards. It sees no other: the nodes of others are not there."""
        variables = {"CUDA_VISIBLE_DEVICES": ",".join(uuids), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        if self.search:
            variables["LD_LIBRARY_PATH"] = ":".join(self.search)
        # CUDA keeps what it compiled where a job may write.
        variables["CUDA_CACHE_PATH"] = "/tmp/cuda"  # noqa: S108 - of the sandbox
        return variables


def driver_files(cards: Iterable[Card], dev: Path = Path("/dev")) -> DriverFiles:
    """What a job on these cards needs.

    Raises:
        ExecutorUnfit: a device node or the driver's library is missing.
    """
    nodes = [dev / name for name in _CONTROL_NODES if (dev / name).exists()]
    present = {node.name for node in nodes}
    wanted = [dev / f"nvidia{card.minor}" for card in cards]
    missing = [name for name in _NEEDED_NODES if name not in present] + [
        str(node) for node in wanted if not node.exists()
    ]
    if missing:
        raise ExecutorUnfit(
            f"device nodes of the GPU are missing ({', '.join(missing)}): load the driver, or run nvidia-modprobe -u -c=0"
        )
    libraries = _libraries()
    if not any(name.startswith("libcuda.so") for name in libraries):
        raise ExecutorUnfit(
            "the driver's library libcuda.so.1 is not found: install the driver, or set LD_LIBRARY_PATH"
        )
    bound: dict[str, str] = {}
    search: dict[str, None] = {}
    for name, path in sorted(libraries.items()):
        if path.is_relative_to("/usr"):
            search[str(path.parent)] = None
        else:
            bound[f"{LIBRARY_FOLDER}/{name}"] = str(path)
            search[LIBRARY_FOLDER] = None
    return DriverFiles(tuple(str(node) for node in (*nodes, *wanted)), bound, tuple(search))


def _libraries() -> dict[str, Path]:
    """Files of the driver's libraries by name, as the dynamic linker would choose them."""
    found: dict[str, Path] = {}
    folders = [*os.environ.get("LD_LIBRARY_PATH", "").split(":"), *_USUAL_FOLDERS]
    for folder in (Path(name) for name in folders if name):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if _LIBRARIES.fullmatch(path.name) and path.is_file():
                    found.setdefault(path.name, path)
    ldconfig = shutil.which("ldconfig") or shutil.which("/sbin/ldconfig")
    if ldconfig:
        listed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, timeout=30, check=False).stdout
        for line in listed.splitlines():
            name, arrow, path_text = line.strip().partition(" => ")
            name, _, kind = name.partition(" ")
            if arrow and "x32" not in kind and ("64" in kind or "libc6)" in kind) and _LIBRARIES.fullmatch(name):
                found.setdefault(name, Path(path_text))
    return found
