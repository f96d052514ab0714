"""Mutants of Solidity sources, all in one build: each place that can be changed asks which mutant is on, and does as that one would.

The number of the mutant that is on is the block's coinbase, which no contract of ours reads and which costs 2 gas to ask. So one compilation
serves all mutants, and a mutant is one run of the tests under another coinbase. (Untch, Offutt and Harrold, *Mutation analysis using mutant
schemata*, ISSTA 1993.)
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from scripts.prove.syntax_nodes import Node, constant, signature, span, walk

SWITCH: Final = "mutantIsOn"
SWITCH_SOURCE: Final = f"""// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

function {SWITCH}(uint256 mutant) view returns (bool on) {{
    assembly ("memory-safe") {{
        on := eq(coinbase(), mutant)
    }}
}}
"""

_OPERATORS: Final = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "%": "*",
    "&": "|",
    "|": "&",
    "^": "&",
    "<<": ">>",
    ">>": "<<",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
}
_ASSIGNMENTS: Final = {"+=": "-=", "-=": "+=", "|=": "&=", "&=": "|=", "*=": "/="}
_YUL: Final = {
    "add": "sub",
    "sub": "add",
    "and": "or",
    "or": "and",
    "eq": "lt",
    "gt": "lt",
    "lt": "gt",
    "shl": "shr",
    "shr": "shl",
    "mul": "div",
    "mod": "div",
}


@dataclass(frozen=True)
class Mutant:
    """One change of one place. `key` outlives edits of other functions."""

    number: int
    key: str
    file: str
    function: str
    line: int
    was: str
    becomes: str


@dataclass
class Place:
    """A node with its alternatives: number and text of each. Only one is on at a time, so alternatives keep the plain text of what they contain."""

    start: int
    end: int
    kind: str
    alternatives: list[tuple[int, str]] = field(default_factory=list)


class Sources:
    """All declarations of a compilation, and the mutants of some of its files."""

    def __init__(self, sources: dict[str, str], trees: dict[str, Any], files: list[str]) -> None:
        self.mutants: list[Mutant] = []
        self._texts = {name: text.encode() for name, text in sources.items()}
        self._trees = {name: tree["ast"] for name, tree in trees.items()}
        self._names = {tree["id"]: name for name, tree in trees.items()}
        self._declared: dict[int, Node] = {}
        self._homes: dict[int, Node] = {}
        for tree in self._trees.values():
            for node in walk(tree):
                if "id" in node:
                    self._declared[node["id"]] = node
                if node["nodeType"] == "ContractDefinition":
                    self._homes.update({inner["id"]: node for inner in node["nodes"]})
        self._constants: dict[int, int] = {}
        self._ordinals: dict[str, int] = defaultdict(int)
        self._places: dict[str, list[Place]] = {}
        for name in files:
            self._file = name
            self._places[name] = []
            self._collect(name)

    # ---------------------------------------------------------------- rewriting

    def rewritten(self, name: str, switch_path: str) -> str:
        """A file with all its mutants in it."""
        text = self._texts[name]
        places = sorted(self._places[name], key=lambda place: (place.start, -place.end))
        body = self._rewrite(text, 0, len(text), places)
        pragma = re.search(rb"^pragma[^;]*;\n", body, re.MULTILINE)
        assert pragma
        imported = f'\nimport {{{SWITCH}}} from "{switch_path}";\n'.encode()
        return (body[: pragma.end()] + imported + body[pragma.end() :]).decode()

    def _rewrite(self, text: bytes, start: int, end: int, places: list[Place]) -> bytes:
        """text[start, end) with the places in it, which are nested or apart, outer ones first."""
        out, at, index = b"", start, 0
        while index < len(places):
            place = places[index]
            inner = index + 1
            while inner < len(places) and places[inner].start < place.end:
                inner += 1
            out += text[at : place.start]
            kept = self._rewrite(text, place.start, place.end, places[index + 1 : inner]).decode()
            out += switched(place, kept).encode()
            at, index = place.end, inner
        return out + text[at:end]

    # ---------------------------------------------------------------- collecting

    def _collect(self, name: str) -> None:
        for contract in self._trees[name]["nodes"]:
            if contract["nodeType"] != "ContractDefinition":
                continue
            for function in contract["nodes"]:
                if function["nodeType"] == "FunctionDefinition" and function.get("body"):
                    self._function = f"{contract['name']}.{function['name'] or 'constructor'}"
                    self._digest = hashlib.sha256(self._text(function).encode()).hexdigest()[:12]
                    self._visit(function["body"], function)

    def _visit(self, node: Any, parent: Node, role: str = "") -> None:
        if isinstance(node, list):
            for each in node:
                self._visit(each, parent, role)
        elif isinstance(node, dict) and "nodeType" in node:
            visit = getattr(self, f"_on_{node['nodeType']}", None)
            if visit is None or visit(node, parent, role) is not False:
                for key, child in node.items():
                    if key not in {"typeName", "typeDescriptions", "externalReferences"}:
                        self._visit(child, node, key)

    def _on_InlineAssembly(self, node: Node, parent: Node, role: str) -> bool:
        places: list[Place] = []
        functions: list[str] = []
        constants = {
            reference["src"]: self._declared[reference["declaration"]]
            for reference in node["externalReferences"]
            if self._declared.get(reference["declaration"], {}).get("constant")
        }
        # Of terms + 0x20, that the sum is a difference is change enough.
        offsets = {
            yul["arguments"][1]["src"]
            for yul in walk(node["AST"])
            if yul["nodeType"] == "YulFunctionCall" and yul["functionName"]["name"] == "add"
        }
        for yul in walk(node["AST"]):
            start, end = span(yul)
            if yul["nodeType"] == "YulFunctionCall" and yul["functionName"]["name"] in _YUL:
                was = yul["functionName"]["name"]
                number = self._mutant(yul, self._plain(yul), f"{_YUL[was]}{self._plain(yul)[len(was) :]}")
                functions.append(
                    f"function mutant{number}(a_, b_) -> r_ {{ switch eq(coinbase(), {number}) "
                    f"case 0 {{ r_ := {was}(a_, b_) }} default {{ r_ := {_YUL[was]}(a_, b_) }} }}"
                )
                name_start, name_end = span(yul["functionName"])
                places.append(Place(name_start, name_end, "text", [(number, f"mutant{number}")]))
            elif yul["nodeType"] == "YulLiteral" and yul.get("kind") == "number" and yul["src"] not in offsets:
                number = self._mutant(yul, yul["value"], f"{yul['value']} + 1")
                places.append(Place(start, end, "text", [(number, f"add({yul['value']}, eq(coinbase(), {number}))")]))
            elif yul["nodeType"] == "YulIdentifier" and yul["src"] in constants and yul["src"] not in offsets:
                number = self._constant(constants[yul["src"]])
                places.append(Place(start, end, "text", [(number, f"add({yul['name']}, eq(coinbase(), {number}))")]))
            elif yul["nodeType"] == "YulExpressionStatement" or (
                # The place of an array in calldata has to be given.
                yul["nodeType"] == "YulAssignment" and not any("." in name["name"] for name in yul["variableNames"])
            ):
                number = self._mutant(yul, self._plain(yul), "")
                places.append(Place(start, end, "yul statement", [(number, "")]))
        self._places[self._file] += places
        if functions:
            start, _ = span(node["AST"])
            self._places[self._file].append(Place(start, start + 1, "text", [(0, "{ " + " ".join(functions))]))
        return False

    def _on_VariableDeclaration(self, node: Node, parent: Node, role: str) -> bool:
        return False

    def _on_ExpressionStatement(self, node: Node, parent: Node, role: str) -> bool | None:
        if role == "loopExpression":
            return False
        expression = node["expression"]
        changes = [""]
        if expression["nodeType"] == "Assignment":
            target = self._declared.get(expression["leftHandSide"].get("referencedDeclaration"), {})
            if target.get("mutability") == "immutable":
                return None
            if expression["operator"] in _ASSIGNMENTS:
                left, right = self._plain(expression["leftHandSide"]), self._plain(expression["rightHandSide"])
                changes.append(f"{left} {_ASSIGNMENTS[expression['operator']]} {right};")
        elif expression["nodeType"] == "FunctionCall":
            changes += [f"{swapped};" for swapped in self._swapped(expression)]
        self._statement(node, changes)
        return None

    def _on_EmitStatement(self, node: Node, parent: Node, role: str) -> None:
        self._statement(node, ["", *(f"emit {swapped};" for swapped in self._swapped(node["eventCall"]))])

    def _on_RevertStatement(self, node: Node, parent: Node, role: str) -> None:
        for swapped in self._swapped(node["errorCall"]):
            self._statement(node, [f"revert {swapped};"])

    def _on_Assignment(self, node: Node, parent: Node, role: str) -> bool:
        self._visit(node["rightHandSide"], node, "rightHandSide")
        return False

    def _on_IfStatement(self, node: Node, parent: Node, role: str) -> None:
        self._expression(node["condition"], ["true", "false"])

    def _on_Conditional(self, node: Node, parent: Node, role: str) -> None:
        self._expression(node["condition"], ["true", "false"])

    def _on_BinaryOperation(self, node: Node, parent: Node, role: str) -> bool | None:
        operator = node["operator"]
        left, right = node["leftExpression"], node["rightExpression"]
        if operator in {"&&", "||"}:
            neutral = "true" if operator == "&&" else "false"
            self._expression(left, [neutral])
            self._expression(right, [neutral])
        elif constant(node):
            return False
        elif operator in {"==", "!="} and (role == "condition" or parent.get("operator") in {"&&", "||"}):
            pass  # its negation is killed by whoever kills both true and false
        elif operator in _OPERATORS and not (constant(left) and operator in {"-", "<<", ">>", "/", "%"}):
            self._expression(node, [f"{self._plain(left)} {_OPERATORS[operator]} {self._plain(right)}"])
        return None if operator != "**" else False

    def _on_UnaryOperation(self, node: Node, parent: Node, role: str) -> bool | None:
        if node["operator"] in {"!", "~"}:
            self._expression(node, [self._plain(node["subExpression"])])
            return None
        return False

    def _on_Literal(self, node: Node, parent: Node, role: str) -> None:
        if node["kind"] == "bool":
            self._expression(node, ["false" if node["value"] == "true" else "true"])
        elif node["kind"] == "number" and not node.get("subdenomination"):
            self._expression(node, [f"{node['value']} + 1"])

    def _on_FunctionCall(self, node: Node, parent: Node, role: str) -> bool | None:
        if node["kind"] == "typeConversion":
            target = node["typeDescriptions"]["typeString"]
            if target.startswith(("address", "bytes", "contract", "type")) and constant(node["arguments"][0]):
                if target == "address":
                    self._expression(node, ["address(1)"])
                return False
            return None
        if node["kind"] != "functionCall" or parent["nodeType"] in {"EmitStatement", "RevertStatement"}:
            return None
        if parent["nodeType"] == "ExpressionStatement" or node["typeDescriptions"]["typeString"].startswith("tuple"):
            return None
        changes = self._swapped(node) + self._taken_for(node)
        if changes:
            self._expression(node, changes)
        return None

    def _on_Identifier(self, node: Node, parent: Node, role: str) -> None:
        self._use_of_constant(node)

    def _on_MemberAccess(self, node: Node, parent: Node, role: str) -> bool | None:
        declared = self._declared.get(node.get("referencedDeclaration") or -1, {})
        if declared.get("nodeType") == "EnumValue":
            enum = self._declared[node["expression"]["referencedDeclaration"]]
            members = [member["name"] for member in enum["members"]]
            after = members[(members.index(node["memberName"]) + 1) % len(members)]
            self._expression(node, [f"{self._plain(node['expression'])}.{after}"])
            return False
        return False if self._use_of_constant(node) else None

    # ---------------------------------------------------------------- alternatives

    def _use_of_constant(self, node: Node) -> bool:
        declared = self._declared.get(node.get("referencedDeclaration") or -1, {})
        if not declared.get("constant") or not node["typeDescriptions"]["typeString"].startswith("uint"):
            return False
        number = self._constant(declared)
        start, end = span(node)
        self._places[self._file].append(Place(start, end, "expression", [(number, f"{self._plain(node)} + 1")]))
        return True

    def _constant(self, declared: Node) -> int:
        """One mutant for all uses of a constant."""
        if declared["id"] not in self._constants:
            home = self._homes[declared["id"]]["name"]
            function, digest = self._function, self._digest
            self._function = home
            self._digest = hashlib.sha256(self._text(declared).encode()).hexdigest()[:12]
            name = f"{home}.{declared['name']}"
            self._constants[declared["id"]] = self._mutant(declared, name, f"{name} + 1")
            self._function, self._digest = function, digest
        return self._constants[declared["id"]]

    def _swapped(self, call: Node) -> list[str]:
        """The call with the first two neighbouring arguments of one type exchanged."""
        arguments = call["arguments"]
        if call.get("names"):
            return []
        for index in range(len(arguments) - 1):
            one, two = arguments[index], arguments[index + 1]
            alike = one["typeDescriptions"].get("typeIdentifier") == two["typeDescriptions"].get("typeIdentifier")
            if alike and not constant(one) and self._plain(one) != self._plain(two):
                texts = [self._plain(argument) for argument in arguments]
                texts[index], texts[index + 1] = texts[index + 1], texts[index]
                return [f"{self._plain(call['expression'])}({', '.join(texts)})"]
        return []

    def _taken_for(self, call: Node) -> list[str]:
        """A member of a library taken for the next one of the same signature, as `terms.buyer()` for `terms.payer()`."""
        member = call["expression"]
        declared = self._declared.get(member.get("referencedDeclaration") or -1, {})
        library = self._homes.get(declared.get("id", -1))
        if member["nodeType"] != "MemberAccess" or not library or library.get("contractKind") != "library":
            return []
        alike = [
            other["name"]
            for other in library["nodes"]
            if other["nodeType"] == "FunctionDefinition"
            and other["visibility"] == "internal"
            and signature(other) == signature(declared)
        ]
        after = alike[(alike.index(declared["name"]) + 1) % len(alike)] if declared["name"] in alike else ""
        if not after or after == declared["name"]:
            return []
        arguments = ", ".join(self._plain(argument) for argument in call["arguments"])
        return [f"{self._plain(member['expression'])}.{after}({arguments})"]

    def _expression(self, node: Node, changes: list[str]) -> None:
        start, end = span(node)
        was = self._plain(node)
        self._places[self._file].append(
            Place(start, end, "expression", [(self._mutant(node, was, change), change) for change in changes])
        )

    def _statement(self, node: Node, changes: list[str]) -> None:
        start, end = span(node)
        end = self._texts[self._file].index(b";", end - 1) + 1
        was = self._plain(node)
        self._places[self._file].append(
            Place(start, end, "statement", [(self._mutant(node, was, change), change) for change in changes])
        )

    def _mutant(self, node: Node, was: str, becomes: str) -> int:
        number = len(self.mutants) + 1
        identity = f"{self._function} {self._digest} {was} → {becomes}"
        self._ordinals[identity] += 1
        key = f"{self._function} {hashlib.sha256(f'{identity} {self._ordinals[identity]}'.encode()).hexdigest()[:12]}"
        start, _ = span(node)
        file = self._file_of(node)
        line = self._texts[file][:start].count(b"\n") + 1
        self.mutants.append(Mutant(number, key, file, self._function, line, was, becomes or "nothing"))
        return number

    def _file_of(self, node: Node) -> str:
        return self._names[int(node["src"].rsplit(":", 1)[1])]

    def _text(self, node: Node) -> str:
        start, end = span(node)
        return self._texts[self._file_of(node)][start:end].decode(errors="replace")

    def _plain(self, node: Node) -> str:
        return re.sub(r"\s+", " ", self._text(node))


def switched(place: Place, kept: str) -> str:
    """A place's text in a build with all mutants; `kept` is what it is while none of its own is on."""
    if place.kind == "text":
        return place.alternatives[0][1]
    if place.kind == "yul statement":
        return f"if iszero(eq(coinbase(), {place.alternatives[0][0]})) {{ {kept} }}"
    if place.kind == "statement":
        branches = "".join(f"if ({SWITCH}({number})) {{ {text} }} else " for number, text in place.alternatives)
        return f"{{ {branches}{{ {kept} }} }}"
    return "(" + "".join(f"{SWITCH}({number}) ? {text} : " for number, text in place.alternatives) + f"{kept})"
