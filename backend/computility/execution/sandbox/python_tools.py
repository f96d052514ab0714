"""A Python with packages for sandboxed jobs: this interpreter, its library and some installed packages, in one folder that every user can read.

Jobs run as users of their own, who may not be able to reach where Python is installed (below ``/root``, say), so files are linked, or else copied,
into the folder. Jobs see it as ``/opt/python`` and call ``/opt/python/bin/python3``.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorUnfit

PLACE: Final = "/opt/python"
PYTHON: Final = f"{PLACE}/bin/python3"
_LEFT_OUT: Final = frozenset(
    {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "ensurepip", "__pycache__"}
)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_START: Final = f"""\
#!/bin/sh
LD_LIBRARY_PATH={PLACE}/lib exec {PLACE}/bin/python "$@"
"""


def gather_python(folder: Path, packages: Sequence[str]) -> dict[str, str]:
    """Fill ``folder`` with this Python, the named packages and what they need. Names and versions of what is in it, for ``toolset``.

    Raises:
        ExecutorUnfit: a package is not installed, or the folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ExecutorUnfit(f"{folder} is not empty: name a new folder")
    names = sorted(_with_needs(packages))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    library = folder / "lib" / f"python{version}"
    for path in (folder / "bin", library / "site-packages"):
        path.mkdir(parents=True)
    _take(Path(os.path.realpath(sys.executable)), folder / "bin" / "python")
    start = folder / "bin" / "python3"
    start.write_text(_START, encoding="utf-8")
    start.chmod(0o755)
    for shared in Path(sysconfig.get_config_var("LIBDIR") or "/nowhere").glob(f"libpython{version}*.so*"):
        _take(shared, folder / "lib" / shared.name)
    standard = Path(sysconfig.get_path("stdlib"))
    for file in _files(standard):
        _take(file, library / file.relative_to(standard))
    for name in names:
        distribution = metadata.distribution(name)
        for entry in distribution.files or ():
            if ".." not in entry.parts and "__pycache__" not in entry.parts:
                _take(Path(str(distribution.locate_file(entry))), library / "site-packages" / entry)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    return {"python": sys.version.split()[0], **{name: metadata.version(name) for name in names}}


def _with_needs(packages: Sequence[str]) -> set[str]:
    """The packages and, as far as they are installed, all that they require."""
    found: set[str] = set()
    waiting = [(name, True) for name in packages]
    while waiting:
        name, is_named = waiting.pop()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if is_named:
                raise ExecutorUnfit(f"{name} is not installed: pip install {name}") from None
            continue
        canonical = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if canonical in found:
            continue
        found.add(canonical)
        for requirement in distribution.requires or ():
            match = _NAME.match(requirement)
            if match and "extra ==" not in requirement:
                waiting.append((match[0], False))
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _LEFT_OUT:
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _take(source: Path, target: Path) -> None:
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        # Another file system, or one without links.
        shutil.copy2(source, target)
