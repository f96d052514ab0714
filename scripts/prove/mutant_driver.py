"""One test of forge for each mutant: it puts the mutant on, and runs every test of the suites until one fails.

A process for each mutant would spend most of its time on starting. Here a mutant costs what the tests cost that it takes to notice it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode

CONTRACT: Final = "MutantsTest"
_FUZZ_CALLS: Final = 6
_EDGES: Final = (0, 1, 2, 7, 10_000)
# An endless loop is over after this, and a test takes a tenth of it.
_GAS_A_TEST: Final = 400_000_000
_HEAD: Final = """// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {{Test}} from "../cheatcodes/Test.sol";

interface Cheats {{
    function coinbase(address account) external;
    function allowCheatcodes(address account) external;
    function readFileBinary(string calldata path) external view returns (bytes memory);
}}

contract Leftovers {{
    function clear(Test) external {{
        (bool ignored,) = address(uint160(uint256(keccak256("hevm cheat code")))).call(abi.encodeWithSignature("stopPrank()"));
        ignored;
    }}
}}

contract {contract} is Test {{
    bytes private constant REJECTED = "FOUNDRY::ASSUME";
    Leftovers private immutable LEFTOVERS = new Leftovers();
    string private failures;

    function on(uint256 mutant, string memory artifact, bool setsUp, bytes[] memory calls) private {{
        bytes memory code = Cheats(address(vm)).readFileBinary(string.concat("suites/", artifact));
        address suite;
        assembly ("memory-safe") {{ suite := create(0, add(code, 0x20), mload(code)) }}
        if (suite == address(0)) return note(mutant, artifact, "constructor");
        Cheats(address(vm)).allowCheatcodes(suite);
        bool passed;
        if (setsUp) {{
            (passed,) = suite.call{{gas: {gas}}}(abi.encodeWithSignature("setUp()"));
            if (!passed) return note(mutant, artifact, "setUp");
        }}
        for (uint256 i; i < calls.length; ++i) {{
            uint256 before = vm.snapshotState();
            bytes memory why;
            (passed, why) = suite.call{{gas: {gas}}}(calls[i]);
            if (!passed && keccak256(why) != keccak256(REJECTED)) note(mutant, artifact, vm.toString(i));
            LEFTOVERS.clear(this);
            vm.clearMockedCalls();
            vm.revertToState(before);
        }}
    }}

    /// @dev With a mutant on the first failure ends it; without one all are told.
    function note(uint256 mutant, string memory artifact, string memory what) private {{
        failures = string.concat(failures, artifact, "#", what, " ");
        if (mutant > 0) revert(failures);
        kept.push(string.concat(artifact, "#", what));
    }}

    string[] private kept;

    function likely(function(uint256) suite, uint256 mutant) private {{
        Cheats(address(vm)).coinbase(address(uint160(mutant)));
        suite(mutant);
    }}

    function drive(uint256 mutant) private {{
        if (mutant > 0) Cheats(address(vm)).coinbase(address(uint160(mutant)));
{runs}
        if (kept.length > 0) {{
            string memory all;
            for (uint256 i; i < kept.length; ++i) {{
                all = string.concat(all, kept[i], " ");
            }}
            revert(all);
        }}
    }}

"""


class Suite:
    """A contract of tests by its name, and one call for each test, several for a fuzzed one."""

    def __init__(self, artifact: str, abi: list[dict[str, Any]]) -> None:
        self.artifact = artifact
        self.sets_up = any(function.get("name") == "setUp" for function in abi)
        self.calls: list[tuple[str, bytes]] = []
        chance = random.Random(artifact)  # noqa: S311  # the same inputs each time
        for function in abi:
            if function["type"] != "function" or not function["name"].startswith("test"):
                continue
            types = [type_of(parameter) for parameter in function["inputs"]]
            selector = selector_of(function["name"], types)
            for _ in range(_FUZZ_CALLS if types else 1):
                values = [value_of(parameter, chance) for parameter in function["inputs"]]
                self.calls.append((function["name"], selector + encode(types, values)))


def suites_of(project: Path, order: list[str]) -> list[Suite]:
    """Every contract of tests that forge built, the folders in `order` first. Their code is left where the driver reads it."""
    found = []
    (project / "suites").mkdir(exist_ok=True)
    for path in sorted(project.glob("out/*.t.sol/*.json")):
        artifact = json.loads(path.read_text(encoding="utf-8"))
        if len(artifact["bytecode"]["object"]) <= len("0x"):
            continue
        suite = Suite(path.stem, artifact["abi"])
        (project / "suites" / path.stem).write_bytes(bytes.fromhex(artifact["bytecode"]["object"].removeprefix("0x")))
        source = next(iter(artifact["metadata"]["settings"]["compilationTarget"]))
        folder = source.split("/")[2]
        if suite.calls and folder in order:
            found.append((order.index(folder), suite))
    return [suite for _, suite in sorted(found, key=lambda pair: pair[0])]


def source_of(suites: list[Suite], left_out: set[tuple[str, str]], numbers: dict[int, list[str]]) -> str:
    """The driver for mutants by number, each with the suites that are likely to notice it, which go first.

    Calls in `left_out` (artifact, place) fail without any mutant.
    """
    functions, runs = [], []
    for index, suite in enumerate(suites):
        calls = [call for place, (_, call) in enumerate(suite.calls) if (suite.artifact, str(place)) not in left_out]
        runs.append(f"        suite{index}(mutant);")
        lines = "".join(f'        calls[{place}] = hex"{call.hex()}";\n' for place, call in enumerate(calls))
        functions.append(
            f"    function suite{index}(uint256 mutant) private {{\n        bytes[] memory calls = new bytes[]({len(calls)});\n{lines}"
            f'        on(mutant, "{suite.artifact}", {str(suite.sets_up).lower()}, calls);\n    }}\n'
        )
    tests = "".join(
        f"    function test_m{number}() external {{\n        drive({number});\n    }}\n" for number in numbers
    )
    return _HEAD.format(contract=CONTRACT, gas=_GAS_A_TEST, runs="\n".join(runs)) + "\n".join(functions) + tests + "}\n"


def type_of(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_of(part) for part in parameter['components'])}){kind.removeprefix('tuple')}"


def selector_of(name: str, types: list[str]) -> bytes:
    from eth_utils.crypto import keccak

    return bytes(keccak(text=f"{name}({','.join(types)})")[:4])


def value_of(parameter: dict[str, Any], chance: random.Random) -> Any:
    """A value of a type, now an edge and now any."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        head, size = kind.rsplit("[", 1)
        count = int(size[:-1]) if size != "]" else chance.randrange(4)
        return [value_of({**parameter, "type": head}, chance) for _ in range(count)]
    if kind == "tuple":
        return tuple(value_of(part, chance) for part in parameter["components"])
    if kind == "bool":
        return chance.random() < 0.5
    if kind == "address":
        return f"0x{chance.getrandbits(160):040x}"
    if kind in {"bytes", "string"}:
        data = chance.randbytes(chance.randrange(100))
        return data if kind == "bytes" else data.hex()
    if kind.startswith("bytes"):
        return chance.randbytes(int(kind.removeprefix("bytes")))
    bits = int(kind.removeprefix("u").removeprefix("int") or 256)
    top = 2**bits - 1 if kind.startswith("u") else 2 ** (bits - 1) - 1
    return min(top, chance.choice([*_EDGES, top, chance.getrandbits(bits), chance.getrandbits(max(1, bits // 2))]))
