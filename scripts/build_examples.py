"""Builds examples/<name>/<name>.wasm from the C sources beside it, byte for byte the same on every machine.

python scripts/build_examples.py            build and write
python scripts/build_examples.py --check    build, and say which files differ from what is committed
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLES = REPOSITORY / "examples"
CACHE = REPOSITORY / ".cache" / "zig"
FLAGS = (
    "-target", "wasm32-wasi",
    "-std=c11",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-g0",
    "-s",
    "-Wl,-z,stack-size=1048576",
    "-Wall",
    "-Wextra",
    "-Werror",
)  # fmt: skip


def main() -> int:
    """Returns 1 where a file is out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    differing = []
    for folder in sorted(path.parent for path in EXAMPLES.glob("*/*.c") if path.stem == path.parent.name):
        target = folder / f"{folder.name}.wasm"
        built = build(folder)
        if not target.is_file() or target.read_bytes() != built:
            differing.append(target)
            if not check:
                target.write_bytes(built)
    for path in differing:
        print(f"{path.relative_to(REPOSITORY)}: {'out of date, run scripts/build_examples.py' if check else 'built'}")
    return 1 if check and differing else 0


def build(folder: Path) -> bytes:
    """The program of one example. Sources are named relative to their folder, so that no path of this machine gets in."""
    sources = sorted(path.name for path in folder.glob("*.c"))
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(CACHE), "ZIG_LOCAL_CACHE_DIR": str(CACHE)}
    with TemporaryDirectory() as made:
        out = Path(made) / "program.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(out), *sources]
        subprocess.run(command, cwd=folder, env=environment, check=True)
        return out.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
