"""A project of forge with contracts that were rewritten: what mutation and coverage build, apart from the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from scripts.prove.syntax_trees import ARTIFACTS, ROOT

_TESTS: Final = ROOT / "tests" / "contracts"
# The optimiser's short run: such code is far too large to deploy anywhere, and has to be right only.
_CONFIG: Final = """[profile.default]
src = "contracts"
test = "tests/contracts"
script = "tests/contracts"
libs = ["node_modules"]
remappings = ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"]
auto_detect_remappings = false
solc = "{solc}"
offline = true
evm_version = "shanghai"
optimizer = true
optimizer_runs = 1
via_ir = true
gas_limit = "18446744073709551615"
code_size_limit = 4_000_000
fs_permissions = [
    {{ access = "read", path = "tests/vectors" }},
    {{ access = "read", path = "backend/computility/chain/artifacts" }},
    {{ access = "{access}", path = "{folder}" }},
]
additional_compiler_profiles = [{{ name = "tests", via_ir = false, optimizer = false }}]
compilation_restrictions = [{{ paths = "tests/contracts/**", via_ir = false }}]

[profile.default.optimizer_details]
yul = true
yulDetails = {{ stackAllocation = true, optimizerSteps = "dhfoDgvulfnTUtnIf:fDnTOcmu" }}

[profile.default.fuzz]
runs = {runs}
seed = "0x1"
"""
_BUILD_TIMEOUT_S: Final = 3_600


class RewrittenProject:
    """`folder` of this project may be read or written by tests, as `access` says."""

    def __init__(self, path: Path, suites: tuple[str, ...], *, folder: str, access: str, fuzz_runs: int) -> None:
        self.path = path
        self._suites = suites
        self._config = _CONFIG.format(solc=ROOT / "scripts" / "solc", folder=folder, access=access, runs=fuzz_runs)

    def build(self, rewritten: dict[str, str], keep: Path | None = None) -> None:
        """All contracts, those in `rewritten` as they are there, and the suites of tests. Nothing is compiled when it is there already."""
        contents = dict(rewritten)
        for path in [*(ROOT / "contracts").rglob("*.sol"), *self._tests()]:
            contents.setdefault(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for name, text in contents.items():
            # What was put in makes a function `view`. An operator has to be pure, and has nothing put in.
            write(self.path / name, text if "using {" in text else re.sub(r"\bpure\b", "view", text))
        write(self.path / "foundry.toml", self._config)
        for link in ("node_modules", "tests/vectors"):
            if not (self.path / link).exists():
                (self.path / link).symlink_to(ROOT / link)
        kept = {(self.path / name).resolve() for name in contents} | ({keep.resolve()} if keep else set())
        for part in (self.path / "contracts", self.path / "tests" / "contracts"):
            for file in part.rglob("*.sol"):
                if file.resolve() not in kept:
                    file.unlink()
        done = self.forge("build", timeout_s=_BUILD_TIMEOUT_S)
        if done.returncode != 0:
            raise SystemExit((done.stderr or done.stdout)[-3000:])
        # Where the tests look for the contracts that they create.
        place = self.path / ARTIFACTS.relative_to(ROOT)
        place.mkdir(parents=True, exist_ok=True)
        for packaged in ARTIFACTS.glob("[A-Z]*.json"):
            shutil.copy(self.path / "out" / f"{packaged.stem}.sol" / packaged.name, place)

    def forge(self, *arguments: str, timeout_s: int, coinbase: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "FOUNDRY_BLOCK_COINBASE": f"0x{coinbase:040x}"}
        command = [str(ROOT / "scripts" / "forge"), *arguments]
        return subprocess.run(
            command, cwd=self.path, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def _tests(self) -> list[Path]:
        folders = [*(_TESTS / name for name in self._suites), _TESTS / "fixture", _TESTS / "cheatcodes"]
        return [path for folder in folders for path in sorted(folder.rglob("*.sol"))]


def write(path: Path, text: str) -> None:
    """A file, unless it says so already: its date tells forge what to compile."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def import_path(name: str, imported: str) -> str:
    """How the source `name` imports the source `imported`."""
    path = os.path.relpath(imported, Path(name).parent)
    return path if path.startswith(".") else f"./{path}"
