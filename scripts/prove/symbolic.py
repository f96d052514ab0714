"""Run Halmos over tests/contracts/halmos: for all words and amounts at once, not for some.

    scripts/prove/symbolic.py            prove every check, see that planted faults are found, write docs/proofs/symbolic.json
    scripts/prove/symbolic.py --check    fail unless that report is of these sources and proves every check

It takes minutes, so `make check` reads the report; `make prove` makes it. Halmos lives in an environment of its own (`make setup-test`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
REPORT: Final = ROOT / "docs" / "proofs" / "symbolic.json"
SOLVER: Final = ROOT / "scripts" / "prove" / "solver.py"
CHECKS: Final = ROOT / "tests" / "contracts" / "halmos"
PROVED: Final = [
    *(
        f"contracts/libraries/{name}.sol"
        for name in ("AccountSlot", "ClosedJob", "JobSlot", "Payout", "RatesSlot", "ScoreSlot")
    ),
    "contracts/types/TermsRef.sol",
]
# Faults that somebody could make, and the check that has to find each.
PLANTED: Final = [
    ("AccountSlot", "_require(sum.free() >= amount);", "", "check_PlusFree_AddsExactly_OrReverts"),
    ("JobSlot", "DEADLINE = 149", "DEADLINE = 148", "check_Waiting_WritesTheWindowAlone"),
    ("ScoreSlot", "room = WEIGHT_MAX - uint32(word);", "room = WEIGHT_MAX;", "check_Earn_NeverLowers_NorOverflows_TheCredit"),
    ("Payout", "bondLeft -= slash;", "", "check_Split_ConservesTheBond"),
    ("Payout", "refund += s.arbiterFromBond;", "", "check_Split_ConservesTheEscrow"),
    ("ScoreSlot", "4 * good >= 3 * all", "4 * good <= 3 * all", "check_Tier_NeverFallsByCredit"),
    ("ScoreSlot", "5 * good >= 3 * all", "5 * good <= 3 * all", "check_Tier_NeverRisesByDebit"),
    ("RatesSlot", "BOND_BITS * tier)) & BOND_MASK", "BOND_BITS * (3 - tier))) & BOND_MASK", "check_ABetterTier_NeverPaysMore_NorHasLessRoom"),
]  # fmt: skip
_ENVIRONMENT: Final = ROOT / ".venv-proofs" / "bin"
_WORK: Final = ROOT / ".cache" / "prove" / "symbolic"
_AT_ONCE: Final = 2
# Exit codes of Halmos; the others say that it could not tell.
_PROVED: Final = 0
_COUNTEREXAMPLE: Final = 1
_TIMEOUT_S: Final = 1_800
# solver.py ends by itself before.
_QUERY_TIMEOUT: Final = "600s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail unless the committed report is fresh and complete")
    if parser.parse_args().check:
        return check()
    if not (_ENVIRONMENT / "halmos").is_file():
        raise SystemExit("Halmos is not installed here: run `make setup-test`")
    proofs = prove()
    failed = [proof for proof in proofs if not proof["proved"]]
    for proof in failed:
        print(f"not proved: {proof['check']}", file=sys.stderr)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        seen = list(threads.map(lambda fault: found(*fault), PLANTED))
    planted = [
        {"in": name, "was": was, "becomes": becomes, "check": by, "found": was_found}
        for (name, was, becomes, by), was_found in zip(PLANTED, seen, strict=True)
    ]
    for fault in planted:
        print(
            f"planted in {fault['in']}: {fault['was']} → {fault['becomes'] or 'nothing'}: {'found' if fault['found'] else 'NOT FOUND'}"
        )
    if failed or not all(fault["found"] for fault in planted):
        return 1
    content = {"sources": digest(), "checks": proofs, "planted faults": planted}
    REPORT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return check()


def prove() -> list[dict[str, Any]]:
    """Halmos' word on each check of this checkout."""
    return [
        {
            "check": check,
            "proved": code == _PROVED,
            "paths": test["num_paths"][0] if test["num_paths"] else 0,
            "seconds": round(test["time"][0], 1) if test["time"] else 0,
        }
        for check, code, test in outcomes(ROOT, "")
    ]


def outcomes(project: Path, check_name: str) -> list[tuple[str, int, dict[str, Any]]]:
    """Name, exit code and details of each check of a project, or of one of them."""
    out = project / ".cache" / "prove" / "symbolic-out"
    report = project / ".cache" / "prove" / "symbolic.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "FOUNDRY_PROFILE": "halmos",
        "FOUNDRY_OUT": str(out),
        "FOUNDRY_CACHE_PATH": str(project / ".cache" / "prove" / "symbolic-cache"),
        "PATH": f"{ROOT / 'scripts'}:{_ENVIRONMENT}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        [
            str(_ENVIRONMENT / "halmos"),
            f"--forge-build-out={out.relative_to(project)}",
            f"--solver-command={_ENVIRONMENT / 'python'} {SOLVER}",
            f"--solver-timeout-assertion={_QUERY_TIMEOUT}",
            "--loop=8",
            "--no-status",
            f"--json-output={report}",
            *([f"--match-test=^{check_name}"] if check_name else []),
        ],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )  # it exits with an error when a check fails
    if not report.is_file():
        raise SystemExit(f"Halmos made no report:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    results = json.loads(report.read_text(encoding="utf-8"))["test_results"]
    return [
        (f"{contract.rsplit(':', 1)[-1]}.{test['name'].split('(')[0]}", test["exitcode"], test)
        for contract, tests in sorted(results.items())
        for test in sorted(tests, key=lambda test: str(test["name"]))
    ]


def found(name: str, was: str, becomes: str, by: str) -> bool:
    """Whether Halmos shows values for which a check fails when a library has a fault."""
    project = _WORK / by
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    for folder in ("contracts", "tests/contracts/halmos", "tests/contracts/cheatcodes"):
        shutil.copytree(ROOT / folder, project / folder)
    shutil.copy(ROOT / "foundry.toml", project / "foundry.toml")
    for link in ("node_modules", "scripts"):
        (project / link).symlink_to(ROOT / link)
    path = project / "contracts" / "libraries" / f"{name}.sol"
    text = path.read_text(encoding="utf-8")
    assert text.count(was) == 1, f"{was} is not once in {name}"
    path.write_text(text.replace(was, becomes), encoding="utf-8")
    return any(code == _COUNTEREXAMPLE for _, code, _ in outcomes(project, by))


def check() -> int:
    content = json.loads(REPORT.read_text(encoding="utf-8"))
    if content["sources"] != digest():
        print("docs/proofs/symbolic.json is of other sources: run make prove", file=sys.stderr)
        return 1
    written = {name for path in CHECKS.glob("*.sol") for name in re.findall(r"function (check_\w+)", path.read_text())}
    proved = {proof["check"].split(".")[1] for proof in content["checks"] if proof["proved"]}
    if written != proved:
        print(f"not proved: {', '.join(sorted(written - proved))}", file=sys.stderr)
        return 1
    seconds = sum(proof["seconds"] for proof in content["checks"])
    print(
        f"Halmos: {len(proved)} checks proved in {seconds:.0f} s; {len(content['planted faults'])} planted faults found"
    )
    return 0


def digest() -> str:
    paths = [*(ROOT / name for name in PROVED), *sorted(CHECKS.glob("*.sol"))]
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
