"""Compile contracts/ into the artifacts that the package carries, with py-solc-x from one standard JSON.

Run it after every change of a contract; `--check` recompiles and fails when the committed artifacts differ, and `--stale` fails when they say
themselves that they are of other sources, compiler or settings.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path, PurePosixPath
from typing import Any, Final

import solcx

ROOT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = ROOT / "contracts"
ARTIFACTS: Final = ROOT / "backend" / "computility" / "chain" / "artifacts"
SOLC: Final = ROOT / "scripts" / "solc"
COMPILER: Final = "0.8.30"
# solc's own sequence without F, the function specialiser: it clones every function that is called with a constant, which makes the
# escrow 37 KB, where 24 KB can be deployed.
YUL_STEPS: Final = (
    "dhfoDgvulfnTUtnIf[xa[r]EscLMcCTUtTOntnfDIulLculVcul[j]Tpeulxa[rul]xa[r]cLgvifMCTUca[r]LSsTOtfDnca[r]Iulc]"
    "jmul[jul]VcTOculjmul:fDnTOcmu"
)
# The same as in foundry.toml and brownie-config.yaml.
SETTINGS: Final[dict[str, Any]] = {
    "evmVersion": "shanghai",
    "optimizer": {
        "enabled": True,
        "runs": 1_000,
        "details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": YUL_STEPS}},
    },
    "viaIR": True,
    "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
    "outputSelection": {
        "*": {
            "": ["ast"],
            "*": [
                "abi",
                "evm.bytecode.object",
                "evm.deployedBytecode.object",
                "evm.deployedBytecode.immutableReferences",
            ],
        }
    },
}
_IMPORT: Final = re.compile(r"""^\s*import\s[^;]*?["']([^"']+)["']""", re.MULTILINE)
_DEPLOYED_CODE_LIMIT: Final = 24_576


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="recompile, write nothing, fail on drift")
    parser.add_argument(
        "--stale", action="store_true", help="compile nothing, fail when the artifacts are of other sources"
    )
    arguments = parser.parse_args()

    sources = collect_sources()
    digest = source_digest(sources)
    if arguments.stale:
        return report_staleness(digest)
    if not arguments.check and digest == committed_digest():
        print("artifacts are up to date with contracts/")
        return 0
    print(f"compiling {len(sources)} sources with solc {COMPILER}; the WebAssembly build takes a minute …", flush=True)
    artifacts = compile_sources(sources)
    artifacts["sources.json"] = to_json({"sha256": digest, "compiler": COMPILER, "settings": SETTINGS})
    if arguments.check:
        return report_drift(artifacts)
    write(artifacts)
    print(f"wrote {len(artifacts) - 1} artifacts to {ARTIFACTS.relative_to(ROOT)}")
    return 0


def collect_sources() -> dict[str, str]:
    """Every file of contracts/ and all that it imports, by the path that the compiler sees."""
    sources: dict[str, str] = {}
    waiting = sorted(path.relative_to(ROOT).as_posix() for path in CONTRACTS.rglob("*.sol"))
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        path = ROOT / name
        if not path.is_file():
            raise SystemExit(f"{name} is imported but missing; run `make setup` first")
        sources[name] = path.read_text(encoding="utf-8")
        waiting += [resolve_import(name, imported) for imported in _IMPORT.findall(sources[name])]
    return dict(sorted(sources.items()))


def resolve_import(importer: str, imported: str) -> str:
    """Path of an imported file, from the checkout's top."""
    if not imported.startswith("."):
        return f"node_modules/{imported}"
    parts: list[str] = list(PurePosixPath(importer).parent.parts)
    for part in PurePosixPath(imported).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def source_digest(sources: dict[str, str]) -> str:
    """SHA-256 over sources, settings and compiler."""
    return hashlib.sha256(to_json([COMPILER, SETTINGS, sources]).encode()).hexdigest()


def committed_digest() -> str | None:
    path = ARTIFACTS / "sources.json"
    return json.loads(path.read_text())["sha256"] if path.is_file() else None


def compile_sources(sources: dict[str, str]) -> dict[str, str]:
    """Artifact files by name, for every contract of ours that can be deployed and every interface of ours."""
    standard_json = {
        "language": "Solidity",
        "sources": {name: {"content": content} for name, content in sources.items()},
        "settings": SETTINGS,
    }
    output = solcx.compile_standard(standard_json, solc_binary=SOLC, allow_empty=False)
    for message in output.get("errors", []):
        print(message["formattedMessage"], file=sys.stderr)
    artifacts: dict[str, str] = {}
    names = immutable_names([source["ast"] for source in output["sources"].values()])
    for source, contracts in output["contracts"].items():
        if not source.startswith("contracts/"):
            continue
        for name, contract in contracts.items():
            bytecode = contract["evm"]["bytecode"]["object"]
            deployed = contract["evm"]["deployedBytecode"]["object"]
            if not bytecode or source.startswith(("contracts/libraries/", "contracts/types/")):
                continue  # interfaces and abstract contracts have no code, and the libraries are inlined
            if len(deployed) // 2 > _DEPLOYED_CODE_LIMIT:
                raise SystemExit(f"{name} is {len(deployed) // 2} bytes, over the limit of {_DEPLOYED_CODE_LIMIT}")
            artifacts[f"{name}.json"] = to_json(
                {
                    "contractName": name,
                    "sourceName": source,
                    "abi": contract["abi"],
                    "bytecode": f"0x{bytecode}",
                    "deployedBytecode": f"0x{deployed}",
                    "immutables": {
                        names[node]: [[place["start"], place["length"]] for place in places]
                        for node, places in contract["evm"]["deployedBytecode"].get("immutableReferences", {}).items()
                    },
                }
            )
    return artifacts


def immutable_names(tree: Any) -> dict[str, str]:
    """Names of all immutable variables by the id of their declaration, which is how the compiler tells where their values go."""
    found: dict[str, str] = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("nodeType") == "VariableDeclaration" and node.get("mutability") == "immutable":
                found[str(node["id"])] = node["name"]
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found


def report_staleness(digest: str) -> int:
    """Whether artifacts were changed by hand is left to `--check`, which compiles."""
    if committed_digest() == digest:
        return 0
    print("the packaged artifacts are of other contracts than contracts/: run scripts/compile.py", file=sys.stderr)
    return 1


def report_drift(artifacts: dict[str, str]) -> int:
    committed = {path.name: path.read_text(encoding="utf-8") for path in ARTIFACTS.glob("*.json")}
    drifted = sorted(name for name in artifacts.keys() | committed.keys() if artifacts.get(name) != committed.get(name))
    if drifted:
        print(f"artifacts differ from contracts/: {', '.join(drifted)}; run scripts/compile.py", file=sys.stderr)
    return 1 if drifted else 0


def write(artifacts: dict[str, str]) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for stale in ARTIFACTS.glob("*.json"):
        if stale.name not in artifacts:
            stale.unlink()
    for name, content in artifacts.items():
        (ARTIFACTS / name).write_text(content, encoding="utf-8")


def to_json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
