"""Line and branch coverage of the contracts that hold money, by forge, written to docs/proofs/coverage.json.

    scripts/prove/coverage.py            run the tests with coverage (ten minutes of an idle machine, most of it compiling) and write the report
    scripts/prove/coverage.py --check    fail unless that report is of these contracts and reaches the bars

forge's source maps lose inline assembly once the compiler has put it in line. A statement of assembly outside a condition runs whenever what it
stands in does, so it counts as often as the branch or, without one, the function around it; a condition inside assembly is what forge says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.prove.syntax_nodes import Node, span, walk
from scripts.prove.syntax_trees import ROOT, analyse, collect_sources

REPORT: Final = ROOT / "docs" / "proofs" / "coverage.json"
LCOV: Final = ROOT / ".cache" / "prove" / "lcov.info"
MONEY: Final = [
    "contracts/ComputeCredit.sol",
    "contracts/JobEscrow.sol",
    "contracts/ProviderRegistry.sol",
    "contracts/VerifierCommittee.sol",
    "contracts/Arbitration.sol",
    "contracts/CreditScores.sol",
]
PARENTS: Final = (
    "contracts/escrow",
    "contracts/committee",
    "contracts/arbitration",
    "contracts/registry",
    "contracts/libraries",
)
TERMS: Final = "contracts/types/TermsRef.sol"
LINES: Final = 0.99
BRANCHES: Final = 0.95
_FUZZ_RUNS: Final = "64"
_TIMEOUT_S: Final = 3 * 3_600


@dataclass
class Covered:
    """One file: how often each line, each side of a branch (line, branch, side) and each function (by its line) ran."""

    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[tuple[int, str, str], int] = field(default_factory=dict)
    functions: dict[int, int] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="fail unless the committed report is fresh and reaches the bars"
    )
    parser.add_argument("--lcov", type=Path, help="an lcov file that forge has written already")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    if arguments.lcov is None:
        run()
    files = read(arguments.lcov or LCOV)
    trees = analyse(collect_sources())["sources"]
    content = {
        "sources": digest(),
        "files": {name: measured(name, files[name], trees[name]["ast"]) for name in money()},
    }
    REPORT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return check()


def money() -> list[str]:
    """The contracts that hold money, what they inherit and the libraries that are compiled into them."""
    parents = [
        path.relative_to(ROOT).as_posix() for folder in PARENTS for path in sorted((ROOT / folder).glob("*.sol"))
    ]
    return sorted([*MONEY, *parents, TERMS])


def run() -> None:
    """forge's own coverage, in a profile with one set of settings for contracts and tests."""
    LCOV.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(ROOT / "scripts" / "forge"),
        "coverage",
        "--ir-minimum",  # without it the stack is too deep
        "--report=lcov",
        f"--report-file={LCOV}",
        "--no-match-path=tests/contracts/{invariants,gas,halmos}/*",
    ]
    environment = {**os.environ, "FOUNDRY_PROFILE": "coverage", "FOUNDRY_FUZZ_RUNS": _FUZZ_RUNS}
    # A session of its own, so that the compiler ends with forge: it would go on for an hour and hold a core.
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as forge:
        try:
            code = forge.wait(_TIMEOUT_S)
        except BaseException:
            os.killpg(forge.pid, signal.SIGKILL)
            raise
    if code != 0:
        raise SystemExit("forge could not measure, or a test failed")


def read(path: Path) -> dict[str, Covered]:
    files: dict[str, Covered] = {}
    current = Covered()
    names: dict[str, int] = {}
    for row in path.read_text(encoding="utf-8").splitlines():
        kind, _, rest = row.partition(":")
        if kind == "SF":
            current, names = files.setdefault(rest, Covered()), {}
        elif kind == "DA":
            line, count = rest.split(",")
            current.lines[int(line)] = int(count)
        elif kind == "BRDA":
            line, block, side, count = rest.split(",")
            current.branches[int(line), block, side] = 0 if count == "-" else int(count)
        elif kind == "FN":
            line, name = rest.split(",", 1)
            names[name] = int(line)
        elif kind == "FNDA":
            count, name = rest.split(",", 1)
            current.functions[names[name]] = current.functions.get(names[name], 0) + int(count)
    return files


def measured(name: str, covered: Covered, tree: Node) -> dict[str, Any]:
    text = (ROOT / name).read_bytes()
    lines = dict(covered.lines)
    for line, count in assembly_lines(tree, text, covered).items():
        if line in lines:
            lines[line] = max(lines[line], count)
    return {
        "lines": len(lines),
        "lines covered": sum(count > 0 for count in lines.values()),
        "branches": len(covered.branches),
        "branches covered": sum(count > 0 for count in covered.branches.values()),
        "lines missed": sorted(line for line, count in lines.items() if count == 0),
        "branches missed": sorted({line for (line, _, _), count in covered.branches.items() if count == 0}),
    }


def assembly_lines(tree: Node, text: bytes, covered: Covered) -> dict[int, int]:
    """How often each line of assembly outside a condition of its own ran: as often as what it stands in."""
    counts: dict[int, int] = {}

    def line_of(offset: int) -> int:
        return text[:offset].count(b"\n") + 1

    def visit(node: Any, times: int) -> None:
        if isinstance(node, list):
            for each in node:
                visit(each, times)
        elif isinstance(node, dict) and node.get("nodeType") == "FunctionDefinition":
            visit(node.get("body"), covered.functions.get(line_of(span(node)[0]), 0))
        elif isinstance(node, dict) and node.get("nodeType") == "IfStatement":
            line = line_of(span(node)[0])
            sides = [count for (at, _, side), count in sorted(covered.branches.items()) if at == line]
            visit(node["trueBody"], sides[0] if sides else times)
            visit(node.get("falseBody"), sides[1] if len(sides) > 1 else times)
        elif isinstance(node, dict) and node.get("nodeType") == "InlineAssembly":
            inner = [
                span(part) for part in walk(node["AST"]) if part["nodeType"] in {"YulIf", "YulForLoop", "YulSwitch"}
            ]
            first, last = (line_of(offset) for offset in span(node["AST"]))
            apart = {line for start, end in inner for line in range(line_of(start), line_of(end - 1) + 1)}
            counts.update({line: times for line in range(first, last + 1) if line not in apart})
        elif isinstance(node, dict):
            for child in node.values():
                visit(child, times)

    visit(tree["nodes"], 0)
    return counts


def check() -> int:
    content = json.loads(REPORT.read_text(encoding="utf-8"))
    if content["sources"] != digest():
        print("docs/proofs/coverage.json is of other contracts: run make prove", file=sys.stderr)
        return 1
    files = content["files"].values()
    lines = sum(file["lines covered"] for file in files) / sum(file["lines"] for file in files)
    branches = sum(file["branches covered"] for file in files) / sum(file["branches"] for file in files)
    print(f"coverage of the contracts that hold money: {lines:.2%} of lines, {branches:.2%} of branches")
    if lines < LINES or branches < BRANCHES:
        print(f"the bars are {LINES:.0%} and {BRANCHES:.0%}", file=sys.stderr)
        return 1
    return 0


def digest() -> str:
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in money()}
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
