"""Mutation testing of JobEscrow and all that it is made of: small faults are put into the sources, one at a time, and the tests have to notice.

    scripts/mutation.py            test every mutant that has no result yet; stop and start it as you like
    scripts/mutation.py --report   write docs/proofs/mutation.json from the results
    scripts/mutation.py --check    fail unless that report is of these sources, and 95 % of the mutants are killed or explained

Results are kept under .cache by the text of the function that a mutant is in, so that after an edit only what changed is tested again. A mutant
that no test notices is explained in docs/proofs/mutation.toml, or a test is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.prove.mutant_driver import CONTRACT, Suite, source_of, suites_of
from scripts.prove.mutants import SWITCH_SOURCE, Mutant, Sources
from scripts.prove.rewritten_project import RewrittenProject, import_path, write
from scripts.prove.syntax_trees import CACHE, ROOT, analyse, collect_sources

REPORT: Final = ROOT / "docs" / "proofs" / "mutation.json"
EXPLANATIONS: Final = ROOT / "docs" / "proofs" / "mutation.toml"
RESULTS: Final = CACHE / "mutation.jsonl"
TARGETS: Final = [
    "contracts/JobEscrow.sol",
    *(f"contracts/escrow/{name}.sol" for name in ("Batches", "Collateral", "Custody", "Governance", "Standings")),
    *(
        f"contracts/libraries/{name}.sol"
        for name in (
            "AccountSlot", "ClosedJob", "JobSlot", "Payout", "RatesSlot", "ScoreSlot", "Scoring", "SignatureCheck", "StructHash",
        )
    ),
    "contracts/types/TermsRef.sol",
]  # fmt: skip
SUITES: Final = ("escrow", "libraries", "scores", "hostile", "vectors", "registry", "committee")
BAR: Final = 0.95
_BUILD_TIMEOUT_S: Final = 3_600
_RUN_TIMEOUT_S: Final = 120
_FUZZ_RUNS: Final = 256
_AT_ONCE: Final = 40
PROJECT: Final = RewrittenProject(CACHE / "mutation", SUITES, folder="suites", access="read", fuzz_runs=_FUZZ_RUNS)
DRIVER: Final = PROJECT.path / "tests" / "contracts" / "driver" / "Mutants.t.sol"
_LIKELY: Final = [
    (r"Scor|Standings|ClosedJob", ["ScoreSlotTest", "CreditScoresTest", "ScoresOfTradesTest"]),
    (r"Payout|AccountSlot|JobSlot|RatesSlot", ["PayoutTest", "SlotsTest", "AttestPassTest", "GovernanceTest"]),
    (r"Governance", ["GovernanceTest"]),
    (r"Batches", ["BatchesTest"]),
    (r"Collateral", ["CollateralTest"]),
    (r"Custody", ["CustodyTest", "OpenFromReserveTest"]),
    (r"Reserve", ["OpenFromReserveTest"]),
    (r"Permit|FromWallet", ["OpenFromWalletTest"]),
    (r"_requireOpener|_requireParty|SignatureCheck", ["OpenAuthorisationTest"]),
    (r"Admission|askGuard", ["OpenGuardTest"]),
    (r"requireClean|StructHash|\.hash|[dD]igest", ["SignedTypesTest", "OpenTest"]),
    (r"[oO]pen|_lock|_requireR|_requireTimes|TermsInHand", ["OpenTest", "AttestPassTest"]),
    (r"_pass", ["AttestPassTest", "AttestOwnTest", "AttestReadingTest"]),
    (r"_attest", ["AttestPassTest", "AttestFailTest", "AttestReadingTest"]),
    (r"_pay|_end|_settle|ToWallet|_share", ["AttestPassTest", "ReclaimTest", "FinalizeTest"]),
    (r"propose", ["ProposeTest"]),
    (r"_finalize|_close", ["FinalizeTest", "ReclaimTest", "DisputeAndRuleTest"]),
    (r"_reclaim", ["ReclaimTest"]),
    (r"dispute|rule", ["DisputeAndRuleTest"]),
    (r"agree|cancel", ["AgreeAndCancelTest"]),
]
_SWITCH: Final = "contracts/MutantSwitch.sol"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", action="store_true", help="write the report from the results so far")
    parser.add_argument(
        "--check", action="store_true", help="fail unless the committed report is fresh and good enough"
    )
    parser.add_argument(
        "--part", default="0/1", metavar="I/N", help="every Nth mutant from the Ith, to run several at once"
    )
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    mutants = mutants_of(collect_sources())
    if arguments.report:
        return report(mutants.mutants)
    build(mutants)
    run(mutants.mutants, arguments.part)
    return 0


def mutants_of(sources: dict[str, str]) -> Sources:
    return Sources(sources, analyse(sources)["sources"], TARGETS)


# ---------------------------------------------------------------- build


def build(mutants: Sources) -> None:
    """All mutants in one build of forge."""
    print(f"building {len(mutants.mutants)} mutants …", flush=True)
    rewritten = {name: mutants.rewritten(name, import_path(name, _SWITCH)) for name in TARGETS}
    PROJECT.build({**rewritten, _SWITCH: SWITCH_SOURCE}, keep=DRIVER)


# ---------------------------------------------------------------- run


def run(mutants: list[Mutant], part: str) -> None:
    """First all mutants by the driver; then forge itself fuzzes what survived that."""
    index, parts = (int(number) for number in part.split("/"))
    suites = suites_of(PROJECT.path, list(SUITES))
    left_out = failing_without_mutant(suites)
    print(
        f"{sum(len(suite.calls) for suite in suites)} calls of tests, {len(left_out)} of which need forge itself",
        flush=True,
    )
    done = results()
    waiting = [mutant for mutant in mutants if mutant.key not in done][index::parts]
    write(DRIVER, source_of(suites, left_out, {mutant.number: likely(mutant) for mutant in mutants}))
    for start in range(0, len(waiting), _AT_ONCE):
        some = waiting[start : start + _AT_ONCE]
        began = time.monotonic()
        found = driven([mutant.number for mutant in some])
        for mutant in some:
            keep(mutant, *found[mutant.number])
        killed = sum(found[mutant.number][0] == "killed" for mutant in some)
        print(
            f"{start + len(some)}/{len(waiting)}: {killed} of {len(some)} killed in {time.monotonic() - began:.0f} s",
            flush=True,
        )
    known = results()
    survivors = [m for m in mutants if known.get(m.key, {}).get("outcome") == "survived the driver"][index::parts]
    for count, mutant in enumerate(survivors, 1):
        outcome, by = tested(mutant.number)
        keep(mutant, outcome, by)
        print(
            f"{count}/{len(survivors)} {outcome}: {mutant.function}:{mutant.line} {mutant.was} → {mutant.becomes} {by}",
            flush=True,
        )


def likely(mutant: Mutant) -> list[str]:
    """Suites that should notice a mutant, so that most runs are short."""
    first = next((suites for pattern, suites in _LIKELY if re.search(pattern, f"{mutant.file} {mutant.function}")), [])
    return [*first, "BoundariesTest", "ScoresOfRulingsTest"]


def failing_without_mutant(suites: list[Suite]) -> set[tuple[str, str]]:
    write(DRIVER, source_of(suites, set(), {0: []}))
    outcome, why = driven([0])[0]
    return (
        set()
        if outcome != "killed"
        else {(artifact, place) for artifact, place in (each.split("#") for each in why.split())}
    )


def driven(numbers: list[int]) -> dict[int, tuple[str, str]]:
    """How the driver ends for each mutant, and what failed first."""
    names = "|".join(map(str, numbers))
    done = PROJECT.forge(
        "test",
        "--json",
        f"--match-contract=^{CONTRACT}$",
        f"--match-test=^test_m({names})\\(",
        timeout_s=_BUILD_TIMEOUT_S,
    )
    found = {}
    for suite in json.loads(done.stdout).values():
        for name, result in suite["test_results"].items():
            passed = result["status"] == "Success"
            number = int(name.removeprefix("test_m").removesuffix("()"))
            found[number] = ("survived the driver", "") if passed else ("killed", result["reason"] or "")
    return found


def tested(number: int) -> tuple[str, str]:
    """How the fuzz tests end with a mutant on, as often as forge runs them; the driver ran everything else as forge does."""
    arguments = ("test", "--json", "--fail-fast", f"--no-match-contract=^{CONTRACT}$", "--match-test=^testFuzz_")
    try:
        done = PROJECT.forge(*arguments, coinbase=number, timeout_s=_RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "killed", "the time it took"
    failing = [
        test
        for suite in json.loads(done.stdout).values()
        for test, result in suite["test_results"].items()
        if result["status"] == "Failure"
    ]
    return ("killed", failing[0]) if failing else ("survived", "")


def keep(mutant: Mutant, outcome: str, by: str) -> None:
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": mutant.key, "outcome": outcome, "by": by}) + "\n")


def results() -> dict[str, dict[str, Any]]:
    if not RESULTS.is_file():
        return {}
    lines = [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]
    return {line["key"]: line for line in lines}


# ---------------------------------------------------------------- report


def report(mutants: list[Mutant]) -> int:
    done = results()
    missing = [mutant for mutant in mutants if mutant.key not in done]
    if missing:
        print(f"{len(missing)} mutants have no result yet: run scripts/mutation.py", file=sys.stderr)
        return 1
    files: dict[str, dict[str, int]] = defaultdict(lambda: {"mutants": 0, "killed": 0})
    survivors = []
    for mutant in mutants:
        killed = done[mutant.key]["outcome"] == "killed"
        files[mutant.file]["mutants"] += 1
        files[mutant.file]["killed"] += killed
        if not killed:
            survivors.append({"in": mutant.function, "line": mutant.line, "was": mutant.was, "becomes": mutant.becomes})
    content = {
        "sources": digest(),
        "mutants": len(mutants),
        "killed": len(mutants) - len(survivors),
        "files": dict(sorted(files.items())),
        "survivors": sorted(survivors, key=lambda each: (str(each["in"]), each["line"])),
    }
    REPORT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{content['killed']} of {content['mutants']} mutants killed")
    return check()


def check() -> int:
    found = json.loads(REPORT.read_text(encoding="utf-8"))
    if found["sources"] != digest():
        print("docs/proofs/mutation.json is of other sources: run scripts/mutation.py, then --report", file=sys.stderr)
        return 1
    explanations = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))["explained"]
    used: set[int] = set()
    bare = []
    for survivor in found["survivors"]:
        reasons = [index for index, known in enumerate(explanations) if explains(known, survivor)]
        used.update(reasons)
        if not reasons:
            bare.append(survivor)
    stale = [known for index, known in enumerate(explanations) if index not in used]
    for known in stale:
        print(f"explained, but killed: {known['in']}: {known['was']}", file=sys.stderr)
    accounted = (found["mutants"] - len(bare)) / found["mutants"]
    print(
        f"mutants: {found['killed']} of {found['mutants']} killed, {len(found['survivors']) - len(bare)} explained, "
        f"{len(bare)} neither ({accounted:.1%} accounted for)"
    )
    return 1 if stale or accounted < BAR else 0


def explains(known: dict[str, Any], survivor: dict[str, Any]) -> bool:
    """`was` and `becomes` are regular expressions for the whole text; without them any change of the function."""
    return (
        re.fullmatch(known["in"], survivor["in"]) is not None
        and re.fullmatch(known.get("was", ".*"), survivor["was"]) is not None
        and re.fullmatch(known.get("becomes", ".*"), survivor["becomes"]) is not None
    )


def digest() -> str:
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in TARGETS}
    return hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    if not shutil.which("node"):
        raise SystemExit("Node is needed: run `make setup-test`")
    sys.exit(main())
