"""Run Slither over contracts/ and hold its findings to docs/proofs/slither.toml: a finding that is not explained there fails, and so does an
explanation of something that Slither no longer finds.

Slither reads the compiler's syntax trees, so nothing is compiled to code. It lives in an environment of its own (`make setup-test`).
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.prove.syntax_trees import (  # the path is set above
    CACHE,
    COMPILER,
    ROOT,
    analyse,
    collect_sources,
    standard_json,
)

EXPLANATIONS: Final = ROOT / "docs" / "proofs" / "slither.toml"
SLITHER: Final = ROOT / ".venv-proofs" / "bin" / "slither"
_TIMEOUT_S: Final = 900
_NO_CODE: Final = {"object": "", "sourceMap": ""}


class Finding(NamedTuple):
    """What a detector says of a place, which has no line number, so that an explanation outlives an edit above it."""

    detector: str
    place: str
    text: str


class Explanation(NamedTuple):
    """Why a detector's findings at some places are none. `*` in a place stands for anything."""

    detector: str
    place: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        return self.detector == finding.detector and fnmatch.fnmatchcase(finding.place, self.place)


def main() -> int:
    explanations = read_explanations()
    findings = find()
    new = [finding for finding in findings if not any(known.covers(finding) for known in explanations)]
    stale = [known for known in explanations if not any(known.covers(finding) for finding in findings)]
    for finding in new:
        print(f"not explained: {finding.detector} at {finding.place}\n{finding.text}", file=sys.stderr)
    for known in stale:
        print(f"explained, but not found any more: {known.detector} at {known.place}", file=sys.stderr)
    if new or stale:
        print(f"mend the contracts or {EXPLANATIONS.relative_to(ROOT)}", file=sys.stderr)
        return 1
    counts = Counter(finding.detector for finding in findings)
    print(
        f"Slither: {len(findings)} findings, each explained: {', '.join(f'{n} {d}' for d, n in counts.most_common())}"
    )
    return 0


def read_explanations() -> list[Explanation]:
    entries = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))["explained"]
    return [Explanation(entry["detector"], place, entry["reason"]) for entry in entries for place in entry["places"]]


def find() -> list[Finding]:
    """Every finding in contracts/, by all detectors of Slither."""
    build = CACHE / "slither"
    shutil.rmtree(build, ignore_errors=True)
    (build / "build-info").mkdir(parents=True)
    (build / "build-info" / "contracts.json").write_text(json.dumps(build_info()), encoding="utf-8")
    report = build / "report.json"
    done = subprocess.run(
        [
            str(SLITHER),
            ".",
            "--ignore-compile",
            f"--foundry-out-directory={build.relative_to(ROOT)}",
            f"--foundry-build-info-directory={(build / 'build-info').relative_to(ROOT)}",
            "--filter-paths=node_modules",
            f"--json={report}",
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{ROOT / 'scripts'}:{os.environ['PATH']}"},  # it asks forge for its settings
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )  # it exits with an error when it finds something
    if not report.is_file():
        raise SystemExit(f"Slither made no report:\n{done.stderr[-3000:]}")
    result = json.loads(report.read_text(encoding="utf-8"))
    if not result["success"]:
        raise SystemExit(f"Slither failed: {result['error']}")
    found = result["results"].get("detectors", [])
    return [Finding(each["check"], place_of(each["elements"][0]), each["description"].rstrip()) for each in found]


def build_info() -> dict[str, Any]:
    """What forge would have left of a build, with no code in it: Slither wants the fields and reads the trees."""
    sources = collect_sources()
    output = analyse(sources)
    for contracts in output["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": _NO_CODE, "deployedBytecode": _NO_CODE, "methodIdentifiers": {}}
            contract["userdoc"] = contract["devdoc"] = {}
    return {"solcVersion": COMPILER, "input": standard_json(sources), "output": output}


def place_of(element: dict[str, Any]) -> str:
    """Contract, function and variable, as far as a finding's first element has them."""
    parent = element.get("type_specific_fields", {}).get("parent")
    if element["type"] == "node":
        return place_of(parent)
    if parent and parent["type"] in {"contract", "function"}:
        return f"{place_of(parent)}.{element['name']}"
    return str(element["name"])


if __name__ == "__main__":
    if not Path(SLITHER).is_file():
        raise SystemExit("Slither is not installed here: run `make setup-test`")
    sys.exit(main())
