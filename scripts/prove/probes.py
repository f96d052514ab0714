"""Solidity sources with a probe before each statement and around each condition: what ran, and what was both true and false.

A probe writes an empty file by a cheatcode of forge. What a cheatcode does outside the chain outlives a revert, so a call that fails counts as far
as it went. A probe leaves storage, logs, memory in use and returned data as they are.

A condition is what `if`, `?:` and loops ask, taken apart at `&&` and `||`: each part has two sides, and so have the ends of a `try`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from scripts.prove.syntax_nodes import Node, span

FOLDER: Final = "hits"
_HIT: Final = "probeHit"
_SEEN: Final = "probeSeen"
_LOOPS: Final = {"ForStatement", "WhileStatement", "DoWhileStatement"}
_BLOCKS: Final = {"Block", "UncheckedBlock"}
_YUL_STATEMENTS: Final = {
    "YulAssignment",
    "YulVariableDeclaration",
    "YulExpressionStatement",
    "YulIf",
    "YulSwitch",
    "YulForLoop",
}
# forge's cheatcodes, and the selector of writeFile(string,string). The call is made beyond what a block of assembly uses of free memory, and what the
# last call returned is returned again by the identity precompile: up to 4 KiB of it, which is more than any contract of ours looks at.
_WRITE: Final = """
        let size_ := returndatasize()
        if gt(size_, 0x1000) { size_ := 0x1000 }
        let at_ := add(mload(0x40), 0x1000)
        mstore(at_, shl(224, 0x897e0a97))
        mstore(add(at_, 0x04), 0x40)
        mstore(add(at_, 0x24), 0x80)
        mstore(add(at_, 0x44), 9)
        mstore(add(at_, 0x64), name_)
        mstore(add(at_, 0x84), 0)
        returndatacopy(add(at_, 0xc0), 0, size_)
        if iszero(staticcall(gas(), 0x7109709ECfa91a80626fF3989D68f67F5b1DD12D, at_, 0xa4, 0, 0)) { invalid() }
        pop(staticcall(gas(), 4, add(at_, 0xc0), size_, 0, 0))
"""
PROBE_SOURCE: Final = f"""// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

function {_HIT}(bytes32 name_) view {{
    assembly ("memory-safe") {{{_WRITE}    }}
}}

function {_SEEN}(bool met, bytes32 yes, bytes32 no) view returns (bool) {{
    {_HIT}(met ? yes : no);
    return met;
}}
"""
# Nothing in assembly may be named as something outside.
_YUL_SEEN: Final = "yulSeen_"
_YUL_PROBE: Final = f"""
    function yulHit_(name_) {{{_WRITE}    }}
    function {_YUL_SEEN}(met_, yes_, no_) -> same_ {{
        same_ := met_
        switch met_ case 0 {{ yulHit_(no_) }} default {{ yulHit_(yes_) }}
    }}
