"""Line and branch coverage of the contracts by their unit and fuzz tests, written to docs/proofs/coverage.json.

    scripts/prove/coverage.py            build the contracts with probes, run the tests, write the report (minutes, most of it compiling)
    scripts/prove/coverage.py --check    fail unless that report is of these contracts and reaches the bars

A line is covered when every statement that begins on it ran. A branch is one side of a condition that `if`, `?:` or a loop asks, taken apart at `&&`
and `||`, or one end of a `try`; it is covered when the condition was so. scripts/prove/probes.py puts the probes in.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.prove.probes import FOLDER, PROBE_SOURCE, Probes
from scripts.prove.rewritten_project import RewrittenProject, import_path
from scripts.prove.syntax_trees import CACHE, ROOT, analyse, collect_sources

REPORT: Final = ROOT / "docs" / "proofs" / "coverage.json"
LINES: Final = 0.99
BRANCHES: Final = 0.95
SUITES: Final = (
    "arbitration",
    "committee",
    "credit",
    "escrow",
    "hostile",
    "interop",
    "libraries",
    "registry",
    "scores",
    "timelock",
    "vectors",
)
# Interfaces and types have no code, but for the reference to terms; what is in dev/ never holds money.
_MEASURED: Final = (
    "contracts/*.sol",
    "contracts/arbitration/*.sol",
    "contracts/committee/*.sol",
    "contracts/escrow/*.sol",
    "contracts/interop/*.sol",
    "contracts/libraries/*.sol",
    "contracts/types/TermsRef.sol",
)
_PROBE: Final = "contracts/Probe.sol"
_PROJECT: Final = CACHE / "coverage"
_FUZZ_RUNS: Final = 64
# It weighs the gas of a call, and probes cost gas.
_WEIGHS_GAS: Final = "test_AVerifierThatFloods_CostsLittle_AndItsFirstWordCounts"
_RUN_TIMEOUT_S: Final = 1_800


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="fail unless the committed report is fresh and reaches the bars"
    )
    if not parser.parse_args().check:
        sources = collect_sources()
        probes = Probes(sources, analyse(sources)["sources"], measured())
        REPORT.write_text(
            json.dumps(report(probes, hits(probes)), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return check()


def measured() -> list[str]:
    """The contracts that hold money, what they inherit and the libraries that are compiled into them."""
    return sorted(path.relative_to(ROOT).as_posix() for pattern in _MEASURED for path in ROOT.glob(pattern))


def hits(probes: Probes) -> set[int]:
    """The probes that the tests came by."""
    project = RewrittenProject(_PROJECT, SUITES, folder=FOLDER, access="read-write", fuzz_runs=_FUZZ_RUNS)
    rewritten = {name: probes.rewritten(name, import_path(name, _PROBE)) for name in measured()}
    print(f"building {len(rewritten)} contracts with probes …", flush=True)
    project.build({**rewritten, _PROBE: PROBE_SOURCE})
    shutil.rmtree(_PROJECT / FOLDER, ignore_errors=True)
    (_PROJECT / FOLDER).mkdir()
    print("running the tests …", flush=True)
    done = project.forge("test", "--json", f"--no-match-test={_WEIGHS_GAS}", timeout_s=_RUN_TIMEOUT_S)
    failing = [
        f"{suite.rsplit(':', 1)[-1]}.{test}: {result['reason']}"
        for suite, results in json.loads(done.stdout).items()
        for test, result in results["test_results"].items()
        if result["status"] == "Failure"
    ]
    if failing:
        raise SystemExit("\n".join(["tests fail with probes in the contracts:", *failing]))
    return {int(path.name) for path in (_PROJECT / FOLDER).iterdir()}


def report(probes: Probes, hit: set[int]) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for name in measured():
        ran: dict[int, bool] = defaultdict(lambda: True)
        for statement in probes.statements:
            if statement.file == name:
                ran[statement.line] &= statement.probe in hit
        sides = [side for side in probes.sides if side.file == name]
        missed = [side for side in sides if side.probe not in hit]
        files[name] = {
            "lines": len(ran),
            "lines covered": sum(ran.values()),
            "branches": len(sides),
            "branches covered": len(sides) - len(missed),
            "lines missed": sorted(line for line, covered in ran.items() if not covered),
            "branches missed": [
                {"in": side.function, "line": side.line, "condition": side.condition, "never": side.side}
                for side in missed
            ],
        }
    return {"sources": digest(), "files": files}


def check() -> int:
    content = json.loads(REPORT.read_text(encoding="utf-8"))
    if content["sources"] != digest():
        print("docs/proofs/coverage.json is of other contracts: run scripts/prove/coverage.py", file=sys.stderr)
        return 1
    total = {
        key: sum(file[key] for file in content["files"].values())
        for key in ("lines", "lines covered", "branches", "branches covered")
    }
    lines = total["lines covered"] / total["lines"]
    branches = total["branches covered"] / total["branches"]
    print(
        f"coverage: {total['lines covered']} of {total['lines']} lines ({lines:.2%}), "
        f"{total['branches covered']} of {total['branches']} branches ({branches:.2%})"
    )
    if lines < LINES or branches < BRANCHES:
        print(f"the bars are {LINES:.0%} of lines and {BRANCHES:.0%} of branches", file=sys.stderr)
        return 1
    return 0


def digest() -> str:
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in measured()}
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