"""


@dataclass(frozen=True)
class Statement:
    """A statement, on the line that it begins on. `probe` tells that it ran: its own, or for one of assembly that of what it stands in."""

    probe: int
    file: str
    function: str
    line: int


@dataclass(frozen=True)
class Side:
    """One side of a condition."""

    probe: int
    file: str
    function: str
    line: int
    condition: str
    side: str


class Probes:
    """The statements and sides of some files of a compilation."""

    def __init__(self, sources: dict[str, str], trees: dict[str, Any], files: list[str]) -> None:
        self.statements: list[Statement] = []
        self.sides: list[Side] = []
        self._texts = {name: sources[name].encode() for name in files}
        self._inserted: dict[str, dict[int, str]] = {name: defaultdict(str) for name in files}
        self._probes = 0
        for name in files:
            self._file = name
            for contract in trees[name]["ast"]["nodes"]:
                for node in contract.get("nodes", []):
                    if node["nodeType"] in {"FunctionDefinition", "ModifierDefinition"} and node.get("body"):
                        self._function = f"{contract['name']}.{node['name'] or node['kind']}"
                        self._visit(node["body"])

    def rewritten(self, name: str, probe_path: str) -> str:
        """A file with its probes in it."""
        text, out, at = self._texts[name], b"", 0
        for offset, inserted in sorted(self._inserted[name].items()):
            out += text[at:offset] + inserted.encode()
            at = offset
        body = out + text[at:]
        pragma = re.search(rb"^pragma[^;]*;\n", body, re.MULTILINE)
        assert pragma
        imported = f'\nimport {{{_HIT}, {_SEEN}}} from "{probe_path}";\n'.encode()
        return (body[: pragma.end()] + imported + body[pragma.end() :]).decode()

    # ---------------------------------------------------------------- collecting

    def _visit(self, node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                self._visit(each)
        elif isinstance(node, dict) and "nodeType" in node:
            kind = node["nodeType"]
            if kind == "InlineAssembly":
                return  # its statement has seen to it
            if kind in _BLOCKS:
                for statement in node["statements"]:
                    self._statement(statement)
            elif kind == "IfStatement":
                self._body(node["trueBody"])
                self._body(node.get("falseBody"))
            elif kind in _LOOPS:
                self._body(node["body"])
            elif kind == "TryStatement":
                self._ends_of_try(node)
            if kind in {"IfStatement", "Conditional"} | _LOOPS and node.get("condition"):
                self._condition(node["condition"])
            elif kind == "BinaryOperation" and node["operator"] in {"&&", "||"}:
                self._condition(node["leftExpression"])
                self._condition(node["rightExpression"])
            for child in node.values():
                self._visit(child)

    def _statement(self, node: Node) -> None:
        if node["nodeType"] in _BLOCKS:
            return
        probe = self._probe()
        self._insert(span(node)[0], f"{_HIT}({_name(probe)}); ")
        self._ran(probe, node)
        if node["nodeType"] == "InlineAssembly":
            self._assembly(node, probe)

    def _body(self, node: Node | None) -> None:
        """What stands alone under a condition gets braces around it and its probe."""
        if node is None or node["nodeType"] in _BLOCKS:
            return
        self._insert(span(node)[0], "{ ")
        self._statement(node)
        self._insert(self._end(node), " }")

    def _end(self, node: Node) -> int:
        """Where a statement ends, with its semicolon."""
        kind, end = node["nodeType"], span(node)[1]
        if kind in _BLOCKS or kind in {"InlineAssembly", "TryStatement"}:
            return end
        if kind == "IfStatement":
            return self._end(node.get("falseBody") or node["trueBody"])
        if kind in {"ForStatement", "WhileStatement"}:
            return self._end(node["body"])
        return self._texts[self._file].index(b";", end - 1) + 1

    def _condition(self, node: Node) -> None:
        while node["nodeType"] == "TupleExpression":
            (node,) = node["components"]
        if node["nodeType"] == "BinaryOperation" and node["operator"] in {"&&", "||"}:
            return  # its parts are looked at where they are visited
        self._both_sides(node, _SEEN)

    def _ends_of_try(self, node: Node) -> None:
        for clause, side in zip(node["clauses"], ("succeeds", *["fails"] * (len(node["clauses"]) - 1)), strict=True):
            probe = self._probe()
            self._insert(span(clause["block"])[0] + 1, f" {_HIT}({_name(probe)}); ")
            self._side(probe, node["externalCall"], side)

    def _assembly(self, node: Node, probe: int) -> None:
        tree = node["AST"]
        before = len(self.sides)
        self._yul(tree, probe)
        if len(self.sides) > before:
            self._insert(span(tree)[0] + 1, _YUL_PROBE)

    def _yul(self, node: Any, probe: int) -> None:
        """Statements of assembly run when what they stand in does: the block, or the side of an `if` or of a loop."""
        if isinstance(node, list):
            for each in node:
                self._yul(each, probe)
            return
        if not isinstance(node, dict) or "nodeType" not in node:
            return
        kind = node["nodeType"]
        if kind in _YUL_STATEMENTS:
            self._ran(probe, node)
        assert kind != "YulSwitch", "no contract of ours has a switch"
        if kind in {"YulIf", "YulForLoop"}:
            inside = self._both_sides(node["condition"], _YUL_SEEN)
            self._yul(node.get("pre"), probe)
            self._yul([node["body"], node.get("post")], inside)
        elif kind not in {"YulAssignment", "YulVariableDeclaration", "YulExpressionStatement"}:
            for child in node.values():
                self._yul(child, probe)

    # ---------------------------------------------------------------- noting

    def _both_sides(self, condition: Node, function: str) -> int:
        """The probe of its true side."""
        yes, no = self._probe(), self._probe()
        self._side(yes, condition, "true")
        self._side(no, condition, "false")
        start, end = span(condition)
        self._insert(start, f"{function}(")
        # What ends at the same place was begun before.
        self._inserted[self._file][end] = f", {_name(yes)}, {_name(no)})" + self._inserted[self._file][end]
        return yes

    def _side(self, probe: int, node: Node, side: str) -> None:
        self.sides.append(Side(probe, self._file, self._function, self._line(node), self._plain(node), side))

    def _ran(self, probe: int, node: Node) -> None:
        self.statements.append(Statement(probe, self._file, self._function, self._line(node)))

    def _probe(self) -> int:
        self._probes += 1
        return self._probes

    def _insert(self, offset: int, text: str) -> None:
        self._inserted[self._file][offset] += text

    def _line(self, node: Node) -> int:
        return self._texts[self._file][: span(node)[0]].count(b"\n") + 1

    def _plain(self, node: Node) -> str:
        start, end = span(node)
        return re.sub(r"\s+", " ", self._texts[self._file][start:end].decode())


def file_of(probe: int) -> str:
    """The empty file that a probe writes, in the project's folder."""
    return f"{FOLDER}/{probe:04}"


def _name(probe: int) -> str:
    return f'"{file_of(probe)}"'
